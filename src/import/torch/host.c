#include "import/torch/host.h"

#include <stdio.h>
#include <string.h>

#include "import/torch/aten.h"

/* ---- what tensors are asked ---------------------------------------------- */

static struct ten *self_ten(struct py *py, const struct args *a)
{
    struct ten *x = a->n ? ten_of(a->pos[0]) : NULL;

    if (!x)
        return (void)py_fail(py, ERR_INVALID, "a tensor is needed"), NULL;
    ten_sync(trace_of(py), x);
    return x;
}

static struct val *shape_value(struct py *py, const struct ten *x)
{
    struct val *out = py_list(py, VAL_TUPLE, (size_t)x->shape.rank);

    for (int i = 0; out && i < x->shape.rank; i++)
        if (!py_append(py, out, py_int(py, x->shape.dim[i])))
            return NULL;
    return out;
}

static struct val *fn_size(struct py *py, struct val *f, const struct args *a)
{
    struct ten *x = self_ten(py, a);
    struct val *at = a->n > 1 ? a->pos[1]
                     : a->kw  ? table_find(a->kw, STR("dim"))
                              : NULL;
    int64_t i;
    (void)f;

    if (!x)
        return NULL;
    if (!at || at->kind == VAL_NONE)
        return shape_value(py, x);
    if (!py_to_int(at, &i) || i < -x->shape.rank || i >= x->shape.rank)
        return py_fail(py, ERR_INVALID, "a tensor has no such dimension");
    return py_int(py, x->shape.dim[i < 0 ? i + x->shape.rank : i]);
}

static struct val *fn_dim(struct py *py, struct val *f, const struct args *a)
{
    struct ten *x = self_ten(py, a);
    (void)f;

    return x ? py_int(py, x->shape.rank) : NULL;
}

static struct val *fn_numel(struct py *py, struct val *f, const struct args *a)
{
    struct ten *x = self_ten(py, a);
    (void)f;

    return x ? py_int(py, ten_count(x)) : NULL;
}

static struct val *element(struct py *py, const struct ten *x, size_t i)
{
    if (x->type == DTYPE_BOOL)
        return py_bool(py, ten_i64(x, i) != 0);
    return dtype_is_float(x->type) ? py_float(py, ten_f64(x, i))
                                   : py_int(py, ten_i64(x, i));
}

static struct val *fn_item(struct py *py, struct val *f, const struct args *a)
{
    struct ten *x;
    (void)f;

    if (a->n && py_is_number(a->pos[0]))
        return a->pos[0];
    x = self_ten(py, a);
    if (!x)
        return NULL;
    if (!x->data || ten_count(x) != 1)
        return py_fail(py, ERR_UNSUPPORTED,
                       "the model's code makes a number of a tensor that "
                       "depends on the input");
    return element(py, x, 0);
}

static struct val *nested(struct py *py, const struct ten *x, int dim,
                          size_t *at)
{
    struct val *out;

    if (dim == x->shape.rank)
        return element(py, x, (*at)++);
    out = py_list(py, VAL_LIST, (size_t)x->shape.dim[dim]);
    for (int64_t i = 0; out && i < x->shape.dim[dim]; i++)
        if (!py_append(py, out, nested(py, x, dim + 1, at)))
            return NULL;
    return out;
}

static struct val *fn_tolist(struct py *py, struct val *f, const struct args *a)
{
    struct ten *x = self_ten(py, a);
    size_t at = 0;
    (void)f;

    if (!x)
        return NULL;
    if (!ten_foldable(x))
        return py_fail(py, ERR_UNSUPPORTED,
                       "the model's code makes a list of a tensor that "
                       "depends on the input");
    return nested(py, x, 0, &at);
}

static struct val *fn_same(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    return a->n ? a->pos[0] : &py->none;
}

static struct val *fn_none(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    (void)a;
    return &py->none;
}

static struct val *fn_false(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    (void)a;
    return &py->no;
}

static struct val *fn_true(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    (void)a;
    return &py->yes;
}

