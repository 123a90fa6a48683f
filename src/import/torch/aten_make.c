/* Tensors out of nothing. */
#include <math.h>
#include <string.h>

#include "import/torch/aten.h"

/* All elements the same; large ones are expanded from one. */
static struct ten *filled(struct aten_call *c, const struct shape *s,
                          enum dtype type, double v)
{
    struct ten probe = {.shape = *s};
    int64_t n = ten_count(&probe);
    void *data;

    if (n > TEN_FOLD_MAX)
        return ten_copy(c->t, ten_expand(c->t, ten_scalar(c->t, type, v), s));
    struct ten *x = ten_room(c->t, type, s, &data);
    for (int64_t i = 0; data && i < n; i++)
        ten_put(data, type, (size_t)i, v);
    return x;
}

static void sizes(struct aten_call *c, size_t i, struct shape *s)
{
    s->rank = (int)arg_ints(c, i, s->dim, SHAPE_MAX_RANK);
    for (int d = 0; d < s->rank; d++)
        if (s->dim[d] < 0) {
            (void)aten_fail(c, "a size is negative");
            s->dim[d] = 0;
        }
}

/* zeros(size, dtype) ... onnx: the value as a text */
static double value_of(const struct aten_call *c)
{
    return strcmp(c->op->onnx, "1") == 0;
}

static struct val *make(struct aten_call *c)
{
    struct shape s = {0};

    sizes(c, 0, &s);
    return give(c, filled(c, &s, arg_type(c, 1, DTYPE_F32), value_of(c)));
}

/* A parameter before it has its weights. */
static struct val *meta(struct aten_call *c)
{
    struct shape s = {0};

    sizes(c, 0, &s);
    struct ten *x = ten_new(c->t, arg_type(c, 1, DTYPE_F32), &s);
    x->meta = true;
    return give(c, x);
}

static struct val *like(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c, filled(c, &x->shape, arg_type(c, 1, x->type), value_of(c)));
}

static struct val *new_of(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct shape s = {0};

    sizes(c, 1, &s);
    return give(c, filled(c, &s, arg_type(c, 2, x->type), value_of(c)));
}

static enum dtype type_of_number(const struct val *v)
{
    return v->kind == VAL_BOOL  ? DTYPE_BOOL
           : v->kind == VAL_INT ? DTYPE_I64
                                : DTYPE_F32;
}

static struct val *full(struct aten_call *c)
{
    struct shape s = {0};

    sizes(c, 0, &s);
    return give(c, filled(c, &s, arg_type(c, 2, type_of_number(c->a[1])),
                          arg_float(c, 1)));
}

static struct val *full_like(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c,
                filled(c, &x->shape, arg_type(c, 2, x->type), arg_float(c, 1)));
}

static struct val *new_full(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct shape s = {0};

    sizes(c, 1, &s);
    return give(c, filled(c, &s, arg_type(c, 3, x->type), arg_float(c, 2)));
}

static struct val *range(struct aten_call *c, double from, double to,
                         double step, enum dtype type)
{
    double n = step != 0 ? ceil((to - from) / step) : -1;
    struct shape s = {1, {0}};
    void *data;

    if (!(n >= 0 && n <= 1 << 22))
        return aten_fail(c, "the range is empty or too long");
    s.dim[0] = (int64_t)n;
    struct ten *x = ten_room(c->t, type, &s, &data);
    for (int64_t i = 0; data && i < s.dim[0]; i++)
        ten_put(data, type, (size_t)i, from + (double)i * step);
    return give(c, x);
}

/* arange(end), arange(start, end), arange(start, end, step); then dtype. In
 * TorchScript the type follows the numbers by place. */
static struct val *arange(struct aten_call *c)
{
    double v[3] = {0, 0, 1};
    size_t n = 0;
    enum dtype type = DTYPE_I64;

    for (;
         n < 3 && !arg_none(c, n) && (py_is_number(c->a[n]) || ten_of(c->a[n]));
         n++) {
        v[n] = arg_float(c, n);
        struct ten *x = ten_of(c->a[n]);
        if (x ? dtype_is_float(x->type) : c->a[n]->kind == VAL_FLOAT)
            type = DTYPE_F32;
    }
    type = arg_type(c, 3, type);
    if (n == 0)
        return aten_fail(c, "the end must be a number");
    return n == 1 ? range(c, 0, v[0], 1, type)
                  : range(c, v[0], v[1], v[2], type);
}

static struct val *linspace(struct aten_call *c)
{
    double from = arg_float(c, 0), to = arg_float(c, 1);
    int64_t n = arg_int(c, 2);
    enum dtype type = arg_type(c, 3, DTYPE_F32);
    struct shape s = {1, {n}};
    void *data;

