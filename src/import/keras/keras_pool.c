/* Layers over the spatial dimensions that have no weights. */
#include <string.h>

#include "import/keras/keras_internal.h"

static int first_spatial(const struct klayer *l)
{
    return k_channels_first(l) ? 2 : 1;
}

static const char *sum_over_time(struct keras *k, const char *x, bool keep)
{
    int64_t time = 1;
    const char *in[] = {x, graph_i64s(k->g, &time, 1)};
    struct graph_node *n = graph_node(k->g, "ReduceSum", in, 2, 1);

    attr_int(k->g, n, "keepdims", keep);
    return n->out[0];
}

/* The mean over the steps that count. */
static bool masked_mean(struct keras *k, struct kcall *c,
                        const struct shape *shape, bool keep)
{
    int64_t last = 2;
    const char *weight =
        graph_op2(k->g, "Unsqueeze", graph_cast(k->g, c->in->mask, DTYPE_F32),
                  graph_i64s(k->g, &last, 1));
    const char *sum =
        sum_over_time(k, graph_op2(k->g, "Mul", c->in->name, weight), keep);

    return k_give(
        c, graph_op2(k->g, "Div", sum, sum_over_time(k, weight, keep)), shape);
}

bool k_global_pool(struct keras *k, struct klayer *l, struct kcall *c)
{
    bool average = memmem(l->class_name.p, l->class_name.n, "Average", 7);
    bool keep = k_bool(l, "keepdims", false);
    const struct shape *in = &c->in->shape;
    struct shape shape = {.rank = 0};
    int64_t axes[SHAPE_MAX_RANK];
    size_t n = 0;
    int from = first_spatial(l);

    if (in->rank < 3)
        return false;
    for (int i = 0; i < in->rank; i++) {
        bool spatial = i >= from && i < from + in->rank - 2;
        if (spatial)
            axes[n++] = i;
        if (!spatial || keep)
            shape.dim[shape.rank++] = spatial ? 1 : in->dim[i];
    }
    if (average && c->in->mask && in->rank == 3)
        return masked_mean(k, c, &shape, keep);
    struct graph_node *node = graph_node(
        k->g, average ? "ReduceMean" : "ReduceMax", &c->in->name, 1, 1);
    attr_ints(k->g, node, "axes", axes, n);
    attr_int(k->g, node, "keepdims", keep);
    return k_give(c, node->out[0], &shape);
}

/* Resize on the layout as it is: factors of 1 for batch and channels. */
static const char *resize(struct keras *k, const char *x, const char *scales,
                          const char *sizes, bool linear, bool asymmetric)
{
    const char *in[] = {x, "", scales, sizes};
    struct graph_node *n = graph_node(k->g, "Resize", in, sizes[0] ? 4 : 3, 1);

    attr_string(k->g, n, "mode", linear ? "linear" : "nearest");
    attr_string(k->g, n, "coordinate_transformation_mode",
                asymmetric ? "asymmetric" : "half_pixel");
    if (!linear)
        attr_string(k->g, n, "nearest_mode",
                    asymmetric ? "floor" : "round_prefer_ceil");
    return n->out[0];
}

bool k_upsampling(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct shape shape = c->in->shape;
    int spatial = shape.rank - 2, from = first_spatial(l);
    int64_t size[3];
    struct str how = json_str_or(k_get(l, "interpolation"), "nearest");
    struct tensor t;

    if (spatial < 1 || spatial > 3)
        return false;
    bool linear = str_eq(how, STR("bilinear"));
    if (!linear && !str_eq(how, STR("nearest")))
        return k_fail(k, l, ERR_UNSUPPORTED, "interpolation '" STR_FMT "'",
                      STR_ARG(how));
    k_ints(l, "size", size, (size_t)spatial, k_int(l, "length", 2));
    float *scales =
        graph_room(k->g, DTYPE_F32, &(struct shape){1, {shape.rank}}, &t);
    if (!scales)
        return false;
    for (int i = 0; i < shape.rank; i++)
        scales[i] = 1;
    /* The channels go first: the runtime's linear mode wants that. */
    const char *x =
        from == 1 ? k_to_first(k, c->in->name, shape.rank) : c->in->name;
    for (int i = 0; i < spatial; i++) {
        scales[2 + i] = (float)size[i];
        if (shape.dim[from + i] >= 0)
            shape.dim[from + i] *= size[i];
    }
    const char *y =
        resize(k, x, graph_weight(k->g, "scales", &t), "", linear, !linear);
    return k_give(c, from == 1 ? k_to_last(k, y, shape.rank) : y, &shape);
}

