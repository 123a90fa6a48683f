/* Layers that are mostly arithmetic or bookkeeping. */
#include <string.h>

#include "import/keras/keras_internal.h"

bool k_same(struct kcall *c, const char *name)
{
    if (!name)
        return false;
    c->out[0] = c->in[0];
    c->out[0].name = name;
    c->n_out = 1;
    return true;
}

bool k_give(struct kcall *c, const char *name, const struct shape *shape)
{
    if (!name)
        return false;
    c->out[0] =
        (struct kvalue){.name = name, .type = c->in[0].type, .shape = *shape};
    c->n_out = 1;
    return true;
}

/* Weights of other types than float32 are turned into it. */
static const struct tensor *as_f32(struct keras *k, const struct tensor *t,
                                   struct tensor *room)
{
    if (t->type == DTYPE_F32 && ((uintptr_t)t->data & 3) == 0)
        return t;
    float *out = graph_room(k->g, DTYPE_F32, &t->shape, room);
    if (!out)
        return t;
    for (size_t i = 0; i < t->count; i++) {
        double d;
        uint16_t h;
        switch ((int)t->type) {
        case DTYPE_F64:
            memcpy(&d, (const char *)t->data + i * 8, 8);
            out[i] = (float)d;
            break;
        case DTYPE_F16:
            memcpy(&h, (const char *)t->data + i * 2, 2);
            out[i] = dtype_f16_to_f32(h);
            break;
        default:
            memcpy(&out[i], (const char *)t->data + i * 4, 4);
        }
    }
    return room;
}

const float *k_floats(struct keras *k, const struct tensor *t)
{
    struct tensor room = {.data = NULL};
    const struct tensor *f = as_f32(k, t, &room);

    return f->type == DTYPE_F32 ? f->data : NULL;
}

const char *k_put(struct keras *k, const struct klayer *l,
                  const struct tensor *t)
{
    struct tensor room;

    return graph_weight(k->g, l->name, as_f32(k, t, &room));
}

const char *k_permuted(struct keras *k, const struct klayer *l,
                       const struct tensor *t, const int *order)
{
    struct tensor room, out;
    const struct tensor *in = as_f32(k, t, &room);
    struct shape shape = {.rank = t->shape.rank};
    size_t step[SHAPE_MAX_RANK], stride[SHAPE_MAX_RANK], n = 1;
    int64_t at[SHAPE_MAX_RANK] = {0};
    int rank = t->shape.rank;

    for (int i = rank; i-- > 0;) {
        stride[i] = n;
        n *= (size_t)t->shape.dim[i];
    }
    for (int i = 0; i < rank; i++) {
        shape.dim[i] = t->shape.dim[order[i]];
        step[i] = stride[order[i]];
    }
    float *to = graph_room(k->g, DTYPE_F32, &shape, &out);
    if (!to || rank == 0)
        return "";
    const float *from = in->data;
    size_t offset = 0;
    int64_t inner = shape.dim[rank - 1];
    for (size_t done = 0; done < out.count;) {
        for (int64_t i = 0; i < inner; i++)
            to[done + (size_t)i] = from[offset + (size_t)i * step[rank - 1]];
        done += (size_t)inner;
        for (int i = rank - 1; i-- > 0;) {
            offset += step[i];
            if (++at[i] < shape.dim[i])
                break;
            offset -= step[i] * (size_t)shape.dim[i];
            at[i] = 0;
        }
    }
    return graph_weight(k->g, l->name, &out);
}

const char *k_to_first(struct keras *k, const char *x, int rank)
{
    int64_t order[SHAPE_MAX_RANK] = {0, rank - 1};

    for (int i = 2; i < rank; i++)
        order[i] = i - 1;
    return graph_transpose(k->g, x, order, (size_t)rank);
}

const char *k_to_last(struct keras *k, const char *x, int rank)
{
    int64_t order[SHAPE_MAX_RANK] = {0};

    for (int i = 1; i < rank - 1; i++)
        order[i] = i + 1;
    order[rank - 1] = 1;
    return graph_transpose(k->g, x, order, (size_t)rank);
}

bool k_identity(struct keras *k, struct klayer *l, struct kcall *c)
{
    (void)k;
    (void)l;
    return k_same(c, c->in->name);
}

/* A value of whole numbers becomes float where arithmetic follows. */
static const char *as_float(struct keras *k, const struct kvalue *v)
{
    return v->type == DTYPE_F32 ? v->name
                                : graph_cast(k->g, v->name, DTYPE_F32);
}

