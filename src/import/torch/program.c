#include "import/torch/program.h"

#include <stdio.h>
#include <string.h>

#include "import/torch/aten.h"

/* A first dimension that no layer has by chance; both runs use these. */
enum { BATCH_A = 2, BATCH_B = 3, MAX_OUTPUTS = 64 };

struct inputs {
    struct program_input list[PROGRAM_MAX_INPUTS];
    size_t n;
    bool guessed;
};

struct run {
    struct trace t;
    struct program *p;
    size_t n_outputs;
    struct shape shapes[MAX_OUTPUTS];
};

/* ---- inputs -------------------------------------------------------------- */

static const struct {
    const char *name;
    enum dtype type;
} type_names[] = {
    {"float32", DTYPE_F32}, {"float", DTYPE_F32},    {"float64", DTYPE_F64},
    {"double", DTYPE_F64},  {"float16", DTYPE_F16},  {"half", DTYPE_F16},
    {"int64", DTYPE_I64},   {"long", DTYPE_I64},     {"int32", DTYPE_I32},
    {"int", DTYPE_I32},     {"uint8", DTYPE_U8},     {"int8", DTYPE_I8},
    {"bool", DTYPE_BOOL},   {"bfloat16", DTYPE_BF16}};

static enum errc bad_input(struct err *err, struct str text)
{
    return err_set(err, ERR_INVALID,
                   "--input '%.*s': write the shape with its batch, and a type "
                   "if it is not float32, as 1,3,224,224 or 1,128:int64; "
                   "several inputs are separated by ';'",
                   text.n < 80 ? (int)text.n : 80, text.p);
}

static enum errc parse_input(struct str text, struct program_input *out,
                             struct err *err)
{
    struct str type = str_trim(text), dims = str_cut(&type, ':');

    *out = (struct program_input){.type = DTYPE_F32};
    if (type.p) {
        out->type = DTYPE_NONE;
        for (size_t i = 0; i < COUNT(type_names); i++)
            if (str_eq(str_trim(type), str_from_cstr(type_names[i].name)))
                out->type = type_names[i].type;
        if (out->type == DTYPE_NONE)
            return bad_input(err, text);
    }
    for (dims = str_trim(dims); dims.p && dims.n;) {
        struct str part = str_trim(str_cut(&dims, ','));
        uint64_t v;
        if (!str_to_u64(part, &v) || v == 0 || v > 1 << 24 ||
            out->shape.rank == SHAPE_MAX_RANK)
            return bad_input(err, text);
        out->shape.dim[out->shape.rank++] = (int64_t)v;
    }
    return ERR_OK;
}

/* Brackets around inputs make a tuple of them, as that of an LSTM's states. */
static enum errc parse_bracketed(struct str part, struct program_input *out,
                                 struct err *err)
{
    int opens = 0, closes = 0;

    part = str_trim(part);
    for (; part.n && part.p[0] == '('; opens++)
        part = str_slice(part, 1, part.n);
    for (; part.n && part.p[part.n - 1] == ')'; closes++)
        part = str_slice(part, 0, part.n - 1);
    enum errc rc = parse_input(part, out, err);
    out->opens = opens;
    out->closes = closes;
    return rc;
}

static enum errc parse_inputs(struct str text, struct inputs *out,
                              struct err *err)
{
    struct str all = text;
    int depth = 0;

    *out = (struct inputs){.n = 0};
    while (text.p && text.n) {
        struct str part = str_cut(&text, ';');
        if (str_trim(part).n == 0)
            continue;
        if (out->n == PROGRAM_MAX_INPUTS)
            return bad_input(err, part);
        struct program_input *in = &out->list[out->n++];
        enum errc rc = parse_bracketed(part, in, err);
        if (rc)
            return rc;
        depth += in->opens - in->closes;
        if (depth < 0 || in->opens > 4)
            return bad_input(err, all);
    }
    return depth ? bad_input(err, all) : ERR_OK;
}

bool program_input_shape(const struct program *p, struct shape *out)
{
    struct inputs in;
    struct err err = {.code = ERR_OK};

    if (parse_inputs(p->out->options.input, &in, &err) || in.n == 0)
        return false;
    *out = in.list[0].shape;
    return true;
}

/* ---- one run ------------------------------------------------------------- */

/* The parameters of forward, or of the function itself, without self. */
static struct py_node *parameters(struct py *py, struct val *callee, bool *self)
{
    struct val *f = callee->kind == VAL_OBJECT
                        ? py_attr_or_null(py, callee, STR("forward"))
                        : callee;

