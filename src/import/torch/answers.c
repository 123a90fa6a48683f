/* What tensors are asked (x.size(), x.item()), and the plain answers of torch:
 * no GPU, no training, parameters that are tensors with a mark. */
#include <string.h>

#include "import/torch/aten.h"
#include "import/torch/host.h"
#include "import/torch/unknowns.h"

static struct ten *self_ten(struct py *py, const struct args *a)
{
    struct ten *x = a->n ? ten_of(a->pos[0]) : NULL;

    if (!x)
        return (void)py_fail(py, ERR_INVALID, "a tensor is needed"), NULL;
    ten_sync(trace_of(py), x);
    return x;
}

struct val *ten_shape_value(struct py *py, const struct ten *x)
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
        return ten_shape_value(py, x);
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

/* torch.load(): what the checkpoint says is asked for by name. */
static struct val *fn_load(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    (void)a;
    return py_unknown(py, STR("checkpoint"));
}

/* open(name, default): an unknown value that is likely the default. */
static struct val *fn_open(struct py *py, struct val *f, const struct args *a)
{
    struct trace *t = trace_of(py);
    (void)f;

    if (a->n < 2 || a->pos[0]->kind != VAL_STR)
        return py_fail(py, ERR_INVALID, "open() needs a name and a value");
    if (!t->unknowns && a->pos[1]->kind != VAL_NONE)
        return a->pos[1];
    if (t->unknowns && a->pos[1]->kind != VAL_NONE)
        unknown_likely(t, a->pos[0]->as.text, a->pos[1]);
    return py_unknown(py, a->pos[0]->as.text);
}

static struct val *fn_is_unknown(struct py *py, struct val *f,
                                 const struct args *a)
{
    (void)f;
    return py_bool(py, a->n && a->pos[0]->kind == VAL_UNKNOWN);
}

static struct val *fn_false(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    (void)a;
    return &py->no;
}

/* Of initialisers only the sizes matter. */
static struct val *fn_fans(struct py *py, struct val *f, const struct args *a)
{
    struct ten *x = self_ten(py, a);
    int64_t field = 1;
    struct val *out = py_list(py, VAL_TUPLE, 2);
    (void)f;

    if (!x || x->shape.rank < 2)
        return py_fail(py, ERR_INVALID, "a weight has two dimensions");
    for (int d = 2; d < x->shape.rank; d++)
        field *= x->shape.dim[d];
    return py_append(py, out, py_int(py, x->shape.dim[1] * field)) &&
                   py_append(py, out, py_int(py, x->shape.dim[0] * field))
               ? out
               : NULL;
}

static struct val *fn_gain(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    (void)a;
    return py_float(py, 1);
}

static struct val *fn_zero(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    (void)a;
    return py_int(py, 0);
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
    {"torch._stoker.children", fn_children},
    {"torch._stoker.parameters", fn_parameters},
    {"torch._stoker.is_constant", fn_is_constant},
    {"torch._stoker.rebuild", fn_rebuild},
    {"copy.deepcopy", fn_rebuild},
    {"torch.autograd.Variable", fn_same},
    {"torch.load", fn_load},
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
    {"torch.cuda.device_count", fn_zero},
    {"torch.cuda.current_device", fn_zero},
    {"torch.cuda.empty_cache", fn_none},
    {"torch.cuda.synchronize", fn_none},
    {"torch.cuda.set_device", fn_none},
    {"torch.set_num_threads", fn_none},
    {"torch.set_default_dtype", fn_none},
    {"torch.set_default_tensor_type", fn_none},
    {"torch.set_default_device", fn_none},
    {"torch.set_float32_matmul_precision", fn_none},
    {"torch.use_deterministic_algorithms", fn_none},
    {"torch.compile", fn_same},
    {"torch.jit.script_method", fn_same},
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

static bool ends_in_verify(struct str path)
{
    return memmem(path.p, path.n, "WeightsEnum.verify", 18) ||
           memmem(path.p, path.n, "_Weights.verify", 15);
}

struct val *torch_answer(struct py *py, struct str path)
{
    if (str_eq(path, STR("torch._stoker.open")))
        return py_generic(py, "open", fn_open, NULL);
    if (str_eq(path, STR("torch._stoker.is_unknown")))
        return py_generic(py, "is_unknown", fn_is_unknown, NULL);
    struct val *keeper = torch_keeper(py, path);
    if (keeper || py->failed)
        return keeper;
    for (size_t i = 0; i < COUNT(plain); i++)
        if (str_eq(path, str_from_cstr(plain[i].path)))
            return py_builtin(py, plain[i].path, plain[i].call, NULL);
    if (str_eq(path, STR("torch.nn.init._calculate_fan_in_and_fan_out")))
        return py_builtin(py, "fans", fn_fans, NULL);
    if (str_eq(path, STR("torch.nn.init.calculate_gain")))
        return py_builtin(py, "gain", fn_gain, NULL);
    if (str_starts(path, STR("torch.nn.init.")))
        return py_builtin(py, "init", fn_same, NULL);
    return ends_in_verify(path) ? py_builtin(py, "verify", fn_none, NULL)
                                : NULL; /* no weights are asked for */
}

struct val *torch_query(struct py *py, struct str name)
{
    for (size_t i = 0; i < COUNT(queries); i++)
        if (str_eq(name, str_from_cstr(queries[i].name)))
            return py_builtin(py, queries[i].name, queries[i].call, NULL);
    return NULL;
}
