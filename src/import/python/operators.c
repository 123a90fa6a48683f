/* Operators on Python's own values; those of the host are handed to it. */
#include <math.h>
#include <string.h>

#include "import/python/eval_internal.h"

static const char *const op_texts[] = {
    [OP_ADD] = "+",     [OP_SUB] = "-",         [OP_MUL] = "*",
    [OP_MATMUL] = "@",  [OP_DIV] = "/",         [OP_FLOORDIV] = "//",
    [OP_MOD] = "%",     [OP_POW] = "**",        [OP_LSHIFT] = "<<",
    [OP_RSHIFT] = ">>", [OP_AND] = "&",         [OP_OR] = "|",
    [OP_XOR] = "^",     [OP_EQ] = "==",         [OP_NE] = "!=",
    [OP_LT] = "<",      [OP_LE] = "<=",         [OP_GT] = ">",
    [OP_GE] = ">=",     [OP_IS] = "is",         [OP_IS_NOT] = "is not",
    [OP_IN] = "in",     [OP_NOT_IN] = "not in",
};

struct val *py_no_operator(struct py *py, enum py_op op, const struct val *a,
                           const struct val *b)
{
    return py_fail(py, ERR_UNSUPPORTED, "'%s' between %s and %s is not known",
                   op_texts[op] ? op_texts[op] : "?", py_kind_name(a),
                   py_kind_name(b));
}

static struct val *overflow(struct py *py)
{
    return py_fail(py, ERR_LIMIT, "a whole number is beyond 64 bits");
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;

    return a % b && ((a < 0) != (b < 0)) ? q - 1 : q;
}

static struct val *int_pow(struct py *py, int64_t base, int64_t power)
{
    int64_t out = 1;

    if (power < 0)
        return base ? py_float(py, pow((double)base, (double)power))
                    : py_fail(py, ERR_INVALID, "division by zero");
    for (; power > 0; power--) {
        if (__builtin_mul_overflow(out, base, &out))
            return overflow(py);
        if (out == 0 || out == 1)
            break;
        if (out == -1 && base == -1)
            return py_int(py, power % 2 ? -1 : 1);
    }
    return py_int(py, out);
}

static struct val *int_binary(struct py *py, enum py_op op, int64_t a,
                              int64_t b)
{
    int64_t out = 0;
    bool bad = false;

    if ((op == OP_DIV || op == OP_FLOORDIV || op == OP_MOD) && b == 0)
        return py_fail(py, ERR_INVALID, "division by zero");
    if ((op == OP_LSHIFT || op == OP_RSHIFT) && (b < 0 || b > 62))
        return overflow(py);
    if ((op == OP_FLOORDIV || op == OP_MOD) && b == -1)
        return op == OP_MOD ? py_int(py, 0) : int_binary(py, OP_SUB, 0, a);
    if (op == OP_ADD)
        bad = __builtin_add_overflow(a, b, &out);
    else if (op == OP_SUB)
        bad = __builtin_sub_overflow(a, b, &out);
    else if (op == OP_MUL)
        bad = __builtin_mul_overflow(a, b, &out);
    else if (op == OP_LSHIFT)
        bad = __builtin_mul_overflow(a, INT64_C(1) << b, &out);
    else if (op == OP_RSHIFT)
        out = a >> b;
    else if (op == OP_AND)
        out = a & b;
    else if (op == OP_OR)
        out = a | b;
    else if (op == OP_XOR)
        out = a ^ b;
    else if (op == OP_FLOORDIV)
        out = floor_div(a, b);
    else if (op == OP_MOD)
        out = a - floor_div(a, b) * b;
    else if (op == OP_DIV)
        return py_float(py, (double)a / (double)b);
    else if (op == OP_POW)
        return int_pow(py, a, b);
    else
        return py_fail(py, ERR_UNSUPPORTED, "'%s' of numbers is not known",
                       op_texts[op]);
    return bad ? overflow(py) : py_int(py, out);
}

static struct val *float_binary(struct py *py, enum py_op op, double a,
                                double b)
{
    if ((op == OP_DIV || op == OP_FLOORDIV || op == OP_MOD) && b == 0)
        return py_fail(py, ERR_INVALID, "division by zero");
    if (op == OP_ADD)
        return py_float(py, a + b);
    if (op == OP_SUB)
        return py_float(py, a - b);
    if (op == OP_MUL)
        return py_float(py, a * b);
    if (op == OP_DIV)
        return py_float(py, a / b);
    if (op == OP_FLOORDIV)
        return py_float(py, floor(a / b));
    if (op == OP_MOD)
        return py_float(py, a - floor(a / b) * b);
    if (op == OP_POW)
        return py_float(py, pow(a, b));
    return py_fail(py, ERR_UNSUPPORTED, "'%s' of numbers is not known",
                   op_texts[op]);
}