bool k_resizing(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct shape shape = c->in->shape;
    int from = first_spatial(l);
    struct str how = json_str_or(k_get(l, "interpolation"), "bilinear");
    bool linear = str_eq(how, STR("bilinear"));

    if (shape.rank != 4 || (!linear && !str_eq(how, STR("nearest"))) ||
        k_bool(l, "crop_to_aspect_ratio", false) ||
        k_bool(l, "pad_to_aspect_ratio", false) ||
        shape.dim[k_channels_first(l) ? 1 : 3] < 0)
        return k_fail(k, l, ERR_UNSUPPORTED, "this way of resizing");
    shape.dim[from] = k_int(l, "height", 1);
    shape.dim[from + 1] = k_int(l, "width", 1);
    const char *x = from == 1 ? k_to_first(k, c->in->name, 4) : c->in->name;
    /* Sizes: the batch as it comes, then the channels, then what is wanted. */
    int64_t zero = 0, one = 1, two = 2;
    int64_t want[] = {shape.dim[from], shape.dim[from + 1]};
    const char *head[] = {graph_op1(k->g, "Shape", x),
                          graph_i64s(k->g, &zero, 1), graph_i64s(k->g, &two, 1),
                          graph_i64s(k->g, &zero, 1),
                          graph_i64s(k->g, &one, 1)};
    const char *parts[] = {graph_op(k->g, "Slice", head, 5),
                           graph_i64s(k->g, want, 2)};
    struct graph_node *sizes = graph_node(k->g, "Concat", parts, 2, 1);
    attr_int(k->g, sizes, "axis", 0);
    const char *y = resize(k, x, "", sizes->out[0], linear, false);
    return k_give(c, from == 1 ? k_to_last(k, y, 4) : y, &shape);
}

/* [[top, bottom], [left, right]], [a, b], or one number. */
static void read_edges(const struct klayer *l, const char *key, int n,
                       int64_t before[3], int64_t behind[3])
{
    const struct json_node *v = k_get(l, key);

    for (int i = 0; i < n; i++) {
        const struct json_node *pair =
            json_is(v, JSON_ARRAY) ? json_at(v, (size_t)i) : v;
        if (n == 1 && json_is(v, JSON_ARRAY) &&
            !json_is(json_at(v, 0), JSON_ARRAY))
            pair = v; /* one dimension: [before, behind] */
        before[i] = json_is(pair, JSON_ARRAY) ? json_i64_or(json_at(pair, 0), 0)
                                              : json_i64_or(pair, 1);
        behind[i] = json_is(pair, JSON_ARRAY)
                        ? json_i64_or(json_at(pair, 1), before[i])
                        : before[i];
    }
}

bool k_zero_padding(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct shape shape = c->in->shape;
    int n = shape.rank - 2, from = first_spatial(l);
    int64_t before[3], behind[3], pads[2 * SHAPE_MAX_RANK] = {0};

    if (n < 1 || n > 3)
        return false;
    read_edges(l, "padding", n, before, behind);
    for (int i = 0; i < n; i++) {
        pads[from + i] = before[i];
        pads[shape.rank + from + i] = behind[i];
        if (shape.dim[from + i] >= 0)
            shape.dim[from + i] += before[i] + behind[i];
    }
    return k_give(c,
                  graph_op2(k->g, "Pad", c->in->name,
                            graph_i64s(k->g, pads, 2 * (size_t)shape.rank)),
                  &shape);
}

static bool slice(struct keras *k, struct kcall *c, int from, int n,
                  const int64_t *starts, const int64_t *ends,
                  const struct shape *shape)
{
    int64_t axes[3];

    for (int i = 0; i < n; i++)
        axes[i] = from + i;
    const char *in[] = {c->in->name, graph_i64s(k->g, starts, (size_t)n),
                        graph_i64s(k->g, ends, (size_t)n),
                        graph_i64s(k->g, axes, (size_t)n)};
    return k_give(c, graph_op(k->g, "Slice", in, 4), shape);
}

bool k_cropping(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct shape shape = c->in->shape;
    int n = shape.rank - 2, from = first_spatial(l);
    int64_t before[3], behind[3];

    if (n < 1 || n > 3)
        return false;
    read_edges(l, "cropping", n, before, behind);
    for (int i = 0; i < n; i++) {
        if (shape.dim[from + i] >= 0)
            shape.dim[from + i] -= before[i] + behind[i];
        behind[i] = behind[i] ? -behind[i] : INT64_MAX;
    }
    return slice(k, c, from, n, before, behind, &shape);
}

bool k_center_crop(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct shape shape = c->in->shape;
    int from = first_spatial(l);
    int64_t want[] = {k_int(l, "height", 1), k_int(l, "width", 1)};
    int64_t starts[2], ends[2];

    if (shape.rank != 4)
        return false;
    for (int i = 0; i < 2; i++) {
        int64_t have = shape.dim[from + i];
        if (have < want[i])
            return k_fail(k, l, ERR_UNSUPPORTED,
                          "an input of unknown or smaller size");
        starts[i] = (have - want[i]) / 2;
        ends[i] = starts[i] + want[i];
        shape.dim[from + i] = want[i];
    }
    return slice(k, c, from, 2, starts, ends, &shape);
}