    if (n < 0 || n > 1 << 22)
        return aten_fail(c, "the range is too long");
    struct ten *x = ten_room(c->t, type, &s, &data);
    double step = n > 1 ? (to - from) / (double)(n - 1) : 0;
    for (int64_t i = 0; data && i < n; i++)
        ten_put(data, type, (size_t)i,
                i < n / 2 ? from + step * (double)i
                          : to - step * (double)(n - 1 - i));
    return give(c, x);
}

static struct val *eye(struct aten_call *c)
{
    int64_t n = arg_int(c, 0), m = arg_none(c, 1) ? n : arg_int(c, 1);
    enum dtype type = arg_type(c, 2, DTYPE_F32);
    struct shape s = {2, {n, m}};
    void *data;

    if (n < 0 || m < 0 || n > 4096 || m > 4096)
        return aten_fail(c, "the matrix is too large");
    struct ten *x = ten_room(c->t, type, &s, &data);
    for (int64_t i = 0; data && i < n * m; i++)
        ten_put(data, type, (size_t)i, i / m == i % m);
    return give(c, x);
}

/* The shape of nested lists; false: they are ragged. */
static bool list_shape(const struct val *v, struct shape *s, int depth,
                       bool *tensors)
{
    if (v->kind != VAL_LIST && v->kind != VAL_TUPLE) {
        *tensors = *tensors || v->kind == VAL_HOST;
        return s->rank == depth;
    }
    if (depth >= SHAPE_MAX_RANK)
        return false;
    if (s->rank == depth)
        s->dim[s->rank++] = (int64_t)v->as.items.n;
    if (s->dim[depth] != (int64_t)v->as.items.n)
        return false;
    /* The first descends, the others must agree. */
    for (size_t i = 0; i < v->as.items.n; i++) {
        if (i == 0 && v->as.items.v[0]->kind != VAL_LIST &&
            v->as.items.v[0]->kind != VAL_TUPLE && s->rank != depth + 1)
            return false;
        if (!list_shape(v->as.items.v[i], s, depth + 1, tensors))
            return false;
    }
    return true;
}

static void fill(const struct val *v, void *data, enum dtype type, size_t *at,
                 struct trace *t)
{
    double number = 0;
    int64_t whole;
    struct ten *x = ten_of(v);

    if (v->kind == VAL_LIST || v->kind == VAL_TUPLE) {
        for (size_t i = 0; i < v->as.items.n; i++)
            fill(v->as.items.v[i], data, type, at, t);
        return;
    }
    if (x)
        ten_sync(t, x);
    if (x && x->data && ten_count(x) == 1)
        ten_put(data, type, (*at)++, ten_f64(x, 0));
    else if (py_to_int(v, &whole))
        ten_put_i64(data, type, (*at)++, whole);
    else if (py_to_float(v, &number))
        ten_put(data, type, (*at)++, number);
    else
        (void)py_fail(&t->py, ERR_UNSUPPORTED,
                      "a list of tensors or texts becomes no tensor");
}

static void find_type(const struct val *v, enum dtype *type)
{
    struct ten *x = ten_of(v);

    if (v->kind == VAL_LIST || v->kind == VAL_TUPLE)
        for (size_t i = 0; i < v->as.items.n; i++)
            find_type(v->as.items.v[i], type);
    else if (x ? dtype_is_float(x->type) : v->kind == VAL_FLOAT)
        *type = DTYPE_F32;
    else if (v->kind != VAL_BOOL && *type != DTYPE_F32)
        *type = DTYPE_I64;
    else if (*type == DTYPE_NONE)
        *type = DTYPE_BOOL;
}

static struct val *tensor(struct aten_call *c)
{
    struct shape s = {0};
    bool tensors = false;
    enum dtype type = DTYPE_NONE;
    size_t at = 0;
    void *data;

    if (ten_of(c->a[0])) {
        struct ten *x = arg_ten(c, 0);
        return give(c,
                    ten_copy(c->t, ten_cast(c->t, x, arg_type(c, 1, x->type))));
    }
    if (!list_shape(c->a[0], &s, 0, &tensors))
        return aten_fail(c, "the lists are of different lengths");
    find_type(c->a[0], &type);
    type = arg_type(c, 1, type == DTYPE_NONE ? DTYPE_F32 : type);
    struct ten *x = ten_room(c->t, type, &s, &data);
    if (data)
        fill(c->a[0], data, type, &at, c->t);
    return give(c, x);
}

/* torch.Tensor(2, 3): sizes; torch.Tensor([..]): elements */
static struct val *old_tensor(struct aten_call *c)
{
    struct val *list = c->a[0];
    struct val *a[2];

    if (list->as.items.n == 1 && !py_is_number(list->as.items.v[0])) {
        a[0] = list->as.items.v[0];
        a[1] = py_space(c->py, str_from_cstr(c->op->onnx));
        return aten_invoke(c->py, "tensor", 2, a);
    }
    a[0] = list;
    a[1] = py_space(c->py, str_from_cstr(c->op->onnx));
    return aten_invoke(c->py, "empty", 2, a);
}