static struct val *concat(struct py *py, struct val *a, struct val *b)
{
    struct val *out = py_list(py, a->kind, a->as.items.n + b->as.items.n);

    if (!out || !py_work(py, a->as.items.n + b->as.items.n))
        return NULL;
    for (size_t i = 0; i < a->as.items.n; i++)
        (void)py_append(py, out, a->as.items.v[i]);
    for (size_t i = 0; i < b->as.items.n; i++)
        (void)py_append(py, out, b->as.items.v[i]);
    return py->failed ? NULL : out;
}

static struct val *repeated(struct py *py, struct val *a, int64_t n)
{
    size_t times = n > 0 ? (size_t)n : 0;
    struct buf b;

    if (a->kind == VAL_STR) {
        if (!py_work(py, times))
            return NULL;
        buf_init(&b, 1 << 16);
        for (size_t i = 0; i < times && !b.failed; i++)
            buf_put(&b, a->as.text);
        return py_from_buf(py, &b);
    }
    if (times > 1000000 || !py_work(py, times * (a->as.items.n + 1)))
        return py_fail(py, ERR_LIMIT, "a list is too long");
    struct val *out = py_list(py, a->kind, times * a->as.items.n);
    for (size_t i = 0; out && i < times; i++)
        for (size_t k = 0; k < a->as.items.n; k++)
            if (!py_append(py, out, a->as.items.v[k]))
                return NULL;
    return out;
}

bool py_is_items(const struct val *v)
{
    return v->kind == VAL_LIST || v->kind == VAL_TUPLE;
}

static struct val *joined(struct py *py, struct str a, struct str b)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    buf_put(&out, a);
    buf_put(&out, b);
    return py_from_buf(py, &out);
}

/* "%d" and its kin: as much of it as names of layers use. */
static struct val *percent(struct py *py, struct str format, struct val *v)
{
    struct val **list = v->kind == VAL_TUPLE ? v->as.items.v : &v;
    size_t n = v->kind == VAL_TUPLE ? v->as.items.n : 1, used = 0;
    struct buf b;

    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < format.n; i++) {
        size_t from = i + 1;
        if (format.p[i] != '%') {
            buf_putc(&b, format.p[i]);
            continue;
        }
        while (++i < format.n && strchr("0123456789.-+ ", format.p[i]))
            ;
        if (i < format.n && format.p[i] == '%')
            buf_putc(&b, '%');
        else if (used < n && i < format.n)
            py_format(&b, list[used++], str_slice(format, from, i + 1));
    }
    return py_from_buf(py, &b);
}

struct val *py_special(struct py *py, const char *name, struct val *a,
                       struct val *b)
{
    struct val *method = a->kind == VAL_OBJECT
                             ? py_attr_or_null(py, a, str_from_cstr(name))
                             : NULL;

    return method ? py_call1(py, method, b) : NULL;
}

static struct val *object_binary(struct py *py, enum py_op op, struct val *a,
                                 struct val *b)
{
    static const struct {
        const char *left, *right;
    } names[] = {[OP_ADD] = {"__add__", "__radd__"},
                 [OP_SUB] = {"__sub__", "__rsub__"},
                 [OP_MUL] = {"__mul__", "__rmul__"},
                 [OP_DIV] = {"__truediv__", "__rtruediv__"},
                 [OP_MATMUL] = {"__matmul__", "__rmatmul__"},
                 [OP_FLOORDIV] = {"__floordiv__", "__rfloordiv__"},
                 [OP_MOD] = {"__mod__", "__rmod__"},
                 [OP_POW] = {"__pow__", "__rpow__"},
                 [OP_OR] = {"__or__", "__ror__"},
                 [OP_AND] = {"__and__", "__rand__"},
                 [OP_XOR] = {"__xor__", "__rxor__"}};

    if ((size_t)op >= COUNT(names) || !names[op].left)
        return NULL;
    struct val *out = py_special(py, names[op].left, a, b);
    return out || py->failed ? out : py_special(py, names[op].right, b, a);
}

/* Annotations such as "int | None" are only passed by. */
static bool is_type(const struct val *v)
{
    return v->kind == VAL_CLASS || v->kind == VAL_SPACE ||
           v->kind == VAL_NONE || v->kind == VAL_BUILTIN;
}

static struct val *of_sets(struct py *py, enum py_op op, struct val *a,
                           struct val *b)
{
    struct val *out = py_list(py, VAL_SET, a->as.items.n);
    bool both = op == OP_AND, without = op == OP_SUB || op == OP_XOR;