static struct val *fn_is_float(struct py *py, struct val *f,
                               const struct args *a)
{
    struct ten *x = self_ten(py, a);
    (void)f;

    return x ? py_bool(py, dtype_is_float(x->type)) : NULL;
}

static struct val *fn_is_tensor(struct py *py, struct val *f,
                                const struct args *a)
{
    (void)f;
    return py_bool(py, a->n && ten_of(a->pos[0]) != NULL);
}

static struct val *fn_device(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    (void)a;
    return py_space(py, STR("cpu"));
}

/* torch.Size(list) */
static struct val *fn_tuple(struct py *py, struct val *f, const struct args *a)
{
    struct val *list = a->n ? py_members(py, a->pos[0]) : NULL;
    struct val *out = py_list(py, VAL_TUPLE, 4);
    (void)f;

    for (size_t i = 0; list && i < list->as.items.n; i++)
        (void)py_append(py, out, list->as.items.v[i]);
    return py->failed ? NULL : out;
}

/* nn.Parameter(x) is x, marked; parameters keep that mark. */
static struct val *mark(struct py *py, const struct args *a, uint8_t what)
{
    struct ten *x = a->n ? ten_of(a->pos[0]) : NULL;
    struct val *v;

    if (a->n && a->pos[0]->kind == VAL_NONE)
        return a->pos[0];
    if (!x)
        return py_fail(py, ERR_INVALID, "a parameter must be a tensor");
    v = ten_value(trace_of(py), ten_copy(trace_of(py), x));
    if (v)
        v->mark = what;
    return v;
}

static struct val *fn_parameter(struct py *py, struct val *f,
                                const struct args *a)
{
    (void)f;
    return mark(py, a, 'p');
}

static struct val *fn_buffer(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    return mark(py, a, 'b');
}

/* register_buffer(..., persistent=False): not in files */
static struct val *fn_transient(struct py *py, struct val *f,
                                const struct args *a)
{
    (void)f;
    return mark(py, a, 't');
}

/* Names of attributes that are tensors of that kind or modules. */
static struct val *attributes(struct py *py, const struct args *a, char kind)
{
    struct val *out = py_list(py, VAL_LIST, 8);
    struct val *self = a->n ? a->pos[0] : NULL;

    if (!self || self->kind != VAL_OBJECT || !out)
        return py_fail(py, ERR_INVALID, "a module is needed");
    const struct table *t = self->as.object.attrs;
    for (size_t i = 0; i < t->n; i++) {
        struct val *v = t->entries[i].value;
        bool child = v && v->kind == VAL_OBJECT &&
                     klass_named(v->as.object.klass, "Module");
        bool tensor = v && v->kind == VAL_HOST && v->mark == (uint8_t)kind;
        if (!t->entries[i].key || !(kind == 'm' ? child : tensor))
            continue;
        struct val *pair = py_list(py, VAL_TUPLE, 2);
        if (!py_append(py, pair, t->entries[i].key) ||
            !py_append(py, pair, v) || !py_append(py, out, pair))
            return NULL;
    }
    return out;
}

static struct val *fn_children(struct py *py, struct val *f,
                               const struct args *a)
{
    (void)f;
    return attributes(py, a, 'm');
}

static struct val *fn_parameters(struct py *py, struct val *f,
                                 const struct args *a)
{
    (void)f;
    return attributes(py, a, 'p');
}

static struct val *rebuilt(struct py *py, struct val *v, int depth);

static struct val *rebuilt_list(struct py *py, struct val *v, int depth)
{
    struct val *out = py_list(py, v->kind, v->as.items.n);

    for (size_t i = 0; out && i < v->as.items.n; i++)
        if (!py_append(py, out, rebuilt(py, v->as.items.v[i], depth)))
            return NULL;
    return out;
}

/* A deep copy, with tensors of its own. */
static struct val *rebuilt(struct py *py, struct val *v, int depth)
{
    const struct table *from;
    struct val *out;

