/* Pooling. */
#include <string.h>

#include "import/torch/aten.h"

struct pool {
    struct ten *x;
    int64_t kernel[3], stride[3], padding[3], dilation[3];
    bool ceil, bare;
    int n;
    struct shape out;
};

/* With ceil_mode the last window must begin inside the input or its padding
 * on the left: PyTorch's rule (Pool.h), which ONNX' ceil_mode lacks. */
static bool output_shape(struct aten_call *c, struct pool *p)
{
    p->out = p->x->shape;
    for (int i = 0; i < p->n; i++) {
        int64_t in = p->x->shape.dim[p->x->shape.rank - p->n + i];
        int64_t span = p->dilation[i] * (p->kernel[i] - 1) + 1;
        int64_t room = in + 2 * p->padding[i] - span;
        if (p->stride[i] <= 0 || p->kernel[i] <= 0 || p->padding[i] < 0 ||
            (room < 0 && !p->ceil)) {
            (void)aten_fail(c, "the input is smaller than the window");
            return false;
        }
        int64_t out = room < 0  ? 1
                      : p->ceil ? (room + p->stride[i] - 1) / p->stride[i] + 1
                                : room / p->stride[i] + 1;
        if (p->ceil && (out - 1) * p->stride[i] >= in + p->padding[i])
            out--;
        p->out.dim[p->out.rank - p->n + i] = out;
    }
    return true;
}

static void begin(struct aten_call *c, struct pool *p)
{
    const char *digit = strpbrk(c->op->name, "123");

    *p = (struct pool){.x = arg_ten(c, 0), .n = digit ? *digit - '0' : 2};
    p->bare = p->x->shape.rank == p->n + 1;
    if (p->bare)
        p->x = op_unsqueeze(c, p->x, 0);
    if (p->x->shape.rank != p->n + 2) {
        (void)aten_fail(c, "the input has %d dimensions", p->x->shape.rank);
        p->n = 0;
    }
}

/* A window of the arguments 1 to 3: kernel, stride (none: the kernel), padding.
 * Returns the number of spatial dimensions; 0: it has failed. */
static size_t begin_window(struct aten_call *c, struct pool *p)
{
    begin(c, p);
    size_t n = (size_t)p->n;
    arg_ints_n(c, 1, p->kernel, n);
    if (arg_none(c, 2) || arg_ints(c, 2, p->stride, n) == 0)
        memcpy(p->stride, p->kernel, sizeof(p->stride));
    else
        arg_ints_n(c, 2, p->stride, n);
    arg_ints_n(c, 3, p->padding, n);
    return n;
}

/* The padding on both sides; on the right more, when ceil_mode looks beyond
 * it. */
static void pads_of(const struct pool *p, int64_t *pads)
{
    for (int i = 0; i < p->n; i++) {
        int64_t in = p->x->shape.dim[2 + i];
        int64_t span = p->dilation[i] * (p->kernel[i] - 1) + 1;
        int64_t need = (p->out.dim[2 + i] - 1) * p->stride[i] + span;
        int64_t right = need - in - p->padding[i];
        pads[i] = p->padding[i];
        pads[p->n + i] = right < p->padding[i] ? p->padding[i] : right;
    }
}

static struct val *finished(struct aten_call *c, struct pool *p,
                            const char *name)
{
    struct ten *y = ten_node(c->t, name, p->x->type, &p->out);

    return give(c, p->bare ? op_squeeze(c, y, 0) : y);
}

/* max_pool2d(self, kernel, stride=kernel, padding, dilation, ceil_mode) */
static struct val *max_pool(struct aten_call *c)
{
    struct pool p;
    int64_t pads[6];
    bool both = strstr(c->op->name, "indices") != NULL;