    *self = f && f->kind == VAL_BOUND;
    if (f && f->kind == VAL_BOUND)
        f = f->as.bound.callee;
    return f && f->kind == VAL_FUNCTION ? f->as.function->parameters : NULL;
}

static void name_input(struct py_node **at, size_t i, char out[80])
{
    struct py_node *p = *at;

    while (p && (p->op || p->text.n == 0))
        p = p->next;
    if (p)
        (void)snprintf(out, 80, STR_FMT, (int)(p->text.n < 60 ? p->text.n : 60),
                       p->text.p);
    else
        (void)snprintf(out, 80, "input_%zu", i);
    /* "x.1" of TorchScript */
    for (char *c = out; *c; c++)
        if (*c == '.')
            *c = '_';
    *at = p ? p->next : NULL;
}

static const char *p_names(const struct run *r, size_t i)
{
    return i < r->p->n_inputs ? r->p->input_names[i] : NULL;
}

/* The arguments that the inputs make: tensors, and tuples of them. */
struct arguments {
    struct val *list[PROGRAM_MAX_INPUTS];
    struct val *open[8]; /* tuples that are not complete */
    size_t n, depth;
};

static bool add_argument(struct run *r, struct arguments *a,
                         const struct program_input *in, struct val *v)
{
    for (int i = 0; i < in->opens && a->depth < COUNT(a->open); i++)
        a->open[a->depth++] = py_list(&r->t.py, VAL_TUPLE, 2);
    if (a->depth && !py_append(&r->t.py, a->open[a->depth - 1], v))
        return false;
    for (int i = 0; i < in->closes && a->depth; i++) {
        v = a->open[--a->depth];
        if (a->depth && !py_append(&r->t.py, a->open[a->depth - 1], v))
            return false;
    }
    if (a->depth == 0)
        a->list[a->n++] = v;
    return true;
}

static size_t count_arguments(const struct inputs *in)
{
    size_t n = 0;
    int depth = 0;

    for (size_t i = 0; i < in->n; i++) {
        n += depth == 0;
        depth += in->list[i].opens - in->list[i].closes;
    }
    return n;
}

static bool enough_inputs(struct run *r, const struct inputs *in,
                          const struct py_node *at)
{
    size_t needed = 0, n = count_arguments(in);

    for (const struct py_node *p = at; p; p = p->next)
        needed += !p->op && !p->a;
    if (!at || n >= needed)
        return true;
    return py_fail(&r->t.py, ERR_INVALID,
                   "forward() takes %zu inputs, %zu %s described: give "
                   "--input for all of them, separated by ';'",
                   needed, n, n == 1 ? "was" : "were") != NULL;
}

static bool make_inputs(struct run *r, const struct inputs *in, int64_t batch,
                        struct val *module, struct arguments *out)
{
    bool self;
    struct py_node *at = parameters(&r->t.py, module, &self);
    char hint[80], inner[96];
    size_t member = 0;

    *out = (struct arguments){.n = 0};
    if (at && self)
        at = at->next;
    if (!enough_inputs(r, in, at))
        return false;
    for (size_t i = 0; i < in->n; i++) {
        struct shape s = in->list[i].shape;
        bool inside = out->depth > 0 || in->list[i].opens > 0;
        member = out->depth ? member + 1 : 0;
        if (p_names(r, i))
            (void)snprintf(hint, sizeof(hint), "%.70s", p_names(r, i));
        else if (out->depth == 0)
            name_input(&at, i, hint);
        (void)snprintf(inner, sizeof(inner), inside ? "%s_%zu" : "%s", hint,
                       member);
        char *name = arena_cstr(r->t.arena, str_from_cstr(inner));
        /* Inputs of another first dimension do not share the batch. */
        if (batch && s.rank && s.dim[0] == in->list[0].shape.dim[0])
            s.dim[0] = batch;
        if (!name)
            return false;
        graph_input(r->t.g, name, in->list[i].type, &s);
        struct val *v =
            ten_value(&r->t, ten_node(&r->t, name, in->list[i].type, &s));
        if (!v || !add_argument(r, out, &in->list[i], v))
            return false;
    }
    return true;
}

