/* Convolutions. Keras keeps channels last and kernels as HWIO; ONNX wants
 * NCHW and OIHW. The Transposes around each one are taken out again by the
 * runtime; kernels are turned here, once. */
#include <string.h>

#include "import/keras/keras_internal.h"

enum { MAX_SPATIAL = 3 };

struct window {
    int n; /* spatial dimensions */
    int64_t kernel[MAX_SPATIAL], stride[MAX_SPATIAL], dilation[MAX_SPATIAL];
    int64_t pads[2 * MAX_SPATIAL];
    bool same, causal, known; /* known: pads are numbers */
};

static bool first_of(const struct klayer *l, const struct shape *s, int *at)
{
    *at = k_channels_first(l) ? 2 : 1;
    return s->rank >= 3 && s->rank - 2 <= MAX_SPATIAL;
}

/* The out extent, and the padding that TensorFlow's rule gives: as much as
 * needed for ceil(n / stride), the larger half behind. */
static void settle(struct window *w, int i, int64_t *extent)
{
    int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1, n = *extent;
    int64_t total = 0, s = w->stride[i];

    if (w->causal) {
        w->pads[i] = reach - 1;
        *extent = n < 0 ? -1 : (n - 1) / s + 1;
        return;
    }
    if (!w->same) {
        *extent = n < 0 ? -1 : (n - reach) / s + 1;
        return;
    }
    if (s == 1)
        total = reach - 1;
    else if (n < 0)
        w->known = false;
    else
        total = ((n + s - 1) / s - 1) * s + reach - n;
    if (total < 0)
        total = 0;
    w->pads[i] = total / 2;
    w->pads[w->n + i] = total - total / 2;
    *extent = n < 0 ? -1 : (n + s - 1) / s;
}

/* Reads strides, dilation and padding; spatial extents of shape become those
 * of the output. */
static bool read_window(struct keras *k, const struct klayer *l,
                        struct window *w, struct shape *shape)
{
    int at;

    if (!first_of(l, shape, &at))
        return false;
    w->n = shape->rank - 2;
    w->known = true;
    k_ints(l, "strides", w->stride, (size_t)w->n,
           k_int(l, "subsample_length", 1));
    if (k_get(l, "subsample")) /* Keras 1 */
        k_ints(l, "subsample", w->stride, (size_t)w->n, 1);
    k_ints(l, "dilation_rate", w->dilation, (size_t)w->n, 1);
    w->same = k_says(l, "padding", "same") || k_says(l, "border_mode", "same");
    w->causal = k_says(l, "padding", "causal");
    for (int i = 0; i < w->n; i++) {
        if (w->stride[i] < 1 || w->dilation[i] < 1)
            return k_fail(k, l, ERR_INVALID, "its strides are not positive");
        settle(w, i, &shape->dim[at + i]);
        if (shape->dim[at + i] == 0 || shape->dim[at + i] < -1)
            return k_fail(k, l, ERR_INVALID,
                          "the input is smaller than its kernel");
    }
    return true;
}

static void put_window(struct keras *k, struct graph_node *n,
                       const struct window *w)
{
    size_t count = (size_t)w->n;

    attr_ints(k->g, n, "kernel_shape", w->kernel, count);
    attr_ints(k->g, n, "strides", w->stride, count);
    attr_ints(k->g, n, "dilations", w->dilation, count);
    if (w->known)
        attr_ints(k->g, n, "pads", w->pads, 2 * count);
    else
        attr_string(k->g, n, "auto_pad", "SAME_UPPER");
}

static void set_channels(const struct klayer *l, struct shape *s, int64_t c)
{
    s->dim[k_channels_first(l) ? 1 : s->rank - 1] = c;
}

static int64_t channels(const struct klayer *l, const struct shape *s)
{
    return s->dim[k_channels_first(l) ? 1 : s->rank - 1];
}

static const char *enter(struct keras *k, const struct klayer *l,
                         const struct kvalue *v)
{
    return k_channels_first(l) ? v->name
                               : k_to_first(k, v->name, v->shape.rank);
}

/* Behind the convolution: channels back, activation. */
static bool leave(struct keras *k, const struct klayer *l, struct kcall *c,
                  const char *y, const struct shape *shape)
{
    if (!k_channels_first(l))
        y = k_to_last(k, y, shape->rank);
    return k_give(c, k_activation(k, l, k_get(l, "activation"), y), shape);
}

