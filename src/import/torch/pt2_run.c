/* The graph of an exported program, operator by operator. */
#include <stdio.h>
#include <string.h>

#include "import/torch/aten.h"
#include "import/torch/pt2_internal.h"

enum { MAX_GRAPHS = 8 };

struct frame {
    struct pt2 *x;
    struct py *py;
    struct table values;
    int depth;
};

static bool run_nodes(struct frame *f, const struct json_node *graph);

static struct val *argument(struct frame *f, const struct json_node *arg);

static struct val *named(struct frame *f, struct str name)
{
    struct val *v = table_find(&f->values, name);

    return v ? v
             : py_fail(f->py, ERR_INVALID,
                       "the value '" STR_FMT "' is not there", STR_ARG(name));
}

static struct val *list_of(struct frame *f, const struct json_node *list,
                           struct val *(*one)(struct frame *,
                                              const struct json_node *))
{
    struct val *out = py_list(f->py, VAL_LIST, list->n);

    for (const struct json_node *v = list->first; out && v; v = v->next)
        if (!py_append(f->py, out, one(f, v)))
            return NULL;
    return out;
}

static struct val *plain(struct frame *f, const struct json_node *v)
{
    if (v->kind == JSON_BOOL)
        return py_bool(f->py, v->boolean);
    if (v->kind == JSON_NUMBER)
        return v->integer ? py_int(f->py, v->whole)
                          : py_float(f->py, v->number);
    if (v->kind == JSON_STRING) {
        if (str_eq(v->text, STR("Infinity")) || str_eq(v->text, STR("inf")))
            return py_float(f->py, (double)__builtin_inf());
        if (str_eq(v->text, STR("-Infinity")) || str_eq(v->text, STR("-inf")))
            return py_float(f->py, (double)-__builtin_inf());
        return py_str(f->py, v->text);
    }
    return &f->py->none;
}

static struct val *real(struct frame *f, const struct json_node *v)
{
    struct val *out = plain(f, v);
    double number;

    return out && py_to_float(out, &number) ? py_float(f->py, number) : out;
}

/* {"name": "x"}, or {"as_none": ...} in a list of optional ones */
static struct val *tensor_argument(struct frame *f, const struct json_node *v)
{
    const struct json_node *inner = json_get(v, "as_tensor");

    v = inner ? inner : v;
    if (json_get(v, "name"))
        return named(f, json_str_or(json_get(v, "name"), ""));
    return &f->py->none;
}

/* {"as_name": "s"} or {"as_int": 3} */
static struct val *symbol(struct frame *f, const struct json_node *v)
{
    if (json_get(v, "as_name"))
        return named(f, json_str_or(json_get(v, "as_name"), ""));
    return v->first ? plain(f, v->first) : &f->py->none;
}

static struct val *argument(struct frame *f, const struct json_node *arg)
{
    static const struct {
        const char *key;
        struct val *(*one)(struct frame *, const struct json_node *);
        bool list;
    } kinds[] = {
        {"as_tensor", tensor_argument, false},
        {"as_tensors", tensor_argument, true},
        {"as_optional_tensor", tensor_argument, false},
        {"as_optional_tensors", tensor_argument, true},
        {"as_int", plain, false},
        {"as_ints", plain, true},
        {"as_float", real, false},
        {"as_floats", real, true},
        {"as_string", plain, false},
        {"as_strings", plain, true},
        {"as_bool", plain, false},
        {"as_bools", plain, true},
        {"as_sym_int", symbol, false},
        {"as_sym_ints", symbol, true},
        {"as_sym_float", symbol, false},
        {"as_sym_bool", symbol, false},
    };
    const struct json_node *v;

    for (size_t i = 0; i < COUNT(kinds); i++)
        if ((v = json_get(arg, kinds[i].key)))
            return kinds[i].list ? list_of(f, v, kinds[i].one)
                                 : kinds[i].one(f, v);
    if ((v = json_get(arg, "as_scalar_type")))
        return aten_type_value(f->py, pt2_type(v));
    return &f->py->none; /* devices, layouts, memory formats */
}