    if (depth > 40 || !py_work(py, 1))
        return py_fail(py, ERR_LIMIT, "objects are nested too deeply");
    if (v->kind == VAL_LIST || v->kind == VAL_TUPLE)
        return rebuilt_list(py, v, depth + 1);
    if (v->kind == VAL_HOST) {
        out = ten_value(trace_of(py), ten_copy(trace_of(py), ten_of(v)));
        if (out)
            out->mark = v->mark;
        return out;
    }
    if (v->kind != VAL_OBJECT && v->kind != VAL_DICT)
        return v;
    bool object = v->kind == VAL_OBJECT;
    from = object ? v->as.object.attrs : v->as.dict;
    out = object ? py_object(py, v->as.object.klass) : py_dict(py);
    for (size_t i = 0; out && i < from->n; i++)
        if (from->entries[i].key &&
            !table_put(py, object ? out->as.object.attrs : out->as.dict,
                       from->entries[i].key,
                       rebuilt(py, from->entries[i].value, depth + 1)))
            return NULL;
    return out;
}

static struct val *fn_rebuild(struct py *py, struct val *f,
                              const struct args *a)
{
    (void)f;
    return a->n ? rebuilt(py, a->pos[0], 0) : &py->none;
}

static struct val *fn_is_constant(struct py *py, struct val *f,
                                  const struct args *a)
{
    struct ten *x = a->n ? ten_of(a->pos[0]) : NULL;
    (void)f;

    return py_bool(py, x && ten_is_constant(x));
}

/* Asked of tensors as x.NAME(...) and as torch.NAME(x, ...). */
static const struct {
    const char *name;
    py_function call;
} queries[] = {
    {"size", fn_size},
    {"dim", fn_dim},
    {"ndimension", fn_dim},
    {"numel", fn_numel},
    {"nelement", fn_numel},
    {"item", fn_item},
    {"tolist", fn_tolist},
    {"numpy", fn_same},
    {"is_floating_point", fn_is_float},
    {"is_contiguous", fn_true},
    {"is_complex", fn_false},
    {"get_device", fn_device},
    {"retain_grad", fn_none},
    {"register_hook", fn_none},
    {"storage", fn_same},
    {"pin_memory", fn_same},
    {"share_memory_", fn_same},
    {"normal_", fn_same},
    {"uniform_", fn_same},
    {"trunc_normal_", fn_same},
    {"xavier_uniform_", fn_same},
    {"kaiming_normal_", fn_same},
    {"bernoulli_", fn_same},
    {"random_", fn_same},
    {"values", fn_same},
};

/* Plain names of torch. */
static const struct {
    const char *path;
    py_function call;
} plain[] = {
    {"torch.nn.Parameter", fn_parameter},
    {"torch.nn.parameter.Parameter", fn_parameter},
    {"torch.nn.Buffer", fn_buffer},
    {"torch._stoker.buffer", fn_buffer},
    {"torch._stoker.transient", fn_transient},
    {"torch._stoker.children", fn_children},
    {"torch._stoker.parameters", fn_parameters},
    {"torch._stoker.is_constant", fn_is_constant},
    {"torch._stoker.rebuild", fn_rebuild},
    {"torch.autograd.Variable", fn_same},
    {"torch.Size", fn_tuple},
    {"torch.device", fn_device},
    {"torch.is_tensor", fn_is_tensor},
    {"torch.is_grad_enabled", fn_true},
    {"torch.cuda.is_available", fn_false},
    {"torch.backends.mps.is_available", fn_false},
    {"torch.jit.is_scripting", fn_false},
    {"torch.jit.is_tracing", fn_false},
    {"torch.jit.script", fn_same},
    {"torch.jit.ignore", fn_same},
    {"torch.jit.unused", fn_same},
    {"torch.jit.export", fn_same},
    {"torch.fx.wrap", fn_same},
    {"torch.no_grad", fn_none},
    {"torch.inference_mode", fn_none},
    {"torch.enable_grad", fn_none},
    {"torch.set_grad_enabled", fn_none},
    {"torch.autocast", fn_none},
    {"torch.cuda.amp.autocast", fn_none},
    {"torch.manual_seed", fn_none},
    {"torch.cuda.manual_seed", fn_none},
    {"torch.cuda.manual_seed_all", fn_none},
    {"torch.set_printoptions", fn_none},
    {"torch._C._log_api_usage_once", fn_none},
    {"torchvision.utils._log_api_usage_once", fn_none},
    {"torch._assert", fn_none},
    {"torch.is_autocast_enabled", fn_false},
    {"torch.is_autocast_cpu_enabled", fn_false},
    {"torch.is_inference_mode_enabled", fn_false},
    {"torch.overrides.has_torch_function", fn_false},
    {"torch.nn.utils.clip_grad_norm_", fn_none},
};

