/* Arithmetic and comparison of two tensors, or of a tensor and a number. */
#include <math.h>
#include <string.h>

#include "import/torch/aten.h"

/* 0: bool, 1: whole, 2: floating point. */
static int category(enum dtype t)
{
    return t == DTYPE_BOOL ? 0 : dtype_is_float(t) ? 2 : 1;
}

static enum dtype wider(enum dtype a, enum dtype b)
{
    if (a == b)
        return a;
    if (category(a) != category(b))
        return category(a) > category(b) ? a : b;
    if (category(a) == 2) {
        if (a == DTYPE_F64 || b == DTYPE_F64)
            return DTYPE_F64;
        return DTYPE_F32; /* float with half, half with bfloat16 */
    }
    if (dtype_size(a) != dtype_size(b))
        return dtype_size(a) > dtype_size(b) ? a : b;
    return DTYPE_I16; /* int8 with uint8 */
}

/* torch.result_type: tensors without dimensions count only when they are of a
 * higher category. */
enum dtype promote(const struct ten *x, const struct ten *y)
{
    bool scalar_x = x->shape.rank == 0, scalar_y = y->shape.rank == 0;

    if (scalar_x == scalar_y)
        return wider(x->type, y->type);
    const struct ten *whole = scalar_x ? y : x, *scalar = scalar_x ? x : y;
    return category(scalar->type) > category(whole->type)
               ? (category(scalar->type) == 2 ? DTYPE_F32 : scalar->type)
               : whole->type;
}

static bool fold_f64(const char *onnx, double a, double b, double *out)
{
    if (strcmp(onnx, "Add") == 0)
        *out = a + b;
    else if (strcmp(onnx, "Sub") == 0)
        *out = a - b;
    else if (strcmp(onnx, "Mul") == 0)
        *out = a * b;
    else if (strcmp(onnx, "Div") == 0)
        *out = a / b;
    else if (strcmp(onnx, "Pow") == 0)
        *out = pow(a, b);
    else if (strcmp(onnx, "Max") == 0)
        *out = a > b ? a : b;
    else if (strcmp(onnx, "Min") == 0)
        *out = a < b ? a : b;
    else if (strcmp(onnx, "Equal") == 0)
        *out = a == b;
    else if (strcmp(onnx, "Less") == 0)
        *out = a < b;
    else if (strcmp(onnx, "LessOrEqual") == 0)
        *out = a <= b;
    else if (strcmp(onnx, "Greater") == 0)
        *out = a > b;
    else if (strcmp(onnx, "GreaterOrEqual") == 0)
        *out = a >= b;
    else if (strcmp(onnx, "And") == 0)
        *out = a != 0 && b != 0;
    else if (strcmp(onnx, "Or") == 0)
        *out = a != 0 || b != 0;
    else if (strcmp(onnx, "Xor") == 0)
        *out = (a != 0) != (b != 0);
    else
        return false;
    return true;
}

static bool fold_i64(const char *onnx, int64_t a, int64_t b, int64_t *out)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b;

    if (strcmp(onnx, "Add") == 0)
        *out = (int64_t)(x + y);
    else if (strcmp(onnx, "Sub") == 0)
        *out = (int64_t)(x - y);
    else if (strcmp(onnx, "Mul") == 0)
        *out = (int64_t)(x * y);
    else if (strcmp(onnx, "Div") == 0 && b != 0 && b != -1)
        *out = a / b;
    else
        return false;
    return true;
}

static bool is_comparison(const char *onnx)
{
    static const char *const names[] = {"Equal", "Less", "LessOrEqual",
                                        "Greater", "GreaterOrEqual"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(onnx, names[i]) == 0)
            return true;
    return false;
}

/* The place in x of element i of the broadcast shape. */
static size_t place(const struct ten *x, const struct shape *s, size_t i)
{
    size_t at = 0, stride = 1;

    for (int d = s->rank; d-- > 0;) {
        int k = d - (s->rank - x->shape.rank);
        size_t here = i % (size_t)s->dim[d];
        i /= (size_t)s->dim[d];
        if (k < 0)
            continue;
        if (x->shape.dim[k] != 1)
            at += here * stride;
        stride *= (size_t)x->shape.dim[k];
    }
    return at;
}

