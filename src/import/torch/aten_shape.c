/* Operators that move elements and do not change them. */
#include <string.h>

#include "import/torch/aten.h"

static struct val *same(struct aten_call *c)
{
    return c->a[0];
}

static struct val *clone(struct aten_call *c)
{
    return give(c, ten_copy(c->t, arg_ten(c, 0)));
}

/* Sizes with at most one -1. */
static bool resolve(struct aten_call *c, struct shape *s, int64_t count)
{
    int64_t known = 1;
    int free = -1;

    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] == -1 && free < 0)
            free = i;
        else if (s->dim[i] < 0 ||
                 __builtin_mul_overflow(known, s->dim[i], &known)) {
            (void)aten_fail(c, "a size is negative or too large");
            return false;
        }
    }
    if (free < 0)
        return true;
    if (known == 0 || count % known) {
        (void)aten_fail(c, "%lld elements do not divide by %lld",
                        (long long)count, (long long)known);
        return false;
    }
    s->dim[free] = count / known;
    return true;
}

static struct val *view(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct shape s = {0};
    enum dtype type;

    if (c->a[1] && c->a[1]->kind == VAL_SPACE &&
        (type = aten_type(c->a[1])) != DTYPE_NONE)
        return aten_fail(c, "views as another element type are not known");
    s.rank = (int)arg_ints(c, 1, s.dim, SHAPE_MAX_RANK);
    if (!resolve(c, &s, ten_count(x)))
        return NULL;
    return give(c, ten_reshape(c->t, x, &s));
}

static struct val *view_as(struct aten_call *c)
{
    return give(c, ten_reshape(c->t, arg_ten(c, 0), &arg_ten(c, 1)->shape));
}

static struct val *flatten(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int from = arg_dim(c, 1, x->shape.rank), to = arg_dim(c, 2, x->shape.rank);
    struct shape s = {0};
    int64_t together = 1;

    if (x->shape.rank == 0) {
        s = (struct shape){1, {1}};
        return give(c, ten_reshape(c->t, x, &s));
    }
    for (int i = 0; i < x->shape.rank; i++) {
        if (i >= from && i <= to)
            together *= x->shape.dim[i];
        if (i < from || i >= to)
            s.dim[s.rank++] = i == to ? together : x->shape.dim[i];
    }
    return give(c, ten_reshape(c->t, x, &s));
}

static struct val *unflatten(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int dim = arg_dim(c, 1, x->shape.rank);
    struct shape part = {0}, s = {0};

    part.rank = (int)arg_ints(c, 2, part.dim, 8);
    if (x->shape.rank + part.rank > SHAPE_MAX_RANK ||
        !resolve(c, &part, x->shape.dim[dim]))
        return NULL;
    for (int i = 0; i < x->shape.rank; i++) {
        if (i != dim) {
            s.dim[s.rank++] = x->shape.dim[i];
            continue;
        }
        for (int k = 0; k < part.rank; k++)
            s.dim[s.rank++] = part.dim[k];
    }
    return give(c, ten_reshape(c->t, x, &s));
}

static struct val *squeeze(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t dims[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, dims, SHAPE_MAX_RANK);
    struct shape s = {0};

    for (int i = 0; i < x->shape.rank; i++) {
        bool asked = n == 0 && arg_none(c, 1);
        for (size_t k = 0; k < n; k++)
            asked = asked || dim_of(c, dims[k], x->shape.rank) == i;
        if (x->shape.dim[i] != 1 || !asked)
            s.dim[s.rank++] = x->shape.dim[i];
    }
    return give(c, ten_reshape(c->t, x, &s));
}

static struct val *unsqueeze(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c, op_unsqueeze(c, x, arg_dim(c, 1, x->shape.rank + 1)));
}

static struct val *transpose(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c, op_swap(c, x, arg_dim(c, 1, x->shape.rank),
                           arg_dim(c, 2, x->shape.rank)));
}

/* x.t() and x.T */
static struct val *matrix_t(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t perm[SHAPE_MAX_RANK] = {0};
    bool last = strcmp(c->op->name, "mT") == 0;

    if (last)
        return give(c, op_swap(c, x, dim_of(c, -2, x->shape.rank),
                               dim_of(c, -1, x->shape.rank)));
    for (int i = 0; i < x->shape.rank; i++)
        perm[i] = x->shape.rank - 1 - i;
    return give(c, ten_transpose(c->t, x, perm));
}

static struct val *permute(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t perm[SHAPE_MAX_RANK] = {0};
    uint32_t seen = 0;
    size_t n = arg_ints(c, 1, perm, SHAPE_MAX_RANK);

    for (size_t i = 0; i < n; i++) {
        perm[i] = dim_of(c, perm[i], x->shape.rank);
        seen |= 1U << perm[i];
    }
    if (n != (size_t)x->shape.rank || seen != (1U << n) - 1)
        return aten_fail(c, "every dimension must be named once");
    return give(c, ten_transpose(c->t, x, perm));
}