/* ---- operators as values ------------------------------------------------- */

static struct val *call_operator(struct py *py, struct val *f,
                                 const struct args *a)
{
    return aten_run(py, f->as.builtin.data, a);
}

/* x.relu_(): x takes the value. */
static struct val *call_in_place(struct py *py, struct val *f,
                                 const struct args *a)
{
    const struct aten *op = f->as.builtin.data;
    struct val *out = aten_run(py, op, a);
    struct ten *x = a->n ? ten_of(a->pos[0]) : NULL;
    struct trace *t = trace_of(py);

    if (!out || !x || !ten_of(out))
        return py->failed
                   ? NULL
                   : py_fail(py, ERR_INVALID, "%s_() needs a tensor", op->name);
    ten_set(t, x, ten_cast(t, ten_of(out), x->type));
    return a->pos[0];
}

struct val *torch_function(struct py *py, struct str name)
{
    const struct aten *op = aten_find(name);

    if (op)
        return py_builtin(py, op->name, call_operator, op);
    if (name.n > 1 && name.p[name.n - 1] == '_') {
        op = aten_find(str_slice(name, 0, name.n - 1));
        if (op)
            return py_builtin(py, op->name, call_in_place, op);
    }
    for (size_t i = 0; i < COUNT(queries); i++)
        if (str_eq(name, str_from_cstr(queries[i].name)))
            return py_builtin(py, queries[i].name, queries[i].call, NULL);
    return NULL;
}

/* ---- the library --------------------------------------------------------- */

struct val *library_find(struct py *py, struct str name)
{
    struct trace *t = trace_of(py);

    return t->library ? table_find(&t->library->names, name) : NULL;
}

static struct str last_part(struct str path)
{
    const char *dot = memrchr(path.p, '.', path.n);

    return dot ? str_slice(path, (size_t)(dot - path.p) + 1, path.n) : path;
}

struct klass *library_class(struct py *py, struct str path)
{
    struct str last = last_part(path);
    struct val *v = NULL;
    char full[160];

    if (last.n < path.n) { /* "mobilenetv3_InvertedResidual" */
        struct str module = last_part(str_slice(path, 0, path.n - last.n - 1));
        int n = snprintf(full, sizeof(full), "%.*s_%.*s",
                         module.n < 70 ? (int)module.n : 70, module.p,
                         last.n < 70 ? (int)last.n : 70, last.p);
        v = library_find(py, (struct str){full, (size_t)n});
    }
    v = v ? v : library_find(py, last);

    return v && v->kind == VAL_CLASS ? v->as.klass : NULL;
}

static bool under(struct str path, const char *prefix)
{
    return str_starts(path, str_from_cstr(prefix));
}

static bool is_type_name(struct py *py, struct str path)
{
    struct val v = {.kind = VAL_SPACE, .as.text = path};
    (void)py;

    return aten_type(&v) != DTYPE_NONE &&
           !str_eq(last_part(path), STR("Tensor")) &&
           !memmem(path.p, path.n, "Tensor", 6);
}

/* Functions of the library are called torch_NAME or functional_NAME where an
 * operator of the same name has other arguments. */
static struct val *library_function(struct py *py, const char *prefix,
                                    struct str name)
{
    char full[100];
    int n = snprintf(full, sizeof(full), "%s_" STR_FMT, prefix,
                     STR_ARG(name.n < 80 ? name : STR("?")));

    return library_find(py, (struct str){full, (size_t)n});
}