bool k_conv(struct keras *k, struct klayer *l, struct kcall *c)
{
    static const int order[][5] = {{2, 1, 0}, {3, 2, 0, 1}, {4, 3, 0, 1, 2}};
    struct shape shape = c->in->shape;
    struct window w = {.n = 0};
    const struct tensor *kernel = k_weight(k, l, 0, shape.rank);

    if (!kernel || shape.rank < 3)
        return false;
    for (int i = 0; i < shape.rank - 2 && i < MAX_SPATIAL; i++)
        w.kernel[i] = kernel->shape.dim[i];
    int64_t in = channels(l, &shape), per = kernel->shape.dim[shape.rank - 2];
    if (!read_window(k, l, &w, &shape))
        return false;
    if (per < 1 || (in >= 0 && in % per != 0))
        return k_fail(k, l, ERR_INVALID,
                      "the kernel takes %lld channels, the input has %lld",
                      (long long)per, (long long)in);
    const char *inputs[] = {
        enter(k, l, c->in), k_permuted(k, l, kernel, order[w.n - 1]),
        l->n_weights > 1 ? k_put(k, l, &l->weights[1]) : ""};
    struct graph_node *n =
        graph_node(k->g, "Conv", inputs, l->n_weights > 1 ? 3 : 2, 1);
    put_window(k, n, &w);
    attr_int(k->g, n, "group", in < 0 ? k_int(l, "groups", 1) : in / per);
    set_channels(l, &shape, kernel->shape.dim[kernel->shape.rank - 1]);
    return leave(k, l, c, n->out[0], &shape);
}

/* A depthwise kernel [h,w,channels,multiplier] as [channels*multiplier,1,h,w]:
 * turned to [c,m,h,w], then seen with another shape. */
static const char *depthwise_kernel(struct keras *k, const struct klayer *l,
                                    const struct tensor *t)
{
    static const int order[][4] = {{1, 2, 0}, {2, 3, 0, 1}};
    int rank = t->shape.rank;
    int64_t to[4] = {t->shape.dim[rank - 2] * t->shape.dim[rank - 1], 1};

    for (int i = 2; i < rank; i++)
        to[i] = t->shape.dim[i - 2];
    const char *turned = k_permuted(k, l, t, order[rank - 3]);
    return graph_reshape(k->g, turned, to, (size_t)rank);
}

static const char *depthwise(struct keras *k, struct klayer *l,
                             const struct kvalue *in, const char *bias,
                             struct shape *shape)
{
    const struct tensor *kernel = k_weight(k, l, 0, shape->rank);
    struct window w = {.n = 0};

    if (!kernel || shape->rank < 3 || shape->rank > 4)
        return NULL;
    for (int i = 0; i < shape->rank - 2; i++)
        w.kernel[i] = kernel->shape.dim[i];
    if (!read_window(k, l, &w, shape))
        return NULL;
    int64_t group = kernel->shape.dim[shape->rank - 2];
    const char *inputs[] = {enter(k, l, in), depthwise_kernel(k, l, kernel),
                            bias};
    struct graph_node *n = graph_node(k->g, "Conv", inputs, bias[0] ? 3 : 2, 1);
    put_window(k, n, &w);
    attr_int(k->g, n, "group", group);
    set_channels(l, shape, group * kernel->shape.dim[shape->rank - 1]);
    return n->out[0];
}

bool k_depthwise(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct shape shape = c->in->shape;
    const char *bias = l->n_weights > 1 ? k_put(k, l, &l->weights[1]) : "";
    const char *y = depthwise(k, l, c->in, bias, &shape);

    return y && leave(k, l, c, y, &shape);
}

bool k_separable(struct keras *k, struct klayer *l, struct kcall *c)
{
    static const int order[][4] = {{2, 1, 0}, {3, 2, 0, 1}};
    struct shape shape = c->in->shape;
    const char *y = depthwise(k, l, c->in, "", &shape);
    const struct tensor *point = k_weight(k, l, 1, shape.rank);

    if (!y || !point)
        return false;
    const char *inputs[] = {y, k_permuted(k, l, point, order[shape.rank - 3]),
                            l->n_weights > 2 ? k_put(k, l, &l->weights[2])
                                             : ""};
    y = graph_op(k->g, "Conv", inputs, l->n_weights > 2 ? 3 : 2);
    set_channels(l, &shape, point->shape.dim[shape.rank - 1]);
    return leave(k, l, c, y, &shape);
}