    if (op != OP_OR && !both && !without)
        return py_no_operator(py, op, a, b);
    for (size_t i = 0; out && i < a->as.items.n; i++) {
        bool in = py_contains(py, b, a->as.items.v[i]) == &py->yes;
        if ((op == OP_OR || in == both) &&
            !py_append(py, out, a->as.items.v[i]))
            return NULL;
    }
    for (size_t i = 0;
         out && (op == OP_OR || op == OP_XOR) && i < b->as.items.n; i++)
        if (py_contains(py, a, b->as.items.v[i]) == &py->no &&
            !py_append(py, out, b->as.items.v[i]))
            return NULL;
    return py->failed ? NULL : out;
}

/* What an unknown must be, beside that. */
static struct val *beside(struct py *py, enum py_op op, struct val *v,
                          const struct val *other)
{
    if (v->kind != VAL_UNKNOWN)
        return v;
    if (other->kind == VAL_STR)
        return op == OP_MOD ? py_to_str(py, v)
                            : py_settle(py, v, WANT_CHOICE, NULL);
    if (py_is_items(other))
        return py_settle(py, v, op == OP_MUL ? WANT_COUNT : WANT_LENGTH, NULL);
    return py_settle(py, v, WANT_NUMBER, NULL);
}

struct val *py_binary(struct py *py, enum py_op op, struct val *a,
                      struct val *b)
{
    int64_t i, k;
    double x, y;

    if (!a || !b || !py_work(py, 1))
        return NULL;
    if (a->kind == VAL_STR && op == OP_MOD)
        return percent(py, a->as.text, b);
    struct val *left = beside(py, op, a, b);
    b = left ? beside(py, op, b, left) : NULL;
    a = left;
    if (!a || !b)
        return NULL;
    struct val *own = a->kind == VAL_OBJECT || b->kind == VAL_OBJECT
                          ? object_binary(py, op, a, b)
                          : NULL;
    if (own || py->failed)
        return own;
    if (a->kind == VAL_HOST || b->kind == VAL_HOST)
        return py->host->binary(py, op, a, b);
    if (py_to_int(a, &i) && py_to_int(b, &k)) {
        bool bits = op == OP_AND || op == OP_OR || op == OP_XOR;
        struct val *out = int_binary(py, op, i, k);
        return out && bits && a->kind == VAL_BOOL && b->kind == VAL_BOOL
                   ? py_bool(py, out->as.whole != 0)
                   : out;
    }
    if (py_to_float(a, &x) && py_to_float(b, &y))
        return float_binary(py, op, x, y);
    if (op == OP_ADD && a->kind == VAL_STR && b->kind == VAL_STR)
        return joined(py, a->as.text, b->as.text);
    if (op == OP_ADD && py_is_items(a) && a->kind == b->kind)
        return concat(py, a, b);
    if (a->kind == VAL_SET && b->kind == VAL_SET)
        return of_sets(py, op, a, b);
    if (op == OP_MUL && (py_is_items(a) || a->kind == VAL_STR) &&
        py_to_int(b, &i))
        return repeated(py, a, i);
    if (op == OP_MUL && (py_is_items(b) || b->kind == VAL_STR) &&
        py_to_int(a, &i))
        return repeated(py, b, i);
    if (op == OP_OR && is_type(a) && is_type(b))
        return a;
    return py_no_operator(py, op, a, b);
}

struct val *py_unary(struct py *py, enum py_op op, struct val *a)
{
    bool truth;
    int64_t i;

    if (!a)
        return NULL;
    if (op == OP_NOT)
        return py_truth(py, a, &truth) ? py_bool(py, !truth) : NULL;
    a = py_settle(py, a, WANT_NUMBER, NULL);
    if (!a)
        return NULL;
    if (a->kind == VAL_HOST)
        return py->host->unary(py, op, a);
    struct val *minus = a->kind == VAL_OBJECT && op == OP_NEG
                            ? py_attr_or_null(py, a, STR("__neg__"))
                            : NULL;
    if (minus)
        return py_call(py, minus, &(struct args){NULL, 0, NULL});
    if (op == OP_POS && py_is_number(a))
        return a;
    if (op == OP_NEG && a->kind == VAL_FLOAT)
        return py_float(py, -a->as.number);
    if (py_to_int(a, &i))
        return op == OP_NEG ? int_binary(py, OP_SUB, 0, i) : py_int(py, ~i);
    return py_fail(py, ERR_UNSUPPORTED, "this sign before a %s is not known",
                   py_kind_name(a));
}