/* Functions of numpy with which constructors make small arrays. */
static bool is_array_function(struct str name)
{
    static const char *const names[] = {"linspace", "arange", "zeros",
                                        "ones",     "full",   "eye",
                                        "tensor",   "cumsum"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, str_from_cstr(names[i])))
            return true;
    return false;
}

static struct val *find_name(struct py *py, struct str path)
{
    struct str last = last_part(path);
    struct trace *t = trace_of(py);
    struct val *v = t->names ? t->names(py, path) : NULL;

    if (v || py->failed)
        return v;
    if (str_eq(path, STR("copy.deepcopy")))
        return py_builtin(py, "deepcopy", fn_rebuild, NULL);
    if (str_eq(last, STR("verify")) &&
        memmem(path.p, path.n, "WeightsEnum", 11))
        return py_builtin(py, "verify", fn_none, NULL); /* no weights */
    if (under(path, "numpy.") && is_array_function(last))
        return torch_function(py, last);
    if (!under(path, "torch"))
        return NULL;
    for (size_t i = 0; i < COUNT(plain); i++)
        if (str_eq(path, str_from_cstr(plain[i].path)))
            return py_builtin(py, plain[i].path, plain[i].call, NULL);
    if (under(path, "torch.nn.init."))
        return py_builtin(py, "init", fn_same, NULL);
    if (is_type_name(py, path))
        return NULL; /* stays a name */
    if (under(path, "torch.nn.functional."))
        v = library_function(py, "functional", last);
    if (under(path, "torch.nn.utils.parametriz"))
        v = library_function(py, "parametrizations", last);
    if (!v && (under(path, "torch.nn.") || under(path, "torchvision.")))
        v = library_find(py, last);
    if (v || py->failed || under(path, "torchvision."))
        return v;
    if (under(path, "torch.nn.functional.") || under(path, "torch.Tensor.") ||
        under(path, "torch.special.") || under(path, "torch.linalg.") ||
        under(path, "torch._C._nn.") || under(path, "torch.fft.") ||
        memchr(path.p + 6 < path.p + path.n ? path.p + 6 : path.p, '.',
               path.n > 6 ? path.n - 6 : 0) == NULL) {
        v = library_function(py, "torch", last);
        if (!v && under(path, "torch.linalg."))
            v = library_function(py, "linalg", last);
        if (!v && under(path, "torch."))
            v = torch_function(py, last);
    }
    return v;
}

/* ---- the evaluator's questions ------------------------------------------- */

static struct val *attr_of_tuple(struct py *py, struct val *self,
                                 struct str name)
{
    (void)py;
    if (self->as.items.n == 2 && str_eq(name, STR("values")))
        return self->as.items.v[0];
    if (self->as.items.n == 2 && str_eq(name, STR("indices")))
        return self->as.items.v[1];
    if (str_eq(name, STR("numel")) || str_eq(name, STR("shape")))
        return NULL;
    return NULL;
}

static struct val *host_attr(struct py *py, struct val *self, struct str name)
{
    struct ten *x = ten_of(self);

    if (!x)
        return attr_of_tuple(py, self, name);
    ten_sync(trace_of(py), x);
    if (str_eq(name, STR("shape")))
        return shape_value(py, x);
    if (str_eq(name, STR("dtype")))
        return aten_type_value(py, x->type);
    if (str_eq(name, STR("ndim")))
        return py_int(py, x->shape.rank);
    if (str_eq(name, STR("device")))
        return py_space(py, STR("cpu"));
    if (str_eq(name, STR("data")))
        return self;
    if (str_eq(name, STR("grad")))
        return &py->none;
    if (str_eq(name, STR("requires_grad")))
        return &py->yes;
    if (str_eq(name, STR("is_cuda")) || str_eq(name, STR("is_nested")) ||
        str_eq(name, STR("is_sparse")) || str_eq(name, STR("is_quantized")) ||
        str_eq(name, STR("is_mps")))
        return &py->no;
    if (str_eq(name, STR("T")) || str_eq(name, STR("mT")))
        return aten_invoke(py, name.n == 1 ? "T" : "mT", 1, &self);
    struct val *f = library_function(py, "tensor", name);
    if (!f)
        f = torch_function(py, name);
    if (!f && !py->failed)
        f = library_function(py, "torch", name);
    return f ? py_bound(py, self, f) : NULL;
}

