/* Convolutions in one to three dimensions. */
#include <string.h>

#include "import/torch/aten.h"

struct conv {
    struct ten *x, *w, *bias;
    int64_t stride[3], padding[3], dilation[3], output_padding[3], groups;
    bool transposed;
    const char *auto_pad;
    int n; /* spatial dimensions */
};

static int64_t out_size(const struct conv *v, int i)
{
    int64_t in = v->x->shape.dim[2 + i], kernel = v->w->shape.dim[2 + i];
    int64_t span = v->dilation[i] * (kernel - 1) + 1;

    if (v->stride[i] <= 0)
        return -1;
    if (v->transposed)
        return (in - 1) * v->stride[i] - 2 * v->padding[i] + span +
               v->output_padding[i];
    if (v->auto_pad)
        return v->stride[i] == 1 ? in : -1;
    return in + 2 * v->padding[i] < span
               ? -1
               : (in + 2 * v->padding[i] - span) / v->stride[i] + 1;
}

static struct val *convolve(struct aten_call *c, struct conv *v)
{
    bool bare = v->x->shape.rank == v->n + 1; /* without a batch */
    struct shape s;
    int64_t pads[6];

    if (bare)
        v->x = op_unsqueeze(c, v->x, 0);
    if (v->x->shape.rank != v->n + 2 || v->w->shape.rank != v->n + 2)
        return aten_fail(c, "the input must have %d dimensions and has %d",
                         v->n + 2, v->x->shape.rank);
    s = v->x->shape;
    int64_t channels =
        v->transposed ? v->w->shape.dim[0] : v->w->shape.dim[1] * v->groups;
    if (s.dim[1] != channels)
        return aten_fail(c, "the input has %lld channels, the weight %lld",
                         (long long)s.dim[1], (long long)channels);
    s.dim[1] =
        v->transposed ? v->w->shape.dim[1] * v->groups : v->w->shape.dim[0];
    for (int i = 0; i < v->n; i++) {
        s.dim[2 + i] = out_size(v, i);
        pads[i] = pads[v->n + i] = v->padding[i];
        if (s.dim[2 + i] < 0)
            return aten_fail(c, "the input is smaller than the kernel");
    }
    if (v->x->type != v->w->type)
        return aten_fail(c, "the input is of the type %s and the weight %s",
                         dtype_oip(v->x->type), dtype_oip(v->w->type));
    const char *in[] = {ten_name(c->t, v->x), ten_name(c->t, v->w),
                        v->bias ? ten_name(c->t, v->bias) : ""};
    struct graph_node *node = graph_node(
        c->g, v->transposed ? "ConvTranspose" : "Conv", in, v->bias ? 3 : 2, 1);
    size_t n = (size_t)v->n;
    attr_ints(c->g, node, "kernel_shape", v->w->shape.dim + 2, n);
    attr_ints(c->g, node, "strides", v->stride, n);
    attr_ints(c->g, node, "dilations", v->dilation, n);
    attr_int(c->g, node, "group", v->groups);
    if (v->auto_pad)
        attr_string(c->g, node, "auto_pad", v->auto_pad);
    else
        attr_ints(c->g, node, "pads", pads, n * 2);
    if (v->transposed)
        attr_ints(c->g, node, "output_padding", v->output_padding, n);
    struct ten *y = ten_node(c->t, node->out[0], v->x->type, &s);
    return give(c, bare ? op_squeeze(c, y, 0) : y);
}

static void begin(struct aten_call *c, struct conv *v)
{
    *v = (struct conv){.x = arg_ten(c, 0),
                       .w = arg_ten(c, 1),
                       .bias = arg_ten_or_null(c, 2),
                       .groups = 1};
    v->n = v->w->shape.rank - 2;
    if (v->n < 1 || v->n > 3) {
        (void)aten_fail(c, "the weight has %d dimensions", v->w->shape.rank);
        v->n = 1;
    }
}

/* 'same' splits unevenly to the end, as SAME_UPPER does. */
static void padding(struct aten_call *c, struct conv *v, size_t i)
{
    if (c->a[i]->kind != VAL_STR)
        arg_ints_n(c, i, v->padding, (size_t)v->n);
    else if (str_eq(arg_str(c, i), STR("same")))
        v->auto_pad = "SAME_UPPER";
}

/* conv2d(input, weight, bias, stride, padding, dilation, groups) */
static struct val *conv(struct aten_call *c)
{
    struct conv v;

    begin(c, &v);
    arg_ints_n(c, 3, v.stride, (size_t)v.n);
    padding(c, &v, 4);
    arg_ints_n(c, 5, v.dilation, (size_t)v.n);
    v.groups = arg_int(c, 6);
    return convolve(c, &v);
}

/* conv_transpose2d(input, weight, bias, stride, padding, output_padding,
 * groups, dilation) */
static struct val *conv_transpose(struct aten_call *c)
{
    struct conv v;

    begin(c, &v);
    v.transposed = true;
    arg_ints_n(c, 3, v.stride, (size_t)v.n);
    arg_ints_n(c, 4, v.padding, (size_t)v.n);
    arg_ints_n(c, 5, v.output_padding, (size_t)v.n);
    v.groups = arg_int(c, 6);
    arg_ints_n(c, 7, v.dilation, (size_t)v.n);
    return convolve(c, &v);
}

/* _convolution(input, weight, bias, stride, padding, dilation, transposed,
 * output_padding, groups, ...) */
static struct val *convolution(struct aten_call *c)
{
    struct conv v;

    begin(c, &v);
    arg_ints_n(c, 3, v.stride, (size_t)v.n);
    padding(c, &v, 4);
    arg_ints_n(c, 5, v.dilation, (size_t)v.n);
    v.transposed = arg_bool(c, 6);
    arg_ints_n(c, 7, v.output_padding, (size_t)v.n);
    v.groups = arg_int(c, 8);
    return convolve(c, &v);
}

#define CONV \
    "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1"
#define TRANSPOSE                                     \
    "input, weight, bias=None, stride=1, padding=0, " \
    "output_padding=0, groups=1, dilation=1"

const struct aten aten_conv[] = {
    {"conv1d", CONV, conv, NULL},
    {"conv2d", CONV, conv, NULL},
    {"conv3d", CONV, conv, NULL},
    {"conv_transpose1d", TRANSPOSE, conv_transpose, NULL},
    {"conv_transpose2d", TRANSPOSE, conv_transpose, NULL},
    {"conv_transpose3d", TRANSPOSE, conv_transpose, NULL},
    {"_convolution",
     "input, weight, bias, stride, padding, dilation, transposed, "
     "output_padding, groups, benchmark=None, deterministic=None, "
     "cudnn_enabled=None, allow_tf32=None",
     convolution, NULL},
    {"convolution",
     "input, weight, bias, stride, padding, dilation, transposed, "
     "output_padding, groups",
     convolution, NULL},
    {"_convolution_mode",
     "input, weight, bias, stride, padding, dilation, groups", conv, NULL},
    {NULL, NULL, NULL, NULL},
};