/* The output of a transposed convolution is n * stride ('same') or
 * (n - 1) * stride + max(kernel, stride) ('valid'), unless output_padding says
 * otherwise; what is cut or added is independent of n. */
static void settle_transposed(const struct klayer *l, struct window *w, int i,
                              int64_t *extent, int64_t *extra)
{
    int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1, s = w->stride[i];
    int64_t given[MAX_SPATIAL], beyond; /* output = (n - 1) * stride + beyond */

    k_ints(l, "output_padding", given, (size_t)w->n, -1);
    if (given[i] >= 0)
        beyond = reach - (w->same ? 2 * (reach / 2) : 0) + given[i];
    else
        beyond = w->same ? s : (reach > s ? reach : s);
    int64_t cut = reach - beyond;
    *extra = cut < 0 ? -cut : 0;
    w->pads[i] = cut > 0 ? cut / 2 : 0;
    w->pads[w->n + i] = cut > 0 ? cut - cut / 2 : 0;
    *extent = *extent < 0 ? -1 : (*extent - 1) * s + beyond;
}

bool k_conv_transpose(struct keras *k, struct klayer *l, struct kcall *c)
{
    static const int order[][5] = {{2, 1, 0}, {3, 2, 0, 1}, {4, 3, 0, 1, 2}};
    struct shape shape = c->in->shape;
    struct window w = {.n = shape.rank - 2, .known = true};
    const struct tensor *kernel = k_weight(k, l, 0, shape.rank);
    int64_t extra[MAX_SPATIAL] = {0};
    int at;

    if (!kernel || !first_of(l, &shape, &at))
        return false;
    k_ints(l, "strides", w.stride, (size_t)w.n, 1);
    k_ints(l, "dilation_rate", w.dilation, (size_t)w.n, 1);
    w.same = k_says(l, "padding", "same");
    for (int i = 0; i < w.n; i++) {
        w.kernel[i] = kernel->shape.dim[i];
        settle_transposed(l, &w, i, &shape.dim[at + i], &extra[i]);
    }
    const char *inputs[] = {
        enter(k, l, c->in), k_permuted(k, l, kernel, order[w.n - 1]),
        l->n_weights > 1 ? k_put(k, l, &l->weights[1]) : ""};
    struct graph_node *n =
        graph_node(k->g, "ConvTranspose", inputs, l->n_weights > 1 ? 3 : 2, 1);
    put_window(k, n, &w);
    attr_ints(k->g, n, "output_padding", extra, (size_t)w.n);
    set_channels(l, &shape, kernel->shape.dim[shape.rank - 2]);
    return leave(k, l, c, n->out[0], &shape);
}

/* MaxPooling2D, AveragePooling1D, ...: the operator by the class' name. */
bool k_pool(struct keras *k, struct klayer *l, struct kcall *c)
{
    bool average = str_starts(l->class_name, STR("Average"));
    struct shape shape = c->in->shape;
    struct window w = {.n = shape.rank - 2, .known = true};
    int at;

    if (!first_of(l, &shape, &at))
        return false;
    k_ints(l, "pool_size", w.kernel, (size_t)w.n, k_int(l, "pool_length", 2));
    k_ints(l, "strides", w.stride, (size_t)w.n, k_int(l, "stride", -1));
    w.same = k_says(l, "padding", "same") || k_says(l, "border_mode", "same");
    for (int i = 0; i < w.n; i++) {
        w.dilation[i] = 1;
        if (w.stride[i] < 1)
            w.stride[i] = w.kernel[i];
        if (w.kernel[i] < 1)
            return k_fail(k, l, ERR_INVALID, "its pool is empty");
        settle(&w, i, &shape.dim[at + i]);
        if (shape.dim[at + i] == 0 || shape.dim[at + i] < -1)
            return k_fail(k, l, ERR_INVALID,
                          "the input is smaller than its pool");
    }
    const char *x = enter(k, l, c->in);
    struct graph_node *n =
        graph_node(k->g, average ? "AveragePool" : "MaxPool", &x, 1, 1);
    attr_ints(k->g, n, "kernel_shape", w.kernel, (size_t)w.n);
    attr_ints(k->g, n, "strides", w.stride, (size_t)w.n);
    if (w.known)
        attr_ints(k->g, n, "pads", w.pads, 2 * (size_t)w.n);
    else
        attr_string(k->g, n, "auto_pad", "SAME_UPPER");
    const char *y = n->out[0];
    if (!k_channels_first(l))
        y = k_to_last(k, y, shape.rank);
    return k_give(c, y, &shape);
}