static bool output(struct run *r, struct val *v, const char *name, int depth)
{
    struct ten *x = ten_of(v);
    char inner[160];

    if (depth > 8 || r->n_outputs == MAX_OUTPUTS)
        return py_fail(&r->t.py, ERR_LIMIT, "the model has too many outputs") !=
               NULL;
    if (x) {
        char *kept = arena_cstr(r->t.arena, str_from_cstr(name));
        const char *value = ten_name(&r->t, x);
        if (!kept || r->t.py.failed)
            return false;
        graph_output(r->t.g, kept, value, x->type, &x->shape);
        r->n_outputs++;
        return true;
    }
    if (v->kind == VAL_DICT || v->kind == VAL_OBJECT) {
        const struct table *t =
            v->kind == VAL_DICT ? v->as.dict : v->as.object.attrs;
        for (size_t i = 0; i < t->n; i++) {
            struct val *key = t->entries[i].key;
            if (!key || key->kind != VAL_STR)
                continue;
            (void)snprintf(
                inner, sizeof(inner), "%.60s%s%.*s", name, *name ? "_" : "",
                key->as.text.n < 60 ? (int)key->as.text.n : 60, key->as.text.p);
            if (!output(r, t->entries[i].value,
                        depth ? inner : inner + (*name ? strlen(name) + 1 : 0),
                        depth + 1))
                return false;
        }
        return true;
    }
    if (v->kind == VAL_LIST || v->kind == VAL_TUPLE)
        for (size_t i = 0; i < v->as.items.n; i++) {
            (void)snprintf(inner, sizeof(inner), "%.60s_%zu", name, i);
            if (!output(r, v->as.items.v[i], v->as.items.n == 1 ? name : inner,
                        depth + 1))
                return false;
        }
    return true; /* None and plain numbers are no outputs */
}

bool program_trace(struct program *p, struct trace *t, struct arena *arena,
                   uint64_t steps, struct err *err)
{
    if (p->library.n == 0 && library_parse(p->arena, &p->library, err))
        return false;
    return trace_begin(t, arena, &p->library, steps, err);
}

/* Builds the module and calls it; batch 0: the shapes as they are given. */
static bool run(struct run *r, struct program *p, const struct inputs *in,
                int64_t batch)
{
    struct val *module, *result;
    struct arguments args;

    *r = (struct run){.p = p};
    if (!program_trace(p, &r->t, p->arena, PROGRAM_STEPS, p->err))
        return false;
    p->runs++;
    module = p->make(&r->t, p);
    if (!module || !make_inputs(r, in, batch, module, &args))
        return false;
    if (module->kind == VAL_OBJECT &&
        !py_attr_or_null(&r->t.py, module, STR("__call__")))
        module = py_attr(&r->t.py, module, STR("forward"));
    result = py_call(&r->t.py, module, &(struct args){args.list, args.n, NULL});
    if (!result || !output(r, result, "output", 0))
        return false;
    if (r->n_outputs == 0)
        return py_fail(&r->t.py, ERR_INVALID,
                       "the model's result holds no tensor") != NULL;
    return !r->t.py.failed;
}

/* The lists' ends point into the graph itself where a list is empty. */
static void take_graph(struct program *p, const struct graph *g)
{
    p->out->graph = *g;
    graph_prune(&p->out->graph);
}

/* With a free batch where the program allows it. */
static bool run_free(struct program *p, const struct inputs *in)
{
    struct run a, b;
    bool possible = true;

    for (size_t i = 0; i < in->n; i++)
        possible = possible && in->list[i].shape.rank > 0;
    if (possible && run(&a, p, in, BATCH_A) && run(&b, p, in, BATCH_B) &&
        batch_free(&a.t, a.t.g, b.t.g)) {
        take_graph(p, a.t.g);
        return true;
    }
    struct err first = *p->err;
    *p->err = (struct err){.code = ERR_OK};
    if (first.code == ERR_LIMIT || first.code == ERR_NOMEM) {
        *p->err = first;
        return false;
    }
    if (!run(&a, p, in, 0))
        return false;
    take_graph(p, a.t.g);
    return true;
}

/* ---- guesses ------------------------------------------------------------- */

struct first_weight {
    struct str name;
    struct shape shape;
    enum dtype type;
    bool found, embedding;
};

static bool look(void *ctx, struct str name, struct val *v)
{
    struct first_weight *w = ctx;
    const struct ten *x = ten_of(v);

    if (x->shape.rank < 2 || memmem(name.p, name.n, "token", 5) ||
        memmem(name.p, name.n, "pos_emb", 7))
        return true;
    w->name = name;
    w->shape = x->shape;
    w->type = x->type;
    w->found = true;
    w->embedding = memmem(name.p, name.n, "emb", 3) != NULL;
    return false;
}