    size_t n = begin_window(c, &p);
    arg_ints_n(c, 4, p.dilation, n);
    p.ceil = arg_bool(c, 5);
    if (!n || !output_shape(c, &p))
        return NULL;
    pads_of(&p, pads);
    const char *in = ten_name(c->t, p.x);
    struct graph_node *node = graph_node(c->g, "MaxPool", &in, 1, both ? 2 : 1);
    attr_ints(c->g, node, "kernel_shape", p.kernel, n);
    attr_ints(c->g, node, "strides", p.stride, n);
    attr_ints(c->g, node, "dilations", p.dilation, n);
    attr_ints(c->g, node, "pads", pads, n * 2);
    if (!both)
        return finished(c, &p, node->out[0]);
    struct val *out = py_list(c->py, VAL_TUPLE, 2);
    struct ten *places = ten_node(c->t, node->out[1], DTYPE_I64, &p.out);
    int64_t plane = 1; /* ONNX counts through all planes */
    for (size_t i = 0; i < n; i++)
        plane *= p.x->shape.dim[2 + i];
    places = op_number(c, "Mod", places, (double)plane);
    if (p.bare)
        places = op_squeeze(c, places, 0);
    return py_append(c->py, out, finished(c, &p, node->out[0])) &&
                   py_append(c->py, out, give(c, places))
               ? out
               : NULL;
}

/* What a window of ones counts, for the pixels at its edges. */
static struct ten *shares(struct aten_call *c, const struct pool *p,
                          bool count_padding, int64_t divisor)
{
    struct shape s = {p->n + 2, {1, 1}};
    void *data;
    int64_t at[3] = {0};

    for (int i = 0; i < p->n; i++)
        s.dim[2 + i] = p->out.dim[2 + i];
    struct ten *y = ten_room(c->t, p->x->type, &s, &data);
    for (int64_t k = 0; data && k < ten_count(y); k++) {
        int64_t size = 1, seen = 1;
        for (int i = 0; i < p->n; i++) {
            int64_t in = p->x->shape.dim[2 + i];
            int64_t from = at[i] * p->stride[i] - p->padding[i];
            int64_t to = from + p->kernel[i];
            int64_t limit = in + p->padding[i];
            to = to < limit ? to : limit;
            size *= to - from;
            int64_t low = from < 0 ? 0 : from, high = to < in ? to : in;
            seen *= high - low;
        }
        int64_t all = 1;
        for (int i = 0; i < p->n; i++)
            all *= p->kernel[i];
        int64_t by = divisor ? divisor : count_padding ? size : seen;
        ten_put(data, y->type, (size_t)k, (double)all / (double)(by ? by : 1));
        for (int i = p->n; i-- > 0;) {
            if (++at[i] < s.dim[2 + i])
                break;
            at[i] = 0;
        }
    }
    return y;
}

static struct val *averaged(struct aten_call *c, struct pool *p,
                            bool count_padding, int64_t divisor)
{
    int64_t pads[6];
    size_t n = (size_t)p->n;
    bool plain = !divisor, padded = false;

    pads_of(p, pads);
    for (int i = 0; i < p->n; i++) {
        plain = plain && pads[i] == pads[p->n + i];
        padded = padded || pads[i] || pads[p->n + i];
    }
    const char *in = ten_name(c->t, p->x);
    struct graph_node *node = graph_node(c->g, "AveragePool", &in, 1, 1);
    attr_ints(c->g, node, "kernel_shape", p->kernel, n);
    attr_ints(c->g, node, "strides", p->stride, n);
    attr_ints(c->g, node, "pads", pads, n * 2);
    attr_int(c->g, node, "count_include_pad",
             !plain || (count_padding && padded));
    struct val *y = finished(c, p, node->out[0]);
    if (plain || !y)
        return y;
    /* The mean over whole windows, times what PyTorch divides by. */
    struct ten *share = shares(c, p, count_padding, divisor);
    return give(
        c, op2(c, "Mul", ten_of(y), p->bare ? op_squeeze(c, share, 0) : share));
}

/* avg_pool2d(self, kernel, stride, padding, ceil_mode, count_include_pad,
 * divisor_override) */
static struct val *avg_pool(struct aten_call *c)
{
    struct pool p;

    size_t n = begin_window(c, &p);
    for (int i = 0; i < 3; i++)
        p.dilation[i] = 1;
    p.ceil = arg_bool(c, 4);
    if (!n || !output_shape(c, &p))
        return NULL;
    return averaged(c, &p, arg_bool(c, 5), arg_none(c, 6) ? 0 : arg_int(c, 6));
}

static struct ten *reduced(struct aten_call *c, struct ten *x, int dim,
                           bool max)
{
    int64_t d = dim;

    return op_reduce(c, max ? "ReduceMax" : "ReduceMean", x, &d, 1, true);
}

/* Windows that do not divide evenly: one slice each, dimension by dimension
 * (the mean of means is the mean: windows are products of ranges). */