bool k_dense(struct keras *k, struct klayer *l, struct kcall *c)
{
    const struct tensor *kernel = k_weight(k, l, 0, 2);
    struct shape shape = c->in->shape;

    if (!kernel)
        return false;
    if (shape.rank < 2)
        return false;
    int64_t *last = &shape.dim[shape.rank - 1];
    if (*last >= 0 && *last != kernel->shape.dim[0])
        return k_fail(k, l, ERR_INVALID,
                      "the kernel takes %lld features, the input has %lld",
                      (long long)kernel->shape.dim[0], (long long)*last);
    *last = kernel->shape.dim[1];
    const char *y =
        graph_op2(k->g, "MatMul", as_float(k, c->in), k_put(k, l, kernel));
    if (l->n_weights > 1)
        y = graph_op2(k->g, "Add", y, k_put(k, l, &l->weights[1]));
    y = k_activation(k, l, k_get(l, "activation"), y);
    c->out[0].mask = NULL;
    if (!k_give(c, y, &shape))
        return false;
    c->out[0].type = DTYPE_F32;
    c->out[0].mask = c->in->mask;
    return true;
}

/* output_shape of the layer's configuration, without the batch. */
static void einsum_shape(const struct klayer *l, const struct shape *in,
                         struct shape *out)
{
    const struct json_node *v = k_get(l, "output_shape");

    *out = (struct shape){.rank = 1, .dim = {-1}};
    if (json_is(v, JSON_NUMBER))
        out->dim[out->rank++] = json_i64_or(v, -1);
    for (v = json_is(v, JSON_ARRAY) ? v->first : NULL;
         v && out->rank < SHAPE_MAX_RANK; v = v->next)
        out->dim[out->rank++] = json_i64_or(v, -1);
    for (int i = 1; i < out->rank && i < in->rank; i++)
        if (out->dim[i] < 0)
            out->dim[i] = in->dim[i];
}

bool k_einsum_dense(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct str equation = json_str_or(k_get(l, "equation"), "");
    const struct json_node *axes = k_get(l, "bias_axes");
    struct shape shape;

    if (l->n_weights < 1 || equation.n == 0)
        return k_fail(k, l, ERR_INVALID, "its equation or weight is missing");
    const char *in[] = {as_float(k, c->in), k_put(k, l, &l->weights[0])};
    struct graph_node *n = graph_node(k->g, "Einsum", in, 2, 1);
    attr_string(k->g, n, "equation", arena_cstr(k->arena, equation));
    const char *y = n->out[0];
    if (l->n_weights > 1 && axes)
        y = graph_op2(k->g, "Add", y, k_put(k, l, &l->weights[1]));
    einsum_shape(l, &c->in->shape, &shape);
    return k_give(c, k_activation(k, l, k_get(l, "activation"), y), &shape);
}

/* The product of the dimensions from `from` on, or -1. */
static int64_t product(const struct shape *s, int from)
{
    int64_t n = 1;

    for (int i = from; i < s->rank; i++) {
        if (s->dim[i] < 0 || (s->dim[i] && n > (INT64_C(1) << 40) / s->dim[i]))
            return -1;
        n *= s->dim[i];
    }
    return n;
}

bool k_flatten(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct shape shape = {2, {-1, product(&c->in->shape, 1)}};
    const char *x = c->in->name;

    if (k_channels_first(l) && c->in->shape.rank > 2)
        x = k_to_last(k, x, c->in->shape.rank);
    struct graph_node *n = graph_node(k->g, "Flatten", &x, 1, 1);
    attr_int(k->g, n, "axis", 1);
    return k_give(c, n->out[0], &shape);
}

bool k_reshape(struct keras *k, struct klayer *l, struct kcall *c)
{
    const struct json_node *target = k_get(l, "target_shape");
    struct shape shape = {.rank = 1, .dim = {-1}};
    int64_t to[SHAPE_MAX_RANK] = {0}, all = product(&c->in->shape, 1);
    int free_at = -1;

    if (!json_is(target, JSON_ARRAY) || target->n + 1 > SHAPE_MAX_RANK)
        return k_fail(k, l, ERR_INVALID, "its target_shape is missing");
    for (const struct json_node *d = target->first; d; d = d->next) {
        int64_t v = json_i64_or(d, -1);
        if (v < 0)
            free_at = shape.rank;
        to[shape.rank] = v;
        shape.dim[shape.rank++] = v;
    }
    if (free_at >= 0 && all >= 0) {
        int64_t others = 1;
        for (int i = 1; i < shape.rank; i++)
            others *= i == free_at || shape.dim[i] <= 0 ? 1 : shape.dim[i];
        shape.dim[free_at] = all / others;
    }
    const char *y = graph_reshape(k->g, c->in->name, to, (size_t)shape.rank);
    return k_give(c, y, &shape);
}