static struct val *movedim(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t from[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK], perm[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, from, SHAPE_MAX_RANK);
    bool used[SHAPE_MAX_RANK] = {false};
    int next = 0;

    if (n != arg_ints(c, 2, to, SHAPE_MAX_RANK))
        return aten_fail(c, "as many sources as destinations are needed");
    for (int i = 0; i < x->shape.rank; i++)
        perm[i] = -1;
    for (size_t i = 0; i < n; i++) {
        int source = dim_of(c, from[i], x->shape.rank);
        perm[dim_of(c, to[i], x->shape.rank)] = source;
        used[source] = true;
    }
    for (int i = 0; i < x->shape.rank; i++) {
        if (perm[i] >= 0)
            continue;
        while (next < x->shape.rank && used[next])
            next++;
        perm[i] = next < x->shape.rank ? next++ : 0;
    }
    return give(c, ten_transpose(c->t, x, perm));
}

static struct val *expand(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    struct shape s = {0};

    s.rank = (int)arg_ints(c, 1, s.dim, SHAPE_MAX_RANK);
    for (int i = 0; i < s.rank; i++) {
        int k = i - (s.rank - x->shape.rank);
        if (s.dim[i] == -1)
            s.dim[i] = k >= 0 ? x->shape.dim[k] : -1;
        if (s.dim[i] < 0 ||
            (k >= 0 && x->shape.dim[k] != 1 && x->shape.dim[k] != s.dim[i]))
            return aten_fail(c, "dimension %d cannot be expanded", i);
    }
    if (s.rank < x->shape.rank)
        return aten_fail(c, "there are fewer sizes than dimensions");
    return give(c, ten_expand(c->t, x, &s));
}

static struct val *expand_as(struct aten_call *c)
{
    return give(c, ten_expand(c->t, arg_ten(c, 0), &arg_ten(c, 1)->shape));
}

static struct val *repeat(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t times[SHAPE_MAX_RANK];
    size_t n = arg_ints(c, 1, times, SHAPE_MAX_RANK);
    struct shape s = x->shape;

    if (strcmp(c->op->name, "tile") == 0)
        while (n < (size_t)s.rank) {
            memmove(times + 1, times, n * sizeof(*times));
            times[0] = 1;
            n++;
        }
    if (n < (size_t)s.rank)
        return aten_fail(c, "there are fewer sizes than dimensions");
    for (; (size_t)s.rank < n; s.rank++) {
        memmove(s.dim + 1, s.dim, (size_t)s.rank * sizeof(*s.dim));
        s.dim[0] = 1;
    }
    x = ten_reshape(c->t, x, &s);
    for (int i = 0; i < s.rank; i++) {
        if (times[i] < 0)
            return aten_fail(c, "a count is negative");
        s.dim[i] *= times[i];
    }
    return give_node(
        c,
        graph_op2(c->g, "Tile", ten_name(c->t, x), graph_i64s(c->g, times, n)),
        x->type, &s);
}

static struct val *repeat_interleave(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t times = arg_int(c, 1);
    int dim = 0;
    struct shape s;

    if (arg_none(c, 2)) {
        s = (struct shape){1, {ten_count(x)}};
        x = ten_reshape(c->t, x, &s);
    } else {
        dim = arg_dim(c, 2, x->shape.rank);
    }
    struct ten *y = op_unsqueeze(c, x, dim + 1);
    s = y->shape;
    s.dim[dim + 1] = times;
    y = ten_expand(c->t, y, &s);
    s = x->shape;
    s.dim[dim] *= times;
    return give(c, ten_reshape(c->t, y, &s));
}

/* to(dtype), to(device, dtype), to(other), with names or by place. */
static struct val *to(struct aten_call *c)
{
    static const size_t places[] = {1, 2, 6, 8};
    struct ten *x = arg_ten(c, 0);
    enum dtype type = x->type;

    for (size_t k = 0; k < COUNT(places); k++) {
        size_t i = places[k];
        struct ten *other = c->a[i] ? ten_of(c->a[i]) : NULL;
        if (other)
            type = other->type;
        else if (!arg_none(c, i) && c->a[i]->kind != VAL_BOOL &&
                 aten_type(c->a[i]) != DTYPE_NONE)
            type = aten_type(c->a[i]);
    }
    struct ten *y = ten_cast(c->t, x, type);
    return y == x ? c->a[0] : give(c, y);
}

static struct val *to_type(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0),
               *y = ten_cast(c->t, x, arg_type(c, 1, x->type));

    return y == x ? c->a[0] : give(c, y);
}

static struct val *type_method(struct aten_call *c)
{
    static const struct {
        const char *name;
        enum dtype type;
    } table[] = {{"float", DTYPE_F32}, {"double", DTYPE_F64},
                 {"half", DTYPE_F16},  {"bfloat16", DTYPE_BF16},
                 {"long", DTYPE_I64},  {"int", DTYPE_I32},
                 {"short", DTYPE_I16}, {"bool", DTYPE_BOOL},
                 {"byte", DTYPE_U8},   {"char", DTYPE_I8}};
    struct ten *x = arg_ten(c, 0);