/* Arguments that PyTorch takes by name only; older files do not say. */
static bool by_name(const struct json_node *input, struct str target)
{
    static const char *const names[] = {
        "dtype",      "layout",    "device", "pin_memory",    "memory_format",
        "alpha",      "beta",      "value",  "rounding_mode", "approximate",
        "correction", "generator", "scale",  "enable_gqa",    "sparse_grad",
        "stable",     "indexing"};
    int64_t kind = json_i64_or(json_get(input, "kind"), 0);

    if (kind || str_starts(target, STR("torch.ops.aten.softplus")))
        return kind == 2;
    for (size_t i = 0; i < COUNT(names); i++)
        if (json_says(json_get(input, "name"), names[i]))
            return true;
    return false;
}

/* Sizes are written out in the file; where the batch stands among them, the
 * batch of this run goes. */
static void vary(struct frame *f, struct str op, struct args *a)
{
    static const struct {
        const char *name;
        size_t at;
    } sizes[] = {{"view", 1},    {"reshape", 1},   {"_unsafe_view", 1},
                 {"expand", 1},  {"zeros", 0},     {"ones", 0},
                 {"full", 0},    {"new_zeros", 1}, {"empty", 0},
                 {"new_ones", 1}};
    const struct pt2 *x = f->x;
    int64_t v;

    if (!x->varied)
        return;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct val *list = sizes[i].at < a->n ? a->pos[sizes[i].at] : NULL;
        if (!str_eq(op, str_from_cstr(sizes[i].name)) || !list ||
            list->kind != VAL_LIST)
            continue;
        /* [batch, ...], or [layers, batch, ...] of an initial state */
        size_t at = sizes[i].at == 0 && list->as.items.n == 3 ? 1 : 0;
        if (at < list->as.items.n && py_to_int(list->as.items.v[at], &v) &&
            v == x->batch) {
            struct val *batch = table_find(&f->values, STR("the batch"));
            if (batch)
                list->as.items.v[at] = batch;
        }
    }
}

static bool outputs(struct frame *f, const struct json_node *node,
                    struct val *result)
{
    const struct json_node *list = json_get(node, "outputs");
    size_t i = 0;

    for (const struct json_node *o = list ? list->first : NULL; o;
         o = o->next) {
        const struct json_node *many = json_get(o, "as_tensors");
        const struct json_node *names[2] = {many ? many->first : NULL, NULL};
        struct val *v = result;
        if (list->n > 1 || many) {
            struct val *members = py_members(f->py, result);
            if (!members)
                return false;
            for (const struct json_node *m = names[0]; m; m = m->next, i++)
                if (i < members->as.items.n &&
                    !table_set(f->py, &f->values,
                               json_str_or(json_get(m, "name"), ""),
                               members->as.items.v[i]))
                    return false;
            if (many)
                continue;
            v = i < members->as.items.n ? members->as.items.v[i++]
                                        : &f->py->none;
        }
        const struct json_node *t = json_get(o, "as_tensor");
        const struct json_node *s = json_get(o, "as_sym_int");
        struct str name = t   ? json_str_or(json_get(t, "name"), "")
                          : s ? json_str_or(json_get(s, "as_name"), "")
                              : STR("");
        if (name.n && !table_set(f->py, &f->values, name, v))
            return false;
    }
    return true;
}

/* wrap_with_set_grad_enabled and its kin: the graph among the arguments is
 * run in place. */
static struct val *inlined(struct frame *f, const struct json_node *node)
{
    const struct json_node *inputs = json_get(node, "inputs");
    const struct json_node *graph = NULL, *in;
    struct frame inner = {.x = f->x, .py = f->py, .depth = f->depth + 1};
    struct val *out = py_list(f->py, VAL_TUPLE, 4);
    struct val *batch = table_find(&f->values, STR("the batch"));

