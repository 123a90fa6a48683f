/* Source of a model: what it defines is made and called. Whatever the text, an
 * error in words or a value; steps, memory and depth are bounded. */
#include "fuzz/fuzz.h"
#include "import/torch/host.h"

/* Makes what can be made without arguments and calls it with a tensor. */
static void try_all(struct trace *t, struct scope *s)
{
    struct shape shape = {4, {2, 3, 8, 8}};

    for (size_t i = 0; i < s->names.n && i < 16; i++) {
        struct val *v = s->names.entries[i].value, *x;
        if (!v || (v->kind != VAL_CLASS && v->kind != VAL_FUNCTION))
            continue;
        t->py.steps = 0;
        t->py.calls = 0;
        v = py_call(&t->py, v, &(struct args){NULL, 0, NULL});
        x = ten_value(t, ten_node(t, "x", DTYPE_F32, &shape));
        if (v && x)
            v = py_call1(&t->py, v, x);
        if (t->py.failed)
            MUST(t->py.err->msg[0]);
        if (!py_recover(&t->py))
            return;
    }
}

/* Parsed once: it is never changed. */
static const struct library *parsed_library(void)
{
    static struct arena arena;
    static struct library library;
    struct err err = {0};

    if (library.n == 0) {
        arena_init(&arena, 64 << 20);
        MUST(!library_parse(&arena, &library, &err));
    }
    return &library;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct err err = {0};

    arena_init(&arena, 256 << 20);
    struct str text = fuzz_padded(&arena, data, size);
    struct trace *t = arena_new(&arena, struct trace, 1);
    if (trace_begin(t, &arena, parsed_library(), 20000, &err)) {
        struct scope *s = py_scope(&t->py, NULL);
        t->py.constructing = true;
        if (py_load(&t->py, text, s, PY_LENIENT))
            try_all(t, s);
        else
            MUST(err.msg[0]);
    }
    arena_fini(&arena);
    return 0;
}
