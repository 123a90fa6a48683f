/* Programs of torch.export (.pt2): a graph of ATen operators as JSON, after
 * torch/_export/serde/schema.py (versions 8.x) and the page "PT2 Archive" of
 * the documentation. Two layouts: a flat archive whose weights are archives of
 * torch.save themselves (until 2.8), and one with the bytes of each weight.
 */
#include <stdio.h>
#include <string.h>

#include "codec/json_tree.h"
#include "import/torch/aten.h"
#include "import/torch/program.h"

enum { JSON_MAX_BYTES = 256 << 20, MAX_DEPTH = 20, MAX_GRAPHS = 8 };

struct pt2 {
    struct program p;
    const struct json_node *graph, *specs;
    struct weights weights, constants;
    int64_t batch; /* the first dimension that was exported */
    bool varied;   /* run with another one */
};

static bool ends_with(struct str s, const char *end)
{
    size_t n = strlen(end);

    return s.n >= n && memcmp(s.p + s.n - n, end, n) == 0;
}

/* "X/" of "X/models/model.json", or "" for the flat layout. */
static bool find_root(const struct zip *z, struct str *root, bool *flat)
{
    *flat = zip_find(z, "serialized_exported_program.json") != NULL;
    *root = STR("");
    for (size_t i = 0; i < z->n && !*flat; i++)
        if (ends_with(z->entries[i].name, "/models/model.json")) {
            *root = str_slice(z->entries[i].name, 0, z->entries[i].name.n - 17);
            return true;
        }
    return *flat;
}

bool pt2_is(const struct zip *z)
{
    struct str root;
    bool flat;

    return find_root(z, &root, &flat);
}

/* ScalarType of the schema: that of c10 plus one. */
static enum dtype type_of(const struct json_node *v)
{
    struct val number = {.kind = VAL_INT, .as.whole = json_i64_or(v, 0) - 1};

    return aten_type(&number);
}

/* {"as_int": 3}, or an expression with the value it had. */
static int64_t size_of(const struct json_node *v)
{
    const struct json_node *hint =
        json_get(json_get(json_get(v, "as_expr"), "hint"), "as_int");

    return json_i64_or(hint ? hint : json_get(v, "as_int"), -1);
}

static bool read_sizes(const struct json_node *list, int64_t *out, int *rank)
{
    *rank = 0;
    for (const struct json_node *d = list ? list->first : NULL; d;
         d = d->next) {
        if (*rank == SHAPE_MAX_RANK || size_of(d) < 0)
            return false;
        out[(*rank)++] = size_of(d);
    }
    return true;
}

/* ---- weights ------------------------------------------------------------- */

static enum errc described_wrongly(struct pt2 *x)
{
    return err_set(x->p.err, ERR_INVALID, "a tensor is described wrongly");
}

static enum errc raw_weights(struct pt2 *x, const char *folder,
                             const char *config, struct weights *out)
{
    struct torch_file *f = x->p.file;
    char name[300];
    struct str text;

    (void)snprintf(name, sizeof(name), "%s%s", folder, config);
    enum errc rc = torch_entry(f, name, JSON_MAX_BYTES, &text);
    if (rc || !text.p)
        return rc;
    struct json_node *root = json_tree(text, x->p.arena, x->p.err);
    const struct json_node *list = json_get(root, "config");
    if (!root)
        return ERR_INVALID;
    out->list = arena_new(x->p.arena, struct weight, (list ? list->n : 0) + 1);
    if (!out->list)
        return err_set(x->p.err, ERR_NOMEM, "out of memory");
    for (const struct json_node *v = list ? list->first : NULL; v;
         v = v->next) {
        const struct json_node *meta = json_get(v, "tensor_meta");
        struct str path = json_str_or(json_get(v, "path_name"), ""), bytes;
        struct weight *w = &out->list[out->n];
        int64_t stride[SHAPE_MAX_RANK];
        int ranks;
        if (json_bool_or(json_get(v, "use_pickle"), false))
            continue;
        *w = (struct weight){.name = v->key,
                             .tensor.type = type_of(json_get(meta, "dtype"))};
        if (path.n > 200 || memchr(path.p, '/', path.n) ||
            !read_sizes(json_get(meta, "sizes"), w->tensor.shape.dim,
                        &w->tensor.shape.rank) ||
            !read_sizes(json_get(meta, "strides"), stride, &ranks) ||
            ranks != w->tensor.shape.rank)
            return described_wrongly(x);
        (void)snprintf(name, sizeof(name), "%s" STR_FMT, folder, STR_ARG(path));
        rc = torch_entry(f, name, SIZE_MAX / 4, &bytes);
        if (!rc && !bytes.p)
            rc = described_wrongly(x);
        if (!rc)
            rc = torch_view(f, bytes, stride,
                            size_of(json_get(meta, "storage_offset")),
                            &w->tensor);
        if (rc)
            return rc;
        out->n++;
    }
    return ERR_OK;
}

/* An archive of torch.save inside the archive: a dict of tensors. */
static enum errc saved_weights(struct pt2 *x, const char *name,
                               struct weights *out)
{
    struct torch_file *inner = arena_new(x->p.arena, struct torch_file, 1);
    struct zip *z = arena_new(x->p.arena, struct zip, 1);
    struct pickle *root;
    struct str bytes, data;