    for (size_t i = 0; i < COUNT(table); i++)
        if (strcmp(c->op->name, table[i].name) == 0) {
            struct ten *y = ten_cast(c->t, x, table[i].type);
            return y == x ? c->a[0] : give(c, y);
        }
    return NULL;
}

static struct val *type_as(struct aten_call *c)
{
    return give(c, ten_cast(c->t, arg_ten(c, 0), arg_ten(c, 1)->type));
}

static struct val *meshgrid(struct aten_call *c)
{
    size_t n;
    struct ten **list = arg_tens(c, 0, &n);
    bool xy = str_eq(arg_str(c, 1), STR("xy"));
    struct val *out = py_list(c->py, VAL_TUPLE, n);
    struct shape s = {(int)n, {0}};

    if (!list || n > 8)
        return aten_fail(c, "too many tensors");
    for (size_t i = 0; i < n; i++)
        s.dim[xy && i < 2 && n > 1 ? 1 - i : i] = ten_count(list[i]);
    for (size_t i = 0; i < n; i++) {
        size_t place = xy && i < 2 && n > 1 ? 1 - i : i;
        struct shape one = {(int)n, {0}};
        for (size_t k = 0; k < n; k++)
            one.dim[k] = k == place ? s.dim[k] : 1;
        if (!py_append(
                c->py, out,
                give(c,
                     ten_expand(c->t, ten_reshape(c->t, list[i], &one), &s))))
            return NULL;
    }
    return out;
}

const struct aten aten_shape[] = {
    {"view", "self, size", view, NULL},
    {"reshape", "self, shape", view, NULL},
    {"_unsafe_view", "self, size", view, NULL},
    {"_reshape_alias", "self, size, stride=None", view, NULL},
    {"view_as", "self, other", view_as, NULL},
    {"reshape_as", "self, other", view_as, NULL},
    {"flatten", "self, start_dim=0, end_dim=-1", flatten, NULL},
    {"unflatten", "self, dim, sizes", unflatten, NULL},
    {"squeeze", "self, dim=None", squeeze, NULL},
    {"unsqueeze", "self, dim", unsqueeze, NULL},
    {"transpose", "self, dim0, dim1", transpose, NULL},
    {"swapaxes", "self, axis0, axis1", transpose, NULL},
    {"swapdims", "self, dim0, dim1", transpose, NULL},
    {"t", "self", matrix_t, NULL},
    {"numpy_T", "self", matrix_t, NULL},
    {"T", "self", matrix_t, NULL},
    {"mT", "self", matrix_t, NULL},
    {"permute", "self, dims", permute, NULL},
    {"movedim", "self, source, destination", movedim, NULL},
    {"moveaxis", "self, source, destination", movedim, NULL},
    {"expand", "self, size, implicit=False", expand, NULL},
    {"broadcast_to", "self, size", expand, NULL},
    {"expand_as", "self, other", expand_as, NULL},
    {"repeat", "self, repeats", repeat, NULL},
    {"tile", "self, dims", repeat, NULL},
    {"repeat_interleave", "self, repeats, dim=None, output_size=None",
     repeat_interleave, NULL},
    {"contiguous", "self, memory_format=None", same, NULL},
    {"clone", "self, memory_format=None", clone, NULL},
    {"alias", "self", same, NULL},
    {"lift_fresh_copy", "self", clone, NULL},
    {"lift_fresh", "self", same, NULL},
    {"detach", "self", same, NULL},
    {"requires_grad_", "self, requires_grad=True", same, NULL},
    {"cuda", "self, device=None", same, NULL},
    {"cpu", "self", same, NULL},
    {"to",
     "self, a=None, b=None, non_blocking=False, copy=False, "
     "memory_format=None, dtype=None, device=None, other=None, "
     "layout=None, pin_memory=None",
     to, NULL},
    {"_to_copy",
     "self, dtype=None, layout=None, device=None, "
     "pin_memory=None, non_blocking=False, memory_format=None",
     to_type, NULL},
    {"type", "self, dtype=None, non_blocking=False", to_type, NULL},
    {"type_as", "self, other", type_as, NULL},
    {"float", "self", type_method, NULL},
    {"double", "self", type_method, NULL},
    {"half", "self", type_method, NULL},
    {"bfloat16", "self", type_method, NULL},
    {"long", "self", type_method, NULL},
    {"int", "self", type_method, NULL},
    {"short", "self", type_method, NULL},
    {"bool", "self", type_method, NULL},
    {"byte", "self", type_method, NULL},
    {"char", "self", type_method, NULL},
    {"mesh_of", "tensors, indexing=None", meshgrid, NULL},
    {NULL, NULL, NULL, NULL},
};