/* Shapes that a model with such a first weight usually takes. */
static size_t guesses(const struct first_weight *w, struct inputs *out,
                      size_t max)
{
    static const int64_t sides[] = {224, 32, 28, 64, 299, 128, 256, 96, 48};
    static const int64_t lengths[] = {128, 100, 1000, 16000, 50, 30};
    int64_t channels = w->shape.dim[1];
    size_t n = 0;

#define GUESS(type_, rank_, ...)                                      \
    if (n < max)                                                      \
        out[n++] = (struct inputs)                                    \
        {                                                             \
            .list = {{(type_), {(rank_), {1, __VA_ARGS__}}}}, .n = 1, \
            .guessed = true                                           \
        }
    enum dtype type = dtype_is_float(w->type) ? w->type : DTYPE_F32;
    bool recurrent = memmem(w->name.p, w->name.n, "weight_ih", 9) != NULL;
    if (w->embedding && w->shape.rank == 2)
        GUESS(DTYPE_I64, 2, 16);
    if (w->shape.rank == 4)
        for (size_t i = 0; i < COUNT(sides); i++)
            GUESS(type, 4, channels, sides[i], sides[i]);
    if (w->shape.rank == 3)
        for (size_t i = 0; i < COUNT(lengths); i++)
            GUESS(type, 3, channels, lengths[i]);
    if (w->shape.rank == 5)
        GUESS(type, 5, channels, 16, 112, 112);
    if (w->shape.rank == 2 && !recurrent)
        GUESS(type, 2, channels);
    if (w->shape.rank == 2)
        GUESS(type, 3, 10, channels);
    if (w->shape.rank == 2 && channels == 784)
        GUESS(type, 4, 1, 28, 28);
    if (w->shape.rank == 2 && channels == 3072)
        GUESS(type, 4, 3, 32, 32);
    if (w->shape.rank == 2 && !w->embedding)
        GUESS(DTYPE_I64, 2, 16);
#undef GUESS
    return n;
}

static bool first_weight(struct program *p, struct first_weight *w)
{
    struct run r = {.p = p};

    *w = (struct first_weight){.found = false};
    if (!program_trace(p, &r.t, p->arena, PROGRAM_STEPS, p->err))
        return false;
    p->runs++;
    struct val *module = p->make(&r.t, p);
    if (!module)
        return false;
    if (!module_walk(&r.t.py, module, look, w) && r.t.py.failed)
        return false;
    return true;
}

static enum errc by_guess(struct program *p)
{
    struct first_weight w;
    struct inputs list[16];
    struct err why = {.code = ERR_OK};

    if (!first_weight(p, &w))
        return p->err->code;
    size_t n = w.found ? guesses(&w, list, COUNT(list)) : 0;
    for (size_t i = 0; i < n; i++) {
        struct buf b;
        if (run_free(p, &list[i])) {
            buf_init(&b, 200);
            shape_format(&b, &list[i].list[0].shape, NULL);
            (void)snprintf(p->out->report.note, sizeof(p->out->report.note),
                           "the shape of the input is not in the file; %.*s %s "
                           "was guessed from the first weight and fits; "
                           "--input says another",
                           (int)b.n, b.p, dtype_oip(list[i].list[0].type));
            buf_fini(&b);
            return ERR_OK;
        }
        if (p->err->code == ERR_LIMIT || p->err->code == ERR_NOMEM)
            return p->err->code;
        why = i == 0 ? *p->err : why;
        *p->err = (struct err){.code = ERR_OK};
    }
    return err_set(p->err, ERR_INVALID,
                   "the shape of the input is not in the file, and no usual "
                   "one fits: give --input, as --input 1,3,224,224%s%.300s",
                   why.msg[0] ? "; with a guess: " : "", why.msg);
}

enum errc program_run(struct program *p)
{
    struct inputs in;
    enum errc rc = parse_inputs(p->out->options.input, &in, p->err);

    if (rc)
        return rc;
    for (; in.n < p->n_inputs && in.n < PROGRAM_MAX_INPUTS; in.n++)
        in.list[in.n] = p->inputs[in.n];
    if (in.n == 0)
        return by_guess(p);
    if (run_free(p, &in))
        return ERR_OK;
    return p->err->code ? p->err->code : ERR_INVALID;
}