static struct ten *fold2(struct aten_call *c, const char *onnx, struct ten *x,
                         struct ten *y, const struct shape *s)
{
    enum dtype type = is_comparison(onnx) ? DTYPE_BOOL : x->type;
    struct ten probe = {.shape = *s}, *out;
    double v;
    int64_t whole;
    void *data;

    if (!ten_foldable(x) || !ten_foldable(y) ||
        ten_count(&probe) > TEN_FOLD_MAX || !fold_f64(onnx, 1, 1, &v))
        return NULL;
    out = ten_room(c->t, type, s, &data);
    for (size_t i = 0; data && i < (size_t)ten_count(&probe); i++) {
        size_t a = place(x, s, i), b = place(y, s, i);
        if (category(x->type) == 1 &&
            fold_i64(onnx, ten_i64(x, a), ten_i64(y, b), &whole))
            ten_put_i64(data, type, i, whole);
        else if (fold_f64(onnx, ten_f64(x, a), ten_f64(y, b), &v))
            ten_put(data, type, i, v);
    }
    return out;
}

struct ten *op2(struct aten_call *c, const char *onnx, struct ten *x,
                struct ten *y)
{
    enum dtype type = promote(x, y);
    struct shape s;

    ten_sync(c->t, x);
    ten_sync(c->t, y);
    if (!shape_broadcast(&x->shape, &y->shape, &s)) {
        struct buf b;
        buf_init(&b, 400);
        shape_format(&b, &x->shape, NULL);
        buf_puts(&b, " and ");
        shape_format(&b, &y->shape, NULL);
        (void)aten_fail(c, "shapes %.*s do not fit together", (int)b.n, b.p);
        buf_fini(&b);
        return x;
    }
    x = ten_cast(c->t, x, type);
    y = ten_cast(c->t, y, type);
    if (x->meta || y->meta) {
        struct ten *m = ten_new(c->t, type, &s);
        m->meta = true;
        return m;
    }
    struct ten *folded = fold2(c, onnx, x, y, &s);
    if (folded)
        return folded;
    return ten_node(c->t,
                    graph_op2(c->g, onnx, ten_name(c->t, x), ten_name(c->t, y)),
                    is_comparison(onnx) ? DTYPE_BOOL : type, &s);
}

/* Numbers take the type of the tensor unless they are of a higher category;
 * without dimensions that is what promote() gives. */
static struct val *arithmetic(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten(c, 1);

    if (x->type == DTYPE_BOOL && y->type == DTYPE_BOOL &&
        strcmp(c->op->onnx, "Add") == 0)
        return give(c, op2(c, "Or", x, y));
    if (x->type == DTYPE_BOOL && y->type == DTYPE_BOOL &&
        strcmp(c->op->onnx, "Mul") == 0)
        return give(c, op2(c, "And", x, y));
    if (!arg_none(c, 2) && arg_float(c, 2) != 1)
        y = op2(c, "Mul", y, arg_ten(c, 2));
    return give(c, op2(c, c->op->onnx, x, y));
}

static struct val *rsub(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    if (arg_float(c, 2) != 1)
        x = op2(c, "Mul", x, arg_ten(c, 2));
    return give(c, op2(c, "Sub", arg_ten(c, 1), x));
}

static struct ten *floored(struct aten_call *c, struct ten *x, struct ten *y)
{
    enum dtype type = promote(x, y);
    struct ten *q;

    x = ten_cast(c->t, x, type);
    y = ten_cast(c->t, y, type);
    if (dtype_is_float(type))
        return op1(c, "Floor", op2(c, "Div", x, y));
    if (ten_foldable(x) && ten_foldable(y) && ten_count(x) == 1 &&
        ten_count(y) == 1 && ten_i64(y, 0) != 0) {
        q = ten_scalar(c->t, type,
                       floor((double)ten_i64(x, 0) / (double)ten_i64(y, 0)));
        return q->shape.rank == x->shape.rank ? q
                                              : ten_reshape(c->t, q, &x->shape);
    }
    q = op2(c, "Div", ten_cast(c->t, x, DTYPE_F64),
            ten_cast(c->t, y, DTYPE_F64));
    return ten_cast(c->t, op1(c, "Floor", q), type);
}

