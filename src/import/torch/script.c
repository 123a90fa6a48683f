/* TorchScript: the archive's own code, as text. Class and function names are
 * dotted; code/__torch__/a/b.py holds __torch__.a.b.X. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "import/torch/aten.h"
#include "import/torch/program.h"
#include "import/torch/script_internal.h"

#define COUNTED UINT64_MAX /* made_for: a weight already counted */

enum { CODE_MAX = 16 << 20, CONSTANTS_MAX = 1 << 24 };

struct script {
    struct program p;
    struct scope *globals;
    struct table files; /* path -> scope, as a SPACE value with host data */
    const struct pickle *constants;
    struct val *constants_value;
    struct trace *t; /* of the tables above */
};

static struct script *script_of(struct py *py)
{
    return trace_of(py)->names_data;
}

/* ---- names --------------------------------------------------------------- */

/* The scope of code/__torch__/a/b.py. */
static struct scope *code_file(struct script *s, struct str module)
{
    struct py *py = &s->t->py;
    struct val *known = table_find(&s->files, module);
    char path[600];
    struct str text;

    if (known)
        return known->as.host;
    int n = snprintf(path, sizeof(path), "code/" STR_FMT, STR_ARG(module));
    if (n < 0 || (size_t)n + 4 >= sizeof(path))
        return NULL;
    for (char *c = path; *c; c++)
        *c = *c == '.' ? '/' : *c;
    memcpy(path + n, ".py", 4);
    if (torch_entry(s->p.file, path, CODE_MAX, &text)) {
        py->failed = true;
        return NULL;
    }
    struct scope *scope = py_scope(py, s->globals);
    struct val *v = py_new(py, VAL_HOST);
    if (!scope || !v || !text.p)
        return NULL;
    v->as.host = scope;
    if (!table_set(py, &s->files, module, v) ||
        !py_load(py, text, scope, PY_STRICT))
        return NULL;
    return scope;
}

static struct val *in_code(struct script *s, struct str path)
{
    const char *dot = memrchr(path.p, '.', path.n);

    if (!dot)
        return NULL;
    struct str module = str_slice(path, 0, (size_t)(dot - path.p));
    struct str name = str_slice(path, module.n + 1, path.n);
    struct scope *scope = code_file(s, module);
    return scope ? table_find(&scope->names, name) : NULL;
}

static struct klass *script_class(struct trace *t, struct str name)
{
    struct script *s = t->names_data;
    struct val *v = in_code(s, name);

    if (v && v->kind == VAL_CLASS)
        return v->as.klass;
    (void)py_fail(&t->py, ERR_INVALID,
                  "the code of '%.*s' is not in the archive",
                  name.n < 200 ? (int)name.n : 200, name.p);
    return NULL;
}

static struct val *constant(struct script *s, struct str name)
{
    uint64_t i;

    if (!s->constants_value) {
        struct str bytes;
        struct pickle *root = NULL;
        if (torch_entry(s->p.file, "constants.pkl", CONSTANTS_MAX, &bytes) ||
            (bytes.p &&
             pickle_read(&bytes, &torch_rules, s->p.arena, &root, s->p.err))) {
            s->t->py.failed = true;
            return NULL;
        }
        s->p.file->data = "constants/";
        s->constants_value = module_value(s->t, &s->p, root, script_class);
        s->p.file->data = "data/";
    }
    struct val *list = s->constants_value;
    if (!list || (list->kind != VAL_TUPLE && list->kind != VAL_LIST) ||
        name.n < 2 || !str_to_u64(str_slice(name, 1, name.n), &i) ||
        i >= list->as.items.n)
        return py_fail(&s->t->py, ERR_INVALID, "a constant is not there");
    return list->as.items.v[i];
}

/* What stands behind a dotted name, for code of the archive. */
static struct val *find_name(struct py *py, struct str path)
{
    struct script *s = script_of(py);
    struct str last = str_behind_last(path, '.');

    if (str_starts(path, STR("__torch__.")))
        return in_code(s, path);
    if (str_starts(path, STR("CONSTANTS.")))
        return constant(s, last);
    if (str_starts(path, STR("ops.prim.")))
        return script_word(py, last);
    if (str_starts(path, STR("torch.")) || str_starts(path, STR("ops.aten."))) {
        if (str_eq(last, STR("device")) || str_starts(last, STR("is_grad")) ||
            str_starts(last, STR("is_autocast")))
            return NULL; /* the common answers */
        char *kept = arena_cstr(py->arena, last);
        return kept ? py_builtin(py, kept, script_call, aten_find(last)) : NULL;
    }
    return NULL;
}

static bool language(struct script *s)
{
    static const char *const spaces[] = {
        "__torch__", "torch", "ops",      "CONSTANTS",  "Tensor", "List",
        "Dict",      "Tuple", "Optional", "NamedTuple", "number", "Device",
        "NoneType",  "Any",   "Union",    "Final",      "Enum",   "Future"};
    static const char *const words[] = {"annotate", "unchecked_cast",
                                        "uninitialized"};
    struct py *py = &s->t->py;
    struct table *names;

    s->globals = py_scope(py, NULL);
    if (!s->globals)
        return false;
    names = &s->globals->names;
    for (size_t i = 0; i < COUNT(spaces); i++)
        if (!table_set(py, names, str_from_cstr(spaces[i]),
                       py_space(py, str_from_cstr(spaces[i]))))
            return false;
    for (size_t i = 0; i < COUNT(words); i++)
        if (!table_set(py, names, str_from_cstr(words[i]),
                       script_word(py, str_from_cstr(words[i]))))
            return false;
    return table_set(py, names, STR("__annotations__"), py_dict(py)) &&
           table_set(py, names, STR("Module"),
                     library_find(py, STR("Module"))) &&
           table_set(py, names, STR("inf"), py_float(py, (double)INFINITY)) &&
           table_set(py, names, STR("nan"), py_float(py, (double)NAN));
}

static struct val *make_script(struct trace *t, struct program *p)
{
    struct script *s = (struct script *)p;

    s->t = t;
    s->files = (struct table){.n = 0};
    s->constants_value = NULL;
    t->names = find_name;
    t->names_data = s;
    if (!language(s))
        return NULL;
    return module_value(t, p, p->root, script_class);
}

/* Parameters of the object tree, counted once each. */
static void count_parameters(struct torch_file *f, const struct pickle *v,
                             struct import *out, int depth)
{
    if (!v || depth > 40 || f->work++ > TORCH_MAX_WORK)
        return;
    if (torch_is_tensor(v)) {
        struct tensor t;
        struct err none = {0}, *kept = f->err;
        f->err = &none;
        if (v->made_for != COUNTED && torch_tensor(f, v, &t) == ERR_OK) {
            out->report.parameters += t.count;
            ((struct pickle *)(uintptr_t)v)->made_for = COUNTED;
        }
        f->err = kept;
        return;
    }
    if (v->kind == PICKLE_OBJECT)
        import_saw(out, str_behind_last(pickle_name(v), '.'));
    for (size_t i = 0; v->kind != PICKLE_CALL && i < v->n; i++)
        count_parameters(f, v->items[i], out, depth + 1);
    count_parameters(f, v->state, out, depth + 1);
}

enum errc script_import(struct torch_file *f, const struct pickle *root,
                        struct import *out, struct err *err)
{
    struct script s = {.p = {.arena = out->arena,
                             .file = f,
                             .root = root,
                             .out = out,
                             .err = err,
                             .make = make_script}};

    count_parameters(f, root, out, 0);
    return program_run(&s.p);
}