bool k_permute(struct keras *k, struct klayer *l, struct kcall *c)
{
    int64_t order[SHAPE_MAX_RANK] = {0};
    int rank = c->in->shape.rank;
    struct shape shape = c->in->shape;

    k_ints(l, "dims", order + 1, (size_t)rank - 1, 0);
    for (int i = 1; i < rank; i++) {
        if (order[i] < 1 || order[i] >= rank)
            return k_fail(k, l, ERR_INVALID, "its dims do not fit the input");
        shape.dim[i] = c->in->shape.dim[order[i]];
    }
    return k_give(c, graph_transpose(k->g, c->in->name, order, (size_t)rank),
                  &shape);
}

bool k_repeat_vector(struct keras *k, struct klayer *l, struct kcall *c)
{
    int64_t n = k_int(l, "n", 1), repeats[] = {1, n, 1}, axis = 1;
    struct shape shape = {3, {-1, n, c->in->shape.dim[1]}};

    if (c->in->shape.rank != 2)
        return false;
    const char *x =
        graph_op2(k->g, "Unsqueeze", c->in->name, graph_i64s(k->g, &axis, 1));
    return k_give(c, graph_op2(k->g, "Tile", x, graph_i64s(k->g, repeats, 3)),
                  &shape);
}

bool k_embedding(struct keras *k, struct klayer *l, struct kcall *c)
{
    const struct tensor *table = k_weight(k, l, 0, 2);
    struct shape shape = c->in->shape;

    if (!table || shape.rank + 1 > SHAPE_MAX_RANK)
        return false;
    const char *ids = graph_cast(k->g, c->in->name, DTYPE_I64);
    shape.dim[shape.rank++] = table->shape.dim[1];
    if (!k_give(c, graph_op2(k->g, "Gather", k_put(k, l, table), ids), &shape))
        return false;
    c->out[0].type = DTYPE_F32;
    if (k_bool(l, "mask_zero", false)) {
        int64_t zero = 0;
        const char *none =
            graph_op2(k->g, "Equal", ids, graph_i64s(k->g, &zero, 1));
        c->out[0].mask = graph_op1(k->g, "Not", none);
    }
    return true;
}

/* A step counts if any feature differs from the mask value; those that do not
 * are zero from here on. */
bool k_masking(struct keras *k, struct klayer *l, struct kcall *c)
{
    struct graph *g = k->g;
    const char *value = graph_f32(g, k_num(l, "mask_value", 0));
    int64_t last = c->in->shape.rank - 1;

    if (c->in->shape.rank != 3)
        return false;
    const char *same = graph_op2(g, "Equal", c->in->name, value);
    const char *differs = graph_cast(g, graph_op1(g, "Not", same), DTYPE_F32);
    struct graph_node *any = graph_node(g, "ReduceMax", &differs, 1, 1);
    attr_ints(g, any, "axes", &last, 1);
    attr_int(g, any, "keepdims", 1);
    if (!k_same(c, graph_op2(g, "Mul", c->in->name, any->out[0])))
        return false;
    const char *flat =
        graph_op2(g, "Squeeze", any->out[0], graph_i64s(g, &last, 1));
    c->out[0].mask = graph_cast(g, flat, DTYPE_BOOL);
    return true;
}

bool k_rescaling(struct keras *k, struct klayer *l, struct kcall *c)
{
    const struct json_node *scale = k_get(l, "scale");
    const struct json_node *offset = k_get(l, "offset");

    if (json_is(scale, JSON_ARRAY) || json_is(offset, JSON_ARRAY))
        return k_fail(k, l, ERR_UNSUPPORTED, "a scale for each channel");
    const char *y = graph_op2(k->g, "Mul", as_float(k, c->in),
                              graph_f32(k->g, json_f64_or(scale, 1)));
    if (json_f64_or(offset, 0) != 0)
        y = graph_op2(k->g, "Add", y, graph_f32(k->g, json_f64_or(offset, 0)));
    if (!k_same(c, y))
        return false;
    c->out[0].type = DTYPE_F32;
    return true;
}