static struct val *division(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten(c, 1);
    struct str mode = arg_str(c, 2);

    if (str_eq(mode, STR("floor")))
        return give(c, floored(c, x, y));
    if (str_eq(mode, STR("trunc"))) {
        enum dtype type = promote(x, y);
        if (!dtype_is_float(type))
            return give(c, op2(c, "Div", x, y));
        struct ten *q = op2(c, "Div", x, y);
        struct ten *low = op1(c, "Floor", op1(c, "Abs", q));
        return give(c, op2(c, "Mul", low, op1(c, "Sign", q)));
    }
    if (!dtype_is_float(promote(x, y))) {
        x = ten_cast(c->t, x, DTYPE_F32);
        y = ten_cast(c->t, y, DTYPE_F32);
    }
    return give(c, op2(c, "Div", x, y));
}

static struct val *floor_divide(struct aten_call *c)
{
    return give(c, floored(c, arg_ten(c, 0), arg_ten(c, 1)));
}

/* x - floor(x / y) * y; with the sign of the dividend for fmod. */
static struct val *remainder_of(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten(c, 1);
    enum dtype type = promote(x, y);

    x = ten_cast(c->t, x, type);
    y = ten_cast(c->t, y, type);
    if (strcmp(c->op->onnx, "fmod") != 0)
        return give(c, op2(c, "Sub", x, op2(c, "Mul", floored(c, x, y), y)));
    const char *in[] = {ten_name(c->t, x), ten_name(c->t, y)};
    struct graph_node *node = graph_node(c->g, "Mod", in, 2, 1);
    struct shape s = x->shape;
    if (!shape_broadcast(&x->shape, &y->shape, &s))
        return aten_fail(c, "the shapes do not fit together");
    attr_int(c->g, node, "fmod", 1);
    return give_node(c, node->out[0], type, &s);
}

static struct val *power(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten(c, 1);
    enum dtype type = promote(x, y);

    if (ten_foldable(y) && ten_count(y) == 1 && ten_f64(y, 0) == 2)
        return give(
            c, op2(c, "Mul", ten_cast(c->t, x, type), ten_cast(c->t, x, type)));
    if (ten_foldable(y) && ten_count(y) == 1 && ten_f64(y, 0) == 0.5)
        return give(c, op1(c, "Sqrt", as_float(c, x)));
    return give(c, op2(c, "Pow", x, y));
}

static struct val *not_equal(struct aten_call *c)
{
    struct ten *same = op2(c, "Equal", arg_ten(c, 0), arg_ten(c, 1));
    struct val *v = give(c, same);

    return aten_invoke(c->py, "logical_not", 1, &v);
}

static struct val *logical(struct aten_call *c)
{
    struct ten *x = ten_cast(c->t, arg_ten(c, 0), DTYPE_BOOL);

    return give(
        c, op2(c, c->op->onnx, x, ten_cast(c->t, arg_ten(c, 1), DTYPE_BOOL)));
}

/* & | ^ of masks; of numbers only constants would be possible. */
static struct val *bitwise(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten(c, 1);

    if (x->type != DTYPE_BOOL || y->type != DTYPE_BOOL)
        return aten_fail(c, "only masks are known, not numbers");
    return give(c, op2(c, c->op->onnx, x, y));
}

struct ten *op_where(struct aten_call *c, struct ten *cond, struct ten *x,
                     struct ten *y)
{
    enum dtype type = promote(x, y);
    struct shape s;
    const char *in[3];

    x = ten_cast(c->t, x, type);
    y = ten_cast(c->t, y, type);
    cond = ten_cast(c->t, cond, DTYPE_BOOL);
    if (!shape_broadcast(&x->shape, &y->shape, &s) ||
        !shape_broadcast(&s, &cond->shape, &s)) {
        (void)aten_fail(c, "the shapes do not fit together");
        return x;
    }
    struct ten probe = {.shape = s};
    if (ten_foldable(x) && ten_foldable(y) && ten_foldable(cond) &&
        ten_count(&probe) <= TEN_FOLD_MAX) {
        void *data;
        struct ten *out = ten_room(c->t, type, &s, &data);
        for (size_t i = 0; data && i < (size_t)ten_count(&probe); i++) {
            const struct ten *from = ten_i64(cond, place(cond, &s, i)) ? x : y;
            ten_put(data, type, i, ten_f64(from, place(from, &s, i)));
        }
        return out;
    }
    in[0] = ten_name(c->t, cond);
    in[1] = ten_name(c->t, x);
    in[2] = ten_name(c->t, y);
    return ten_node(c->t, graph_op(c->g, "Where", in, 3), type, &s);
}