    for (const struct json_node *a = inputs ? inputs->first : NULL; a;
         a = a->next)
        if (json_get(json_get(a, "arg"), "as_graph"))
            graph = json_get(json_get(json_get(a, "arg"), "as_graph"), "graph");
    if (!graph || f->depth > MAX_GRAPHS)
        return py_fail(f->py, ERR_UNSUPPORTED, "this operator is not known");
    if (batch)
        (void)table_set(f->py, &inner.values, STR("the batch"), batch);
    in = json_get(graph, "inputs");
    in = in ? in->first : NULL;
    bool behind = false;
    for (const struct json_node *a = inputs->first; a; a = a->next) {
        if (json_get(json_get(a, "arg"), "as_graph")) {
            behind = true;
            continue;
        }
        if (!behind || !in)
            continue;
        (void)table_set(
            f->py, &inner.values,
            json_str_or(json_get(json_get(in, "as_tensor"), "name"), ""),
            argument(f, json_get(a, "arg")));
        in = in->next;
    }
    if (!run_nodes(&inner, graph))
        return NULL;
    const struct json_node *results = json_get(graph, "outputs");
    for (const struct json_node *o = results ? results->first : NULL; o;
         o = o->next)
        if (!py_append(f->py, out, argument(&inner, o)))
            return NULL;
    return results && results->n == 1 ? out->as.items.v[0] : out;
}

/* "torch.ops.aten.add.Tensor" -> "add" */
static struct str operator_of(struct str target)
{
    struct str rest = target;

    if (!str_starts(rest, STR("torch.ops.")))
        return STR("");
    rest = str_slice(rest, 10, rest.n);
    (void)str_cut(&rest, '.');
    return rest.p ? str_cut(&rest, '.') : STR("");
}

static struct val *on_numbers(struct frame *f, struct str name,
                              const struct args *a)
{
    static const struct {
        const char *name;
        enum py_op op;
    } table[] = {{"add", OP_ADD},
                 {"sub", OP_SUB},
                 {"mul", OP_MUL},
                 {"mod", OP_MOD},
                 {"floordiv", OP_FLOORDIV},
                 {"pow", OP_POW},
                 {"truediv", OP_DIV},
                 {"eq", OP_EQ},
                 {"ge", OP_GE},
                 {"le", OP_LE},
                 {"lt", OP_LT},
                 {"gt", OP_GT}};

    if (a->n == 1 && str_eq(name, STR("neg")))
        return py_unary(f->py, OP_NEG, a->pos[0]);
    for (size_t i = 0; a->n == 2 && i < COUNT(table); i++)
        if (str_eq(name, str_from_cstr(table[i].name)))
            return table[i].op >= OP_EQ
                       ? py_compare(f->py, table[i].op, a->pos[0], a->pos[1])
                       : py_binary(f->py, table[i].op, a->pos[0], a->pos[1]);
    return py_fail(f->py, ERR_UNSUPPORTED,
                   "the operator '" STR_FMT "' is not known", STR_ARG(name));
}

static struct val *call(struct frame *f, const struct json_node *node,
                        struct args *a)
{
    struct str target = json_str_or(json_get(node, "target"), "");
    struct str name = operator_of(target);

    if (str_starts(target, STR("_operator.")))
        return on_numbers(f, str_slice(target, 10, target.n), a);
    if (str_eq(name, STR("sym_size")) && a->n == 2)
        return py_call(f->py, torch_function(f->py, STR("size")), a);
    if (str_starts(name, STR("_assert")) || str_starts(name, STR("sym_c")))
        return &f->py->none;
    vary(f, name, a);
    struct val *op = NULL;
    char full[120];
    int n = snprintf(full, sizeof(full), "torch_%.*s",
                     name.n < 100 ? (int)name.n : 100, name.p);
    op = library_find(f->py, (struct str){full, (size_t)n});
    if (!op && !f->py->failed)
        op = torch_function(f->py, name);
    if (!op && !f->py->failed)
        return py_fail(f->py, ERR_UNSUPPORTED,
                       "the operator '%.*s' is not known",
                       target.n < 100 ? (int)target.n : 100, target.p);
    return py_call(f->py, op, a);
}