static const char *operator_name(enum py_op op)
{
    static const char *const names[] = {[OP_ADD] = "add",
                                        [OP_SUB] = "sub",
                                        [OP_MUL] = "mul",
                                        [OP_MATMUL] = "matmul",
                                        [OP_DIV] = "div",
                                        [OP_FLOORDIV] = "floor_divide",
                                        [OP_MOD] = "remainder",
                                        [OP_POW] = "pow",
                                        [OP_AND] = "bitwise_and",
                                        [OP_OR] = "bitwise_or",
                                        [OP_XOR] = "bitwise_xor",
                                        [OP_EQ] = "eq",
                                        [OP_NE] = "ne",
                                        [OP_LT] = "lt",
                                        [OP_LE] = "le",
                                        [OP_GT] = "gt",
                                        [OP_GE] = "ge"};

    return (size_t)op < COUNT(names) ? names[op] : NULL;
}

static struct val *host_binary(struct py *py, enum py_op op, struct val *a,
                               struct val *b)
{
    const char *name = operator_name(op);
    struct val *both[] = {a, b};
    bool other =
        (!ten_of(a) && !py_is_number(a)) || (!ten_of(b) && !py_is_number(b));

    if (other && (op == OP_EQ || op == OP_NE))
        return py_bool(py, op == OP_NE);
    if (!name || other)
        return py_fail(py, ERR_UNSUPPORTED,
                       "this operator is not known between a %s and a %s",
                       py_kind_name(a), py_kind_name(b));
    return aten_invoke(py, name, 2, both);
}

static struct val *host_unary(struct py *py, enum py_op op, struct val *a)
{
    if (op == OP_POS)
        return a;
    return aten_invoke(py, op == OP_NEG ? "neg" : "bitwise_not", 1, &a);
}

static struct val *host_index(struct py *py, struct val *self, struct val *at)
{
    struct val *both[] = {self, at};

    return aten_invoke(py, "__getitem__", 2, both);
}

static bool host_set_index(struct py *py, struct val *self, struct val *at,
                           struct val *value)
{
    struct val *all[] = {self, at, value};

    return aten_invoke(py, "__setitem__", 3, all) != NULL;
}

static bool host_truth(struct py *py, struct val *self, bool *out)
{
    struct ten *x = ten_of(self);

    ten_sync(trace_of(py), x);
    if (x->data && ten_count(x) == 1) {
        *out = ten_f64(x, 0) != 0;
        return true;
    }
    (void)py_fail(py, ERR_UNSUPPORTED,
                  "the model's code branches on a tensor that depends on the "
                  "input");
    return false;
}

static struct val *host_list(struct py *py, struct val *self)
{
    return aten_invoke(py, "unbind", 1, &self);
}

static const struct py_host host = {
    .name = find_name,
    .attr = host_attr,
    .binary = host_binary,
    .unary = host_unary,
    .index = host_index,
    .set_index = host_set_index,
    .truth = host_truth,
    .list = host_list,
};

bool trace_begin(struct trace *t, struct arena *arena, uint64_t steps,
                 struct err *err)
{
    *t = (struct trace){.arena = arena, .err = err};
    t->g = arena_new(arena, struct graph, 1);
    if (!t->g)
        return err_set(err, ERR_NOMEM, "out of memory") == ERR_OK;
    graph_init(t->g, arena);
    if (!py_init(&t->py, &host, arena, steps, err))
        return false;
    t->py.host_data = t;
    t->library = py_scope(&t->py, NULL);
    for (size_t i = 0; t->library && i < library_text_count; i++) {
        struct str text = {library_texts[i].text, library_texts[i].size};
        if (!py_load(&t->py, text, t->library, PY_STRICT)) {
            err_prefix(err, ERR_INTERNAL, "%s", library_texts[i].name);
            return false;
        }
    }
    t->py.steps = 0;
    t->py.library = t->library;
    return t->library != NULL;
}