static struct ten *uneven(struct aten_call *c, struct ten *x, int dim,
                          int64_t out, bool max)
{
    struct ten *parts[256];
    int64_t in = x->shape.dim[dim];

    if (out > 256) {
        (void)aten_fail(c, "the output is too large");
        return x;
    }
    for (int64_t i = 0; i < out; i++) {
        int64_t from = i * in / out, to = ((i + 1) * in + out - 1) / out;
        parts[i] = reduced(c, ten_slice(c->t, x, dim, from, to, 1), dim, max);
    }
    return ten_concat(c->t, parts, (size_t)out, dim);
}

static struct val *adaptive(struct aten_call *c)
{
    struct pool p;
    int64_t out[3];
    bool max = strstr(c->op->name, "max") != NULL, whole = true, even = true;

    begin(c, &p);
    size_t n = (size_t)p.n;
    if (!n)
        return NULL;
    struct val *list = c->a[1];
    for (size_t i = 0; i < n; i++) { /* None: as it is */
        struct val *v =
            list->kind == VAL_LIST || list->kind == VAL_TUPLE
                ? (i < list->as.items.n ? list->as.items.v[i] : &c->py->none)
                : list;
        if (!py_to_int(v, &out[i]))
            out[i] = p.x->shape.dim[2 + i];
    }
    p.out = p.x->shape;
    for (size_t i = 0; i < n; i++) {
        int64_t in = p.x->shape.dim[2 + i];
        if (out[i] <= 0)
            return aten_fail(c, "an output size must be positive");
        whole = whole && out[i] == 1;
        even = even && in % out[i] == 0;
        p.out.dim[2 + i] = out[i];
        p.kernel[i] = p.stride[i] = in / out[i];
        p.dilation[i] = 1;
    }
    if (whole || even) {
        const char *in = ten_name(c->t, p.x);
        const char *op = whole ? (max ? "GlobalMaxPool" : "GlobalAveragePool")
                               : (max ? "MaxPool" : "AveragePool");
        struct graph_node *node = graph_node(c->g, op, &in, 1, 1);
        if (!whole) {
            attr_ints(c->g, node, "kernel_shape", p.kernel, n);
            attr_ints(c->g, node, "strides", p.stride, n);
        }
        return finished(c, &p, node->out[0]);
    }
    struct ten *x = p.x;
    for (size_t i = 0; i < n; i++)
        x = uneven(c, x, 2 + (int)i, out[i], max);
    return give(c, p.bare ? op_squeeze(c, x, 0) : x);
}

static struct val *adaptive_pair(struct aten_call *c)
{
    struct val *y = adaptive(c), *out = py_list(c->py, VAL_TUPLE, 2);

    /* The places of the maxima are not computed; nobody may look at them. */
    return py_append(c->py, out, y) && py_append(c->py, out, &c->py->none)
               ? out
               : NULL;
}

#define MAX \
    "self, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False"
#define AVG                                                        \
    "self, kernel_size, stride=None, padding=0, ceil_mode=False, " \
    "count_include_pad=True, divisor_override=None"

const struct aten aten_pool[] = {
    {"max_pool1d", MAX, max_pool, NULL},
    {"max_pool2d", MAX, max_pool, NULL},
    {"max_pool3d", MAX, max_pool, NULL},
    {"max_pool1d_with_indices", MAX, max_pool, NULL},
    {"max_pool2d_with_indices", MAX, max_pool, NULL},
    {"max_pool3d_with_indices", MAX, max_pool, NULL},
    {"avg_pool1d", AVG, avg_pool, NULL},
    {"avg_pool2d", AVG, avg_pool, NULL},
    {"avg_pool3d", AVG, avg_pool, NULL},
    {"adaptive_avg_pool1d", "self, output_size", adaptive, NULL},
    {"adaptive_avg_pool2d", "self, output_size", adaptive, NULL},
    {"adaptive_avg_pool3d", "self, output_size", adaptive, NULL},
    {"_adaptive_avg_pool2d", "self, output_size", adaptive, NULL},
    {"_adaptive_avg_pool3d", "self, output_size", adaptive, NULL},
    {"adaptive_max_pool1d", "self, output_size", adaptive_pair, NULL},
    {"adaptive_max_pool2d", "self, output_size", adaptive_pair, NULL},
    {"adaptive_max_pool3d", "self, output_size", adaptive_pair, NULL},
    {NULL, NULL, NULL, NULL},
};