static struct val *where(struct aten_call *c)
{
    if (arg_none(c, 1))
        return aten_fail(c, "the places of a mask depend on the data");
    return give(c, op_where(c, arg_ten(c, 0), arg_ten(c, 1), arg_ten(c, 2)));
}

static struct val *masked_fill(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);

    return give(c, op_where(c, arg_ten(c, 1),
                            ten_cast(c->t, arg_ten(c, 2), x->type), x));
}

static struct val *lerp(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten(c, 1);

    return give(
        c, op2(c, "Add", x, op2(c, "Mul", op2(c, "Sub", y, x), arg_ten(c, 2))));
}

static struct val *addc(struct aten_call *c)
{
    struct ten *part = op2(c, c->op->onnx, arg_ten(c, 1), arg_ten(c, 2));

    if (arg_float(c, 3) != 1)
        part = op2(c, "Mul", part, arg_ten(c, 3));
    return give(c, op2(c, "Add", arg_ten(c, 0), part));
}

static struct val *atan2_of(struct aten_call *c)
{
    struct ten *y = arg_ten(c, 0), *x = arg_ten(c, 1);
    const double pi = 3.14159265358979323846;
    struct ten *zero = ten_scalar(c->t, x->type, 0);
    struct ten *base = op1(c, "Atan", op2(c, "Div", y, x));
    struct ten *side =
        op_where(c, op2(c, "Less", y, zero), ten_scalar(c->t, x->type, -pi),
                 ten_scalar(c->t, x->type, pi));

    return give(c, op_where(c, op2(c, "Less", x, zero),
                            op2(c, "Add", base, side), base));
}

#define XY "self, other"

const struct aten aten_binary[] = {
    {"add", "self, other, alpha=1", arithmetic, "Add"},
    {"sub", "self, other, alpha=1", arithmetic, "Sub"},
    {"subtract", "self, other, alpha=1", arithmetic, "Sub"},
    {"mul", XY, arithmetic, "Mul"},
    {"multiply", XY, arithmetic, "Mul"},
    {"rsub", "self, other, alpha=1", rsub, NULL},
    {"div", "self, other, rounding_mode=None", division, NULL},
    {"divide", "self, other, rounding_mode=None", division, NULL},
    {"true_divide", "self, other, rounding_mode=None", division, NULL},
    {"floor_divide", XY, floor_divide, NULL},
    {"remainder", XY, remainder_of, "floor"},
    {"fmod", XY, remainder_of, "fmod"},
    {"pow", "self, exponent", power, NULL},
    {"maximum", XY, arithmetic, "Max"},
    {"minimum", XY, arithmetic, "Min"},
    {"atan2", XY, atan2_of, NULL},
    {"eq", XY, arithmetic, "Equal"},
    {"ne", XY, not_equal, NULL},
    {"not_equal", XY, not_equal, NULL},
    {"lt", XY, arithmetic, "Less"},
    {"le", XY, arithmetic, "LessOrEqual"},
    {"gt", XY, arithmetic, "Greater"},
    {"ge", XY, arithmetic, "GreaterOrEqual"},
    {"logical_and", XY, logical, "And"},
    {"logical_or", XY, logical, "Or"},
    {"logical_xor", XY, logical, "Xor"},
    {"bitwise_and", XY, bitwise, "And"},
    {"bitwise_or", XY, bitwise, "Or"},
    {"bitwise_xor", XY, bitwise, "Xor"},
    {"__and__", XY, bitwise, "And"},
    {"__or__", XY, bitwise, "Or"},
    {"__xor__", XY, bitwise, "Xor"},
    {"where", "condition, self=None, other=None", where, NULL},
    {"masked_fill", "self, mask, value", masked_fill, NULL},
    {"lerp", "self, end, weight", lerp, NULL},
    {"addcmul", "self, tensor1, tensor2, value=1", addc, "Mul"},
    {"addcdiv", "self, tensor1, tensor2, value=1", addc, "Div"},
    {NULL, NULL, NULL, NULL},
};