static bool run_nodes(struct frame *f, const struct json_node *graph)
{
    const struct json_node *nodes = json_get(graph, "nodes");

    for (const struct json_node *n = nodes ? nodes->first : NULL; n;
         n = n->next) {
        const struct json_node *inputs = json_get(n, "inputs");
        struct val *pos = py_list(f->py, VAL_LIST, 8), *kw = py_dict(f->py);
        struct val *result;
        f->py->line++;
        if (str_starts(json_str_or(json_get(n, "target"), ""),
                       STR("torch.ops.higher_order."))) {
            result = inlined(f, n);
        } else {
            for (const struct json_node *i = inputs ? inputs->first : NULL;
                 i && kw; i = i->next) {
                struct val *v = argument(f, json_get(i, "arg"));
                if (by_name(i, json_str_or(json_get(n, "target"), ""))
                        ? !table_set(f->py, kw->as.dict,
                                     json_str_or(json_get(i, "name"), ""), v)
                        : !py_append(f->py, pos, v))
                    return false;
            }
            if (!pos || !kw)
                return false;
            struct args a = {pos->as.items.v, pos->as.items.n,
                             kw->as.dict->live ? kw->as.dict : NULL};
            result = call(f, n, &a);
        }
        if (!result || !outputs(f, n, result))
            return false;
    }
    return !f->py->failed;
}

static const struct json_node *spec_name(const struct json_node *spec,
                                         const char *kind)
{
    return json_get(json_get(json_get(spec, kind), "arg"), "name");
}

static const struct tensor *weight_of(const struct weights *w, struct str name)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_eq(w->list[i].name, name))
            return &w->list[i].tensor;
    return NULL;
}

/* Parameters, buffers and constants by the names the graph gives them. */
static bool bind_weight(struct frame *f, const struct json_node *spec)
{
    static const struct {
        const char *kind, *name;
    } kinds[] = {{"parameter", "parameter_name"},
                 {"buffer", "buffer_name"},
                 {"tensor_constant", "tensor_constant_name"}};

    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct json_node *v = json_get(spec, kinds[i].kind);
        if (!v)
            continue;
        struct str name = json_str_or(json_get(v, kinds[i].name), "");
        const struct tensor *t = weight_of(&f->x->weights, name);
        t = t ? t : weight_of(&f->x->constants, name);
        if (!t)
            return py_fail(f->py, ERR_INVALID,
                           "the weight '" STR_FMT "' is not in the file",
                           STR_ARG(name)) != NULL;
        struct trace *trace = trace_of(f->py);
        return table_set(f->py, &f->values,
                         json_str_or(spec_name(spec, kinds[i].kind), ""),
                         ten_value(trace, ten_constant(trace, t)));
    }
    return true;
}

static struct val *call_program(struct py *py, struct val *self,
                                const struct args *a)
{
    struct frame f = {.x = (struct pt2 *)(uintptr_t)self->as.builtin.data,
                      .py = py};
    struct val *out = py_list(py, VAL_TUPLE, 4);
    size_t next = 0;

    if (a->n && ten_of(a->pos[0]) && ten_of(a->pos[0])->shape.rank) {
        int64_t batch = ten_of(a->pos[0])->shape.dim[0];
        f.x->varied = batch != f.x->batch;
        (void)table_set(py, &f.values, STR("the batch"), py_int(py, batch));
    }
    for (const struct json_node *s = f.x->specs ? f.x->specs->first : NULL; s;
         s = s->next) {
        const struct json_node *user =
            json_get(json_get(s, "user_input"), "arg");
        const struct json_node *t = json_get(user, "as_tensor");
        if (t && next < a->n) {
            if (!table_set(py, &f.values, json_str_or(json_get(t, "name"), ""),
                           a->pos[next++]))
                return NULL;
        } else if (!user && !bind_weight(&f, s)) {
            return NULL;
        }
    }
    if (!run_nodes(&f, f.x->graph))
        return NULL;
    const struct json_node *specs =
        json_get(json_get(f.x->p.found, "signature"), "output_specs");
    for (const struct json_node *s = specs ? specs->first : NULL; s;
         s = s->next) {
        const struct json_node *v = json_get(json_get(s, "user_output"), "arg");
        if (v && !py_append(py, out, argument(&f, v)))
            return NULL;
    }
    return out && out->as.items.n == 1 ? out->as.items.v[0] : out;
}

struct val *pt2_make(struct trace *t, struct program *p)
{
    return py_builtin(&t->py, "program", call_program, p);
}