    if (!inner || !z)
        return err_set(x->p.err, ERR_NOMEM, "out of memory");
    enum errc rc = torch_entry(x->p.file, name, SIZE_MAX / 4, &bytes);
    if (rc || !bytes.n)
        return rc;
    rc = zip_open(bytes, x->p.arena, z, x->p.err);
    if (rc)
        return rc;
    *inner = (struct torch_file){
        .arena = x->p.arena, .err = x->p.err, .zip = z, .data = "data/"};
    for (size_t i = 0; i < z->n; i++)
        if (ends_with(z->entries[i].name, "data.pkl"))
            inner->folder =
                str_slice(z->entries[i].name, 0, z->entries[i].name.n - 8);
    rc = torch_entry(inner, "data.pkl", JSON_MAX_BYTES, &data);
    if (rc || !data.p)
        return rc ? rc : described_wrongly(x);
    rc = pickle_read(&data, &torch_rules, x->p.arena, &root, x->p.err);
    if (rc)
        return rc;
    out->list = arena_new(x->p.arena, struct weight, root->n / 2 + 1);
    for (size_t i = 0; out->list && i + 1 < root->n && !rc; i += 2) {
        struct weight *w = &out->list[out->n];
        if (!pickle_is(root->items[i], PICKLE_STR) ||
            !torch_is_tensor(root->items[i + 1]))
            continue;
        rc = torch_tensor(inner, root->items[i + 1], &w->tensor);
        w->name = root->items[i]->text;
        out->n++;
    }
    return rc;
}

static const struct tensor *find(const struct weights *w, struct str name)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_eq(w->list[i].name, name))
            return &w->list[i].tensor;
    return NULL;
}

/* ---- running the graph --------------------------------------------------- */

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
        return aten_type_value(f->py, type_of(v));
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
        const struct tensor *t = find(&f->x->weights, name);
        t = t ? t : find(&f->x->constants, name);
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

static struct val *make(struct trace *t, struct program *p)
{
    return py_builtin(&t->py, "program", call_program, p);
}

/* ---- the file ------------------------------------------------------------ */

static enum errc read_inputs(struct pt2 *x)
{
    const struct json_node *values = json_get(x->graph, "tensor_values");
    struct program *p = &x->p;

    p->inputs = arena_new(p->arena, struct program_input, PROGRAM_MAX_INPUTS);
    p->input_names = arena_new(p->arena, const char *, PROGRAM_MAX_INPUTS);
    if (!p->inputs || !p->input_names)
        return err_set(p->err, ERR_NOMEM, "out of memory");
    for (const struct json_node *s = x->specs ? x->specs->first : NULL; s;
         s = s->next) {
        const struct json_node *t =
            json_get(json_get(json_get(s, "user_input"), "arg"), "as_tensor");
        struct program_input *in = &p->inputs[p->n_inputs];
        if (!t)
            continue;
        char *name =
            arena_cstr(p->arena, json_str_or(json_get(t, "name"), "x"));
        const struct json_node *meta = name ? json_get(values, name) : NULL;
        in->type = type_of(json_get(meta, "dtype"));
        if (p->n_inputs == PROGRAM_MAX_INPUTS - 1 || !meta ||
            in->type == DTYPE_NONE ||
            !read_sizes(json_get(meta, "sizes"), in->shape.dim,
                        &in->shape.rank))
            return err_set(p->err, ERR_INVALID,
                           "an input is described wrongly");
        p->input_names[p->n_inputs++] = name;
    }
    x->batch =
        p->n_inputs && p->inputs[0].shape.rank ? p->inputs[0].shape.dim[0] : -1;
    return ERR_OK;
}

static void count(struct pt2 *x)
{
    for (size_t i = 0; i < x->weights.n; i++)
        import_lists(x->p.out, x->weights.list[i].name,
                     &x->weights.list[i].tensor);
    x->p.out->report.n_tensors = 0; /* the graph is there: no list is needed */
}

enum errc pt2_import(struct torch_file *f, struct import *out, struct err *err)
{
    struct pt2 x = {.p = {.arena = out->arena,
                          .file = f,
                          .out = out,
                          .err = err,
                          .make = make}};
    struct str text;
    bool flat;

    out->report.kind = "PyTorch exported program (.pt2)";
    (void)find_root(f->zip, &f->folder, &flat);
    enum errc rc = torch_entry(
        f, flat ? "serialized_exported_program.json" : "models/model.json",
        JSON_MAX_BYTES, &text);
    if (rc)
        return rc;
    struct json_node *root = json_tree(text, out->arena, err);
    if (!root)
        return err_wrap(err, ERR_INVALID, "the program");
    struct str version = json_str_or(json_get(root, "torch_version"), "");
    if (version.n && version.n < 60) {
        char *framework = arena_new(out->arena, char, 80);
        if (framework)
            (void)snprintf(framework, 80, "PyTorch " STR_FMT, STR_ARG(version));
        out->report.framework = framework ? framework : "PyTorch";
    }
    const struct json_node *module = json_get(root, "graph_module");
    x.p.found = module;
    x.graph = json_get(module, "graph");
    x.specs = json_get(json_get(module, "signature"), "input_specs");
    if (!x.graph)
        return err_set(err, ERR_INVALID, "the file holds no program");
    if (flat) {
        rc = saved_weights(&x, "serialized_state_dict.pt", &x.weights);
        if (!rc)
            rc = saved_weights(&x, "serialized_constants.pt", &x.constants);
    } else {
        rc = raw_weights(&x, "data/weights/", "model_weights_config.json",
                         &x.weights);
        if (!rc)
            rc = raw_weights(&x, "data/constants/",
                             "model_constants_config.json", &x.constants);
    }
    if (!rc)
        rc = read_inputs(&x);
    if (rc)
        return rc;
    count(&x);
    return program_run(&x.p);
}