/* Random numbers are drawn by the runtime, anew in every run. */
static struct val *random_of(struct aten_call *c)
{
    struct ten *x = ten_of(c->a[0]);
    struct shape s = {0};

    if (x)
        s = x->shape;
    else
        sizes(c, 0, &s);
    struct graph_node *node = graph_node(c->g, c->op->onnx, NULL, 0, 1);
    attr_ints(c->g, node, "shape", s.dim, (size_t)s.rank);
    return give_node(c, node->out[0], DTYPE_F32, &s);
}

static struct val *triangle(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t k = arg_int(c, 1);
    bool upper = strcmp(c->op->name, "triu") == 0;
    void *data;

    if (x->shape.rank < 2)
        return aten_fail(c, "a matrix is needed");
    if (ten_foldable(x)) {
        int64_t m = x->shape.dim[x->shape.rank - 1];
        int64_t n = x->shape.dim[x->shape.rank - 2];
        struct ten *y = ten_room(c->t, x->type, &x->shape, &data);
        for (int64_t i = 0; data && i < ten_count(x); i++) {
            int64_t row = i / m % n, col = i % m;
            bool keep = upper ? col - row >= k : col - row <= k;
            ten_put(data, x->type, (size_t)i, keep ? ten_f64(x, (size_t)i) : 0);
        }
        return give(c, y);
    }
    enum dtype type = x->type == DTYPE_BOOL ? DTYPE_I32 : x->type;
    struct ten *y = ten_cast(c->t, x, type);
    const char *in[] = {ten_name(c->t, y),
                        ten_name(c->t, ten_scalar(c->t, DTYPE_I64, (double)k))};
    struct graph_node *node = graph_node(c->g, "Trilu", in, 2, 1);
    attr_int(c->g, node, "upper", upper);
    y = ten_node(c->t, node->out[0], type, &x->shape);
    return give(c, ten_cast(c->t, y, x->type));
}

static struct val *one_hot(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t n = arg_int(c, 1), v[2] = {0, 1};
    struct shape s = x->shape;

    if (n <= 0 || s.rank == SHAPE_MAX_RANK)
        return aten_fail(c, "the number of classes must be given");
    s.dim[s.rank++] = n;
    const char *in[] = {ten_name(c->t, x), graph_i64s(c->g, &n, 1),
                        graph_i64s(c->g, v, 2)};
    return give_node(c, graph_op(c->g, "OneHot", in, 3), DTYPE_I64, &s);
}

#define REST                                                           \
    "layout=None, device=None, pin_memory=None, requires_grad=False, " \
    "memory_format=None, out=None, generator=None"

const struct aten aten_make[] = {
    {"zeros", "size, dtype=None, " REST, make, "0"},
    {"ones", "size, dtype=None, " REST, make, "1"},
    {"empty", "size, dtype=None, " REST, meta, NULL},
    {"randn_meta", "size, dtype=None, " REST, meta, NULL},
    {"zeros_like", "self, dtype=None, " REST, like, "0"},
    {"ones_like", "self, dtype=None, " REST, like, "1"},
    {"empty_like", "self, dtype=None, " REST, like, "0"},
    {"new_zeros", "self, size, dtype=None, " REST, new_of, "0"},
    {"new_ones", "self, size, dtype=None, " REST, new_of, "1"},
    {"new_empty", "self, size, dtype=None, " REST, new_of, "0"},
    {"new_full", "self, size, fill_value, dtype=None, " REST, new_full, NULL},
    {"full", "size, fill_value, dtype=None, " REST, full, NULL},
    {"full_like", "self, fill_value, dtype=None, " REST, full_like, NULL},
    {"arange", "start, end=None, step=None, dtype=None, " REST, arange, NULL},
    {"linspace", "start, end, steps, dtype=None, " REST, linspace, NULL},
    {"eye", "n, m=None, dtype=None, " REST, eye, NULL},
    {"tensor", "data, dtype=None, device=None, requires_grad=False", tensor,
     NULL},
    {"as_tensor", "data, dtype=None, device=None", tensor, NULL},
    {"scalar_tensor", "data, dtype=None, " REST, tensor, NULL},
    {"from_numpy", "data, dtype=None", tensor, NULL},
    {"Tensor", "*data", old_tensor, "torch.float32"},
    {"FloatTensor", "*data", old_tensor, "torch.float32"},
    {"LongTensor", "*data", old_tensor, "torch.int64"},
    {"randn", "size, dtype=None, " REST, random_of, "RandomNormal"},
    {"rand", "size, dtype=None, " REST, random_of, "RandomUniform"},
    {"randn_like", "self, dtype=None, " REST, random_of, "RandomNormal"},
    {"rand_like", "self, dtype=None, " REST, random_of, "RandomUniform"},
    {"triu", "self, diagonal=0", triangle, NULL},
    {"tril", "self, diagonal=0", triangle, NULL},
    {"one_hot", "self, num_classes=-1", one_hot, NULL},
    {NULL, NULL, NULL, NULL},
};
