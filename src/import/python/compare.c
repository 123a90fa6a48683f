/* Comparisons, membership, truth. */
#include <string.h>

#include "import/python/eval_internal.h"

/* Below, at or above 0; false: they have no order. */
static bool order(const struct val *a, const struct val *b, int *out)
{
    double x, y;

    if (py_to_float(a, &x) && py_to_float(b, &y)) {
        *out = x < y ? -1 : x > y;
        return true;
    }
    if (a->kind == VAL_STR && b->kind == VAL_STR) {
        *out = str_compare(a->as.text, b->as.text);
        return true;
    }
    if (!py_is_items(a) || a->kind != b->kind)
        return false;
    for (size_t i = 0; i < a->as.items.n && i < b->as.items.n; i++) {
        if (!py_is_number(a->as.items.v[i]) ||
            !order(a->as.items.v[i], b->as.items.v[i], out))
            return false;
        if (*out)
            return true;
    }
    *out = a->as.items.n < b->as.items.n ? -1 : a->as.items.n > b->as.items.n;
    return true;
}

struct val *py_contains(struct py *py, struct val *list, struct val *v)
{
    if (list->kind == VAL_DICT)
        return py_bool(py, table_get(list->as.dict, v) != NULL);
    if (list->kind == VAL_STR && v->kind == VAL_STR)
        return py_bool(py, v->as.text.n == 0 ||
                               memmem(list->as.text.p, list->as.text.n,
                                      v->as.text.p, v->as.text.n));
    struct val *method = list->kind == VAL_OBJECT
                             ? py_attr_or_null(py, list, STR("__contains__"))
                             : NULL;
    if (method)
        return py_call1(py, method, v);
    struct val *members = py_members(py, list);
    if (!members || !py_work(py, members->as.items.n))
        return NULL;
    for (size_t i = 0; i < members->as.items.n; i++) {
        struct val *m = members->as.items.v[i];
        bool same = m->kind == VAL_UNKNOWN && v->kind != VAL_UNKNOWN
                        ? py_compare(py, OP_EQ, m, v) == &py->yes
                        : py_equal(m, v);
        if (py->failed)
            return NULL;
        if (same)
            return &py->yes;
    }
    return &py->no;
}

static struct val *identity(struct py *py, const struct val *a,
                            const struct val *b)
{
    bool same = a == b;

    if (a->kind == VAL_NONE || b->kind == VAL_NONE)
        same = a->kind == b->kind;
    else if (py_is_number(a) || a->kind == VAL_STR || a->kind == VAL_SPACE ||
             a->kind == VAL_CLASS || a->kind == VAL_BUILTIN)
        same = a->kind == b->kind && py_equal(a, b);
    return py_bool(py, same);
}

/* What an unknown must be, to be compared with that; NULL: it is not equal to
 * it, or the comparison failed. */
static struct val *compared(struct py *py, enum py_op op, struct val *v,
                            struct val *other)
{
    struct val *list;

    if (v->kind != VAL_UNKNOWN)
        return v;
    if (other->kind == VAL_UNKNOWN && op != OP_IN && op != OP_NOT_IN)
        return py_settle(py, v, WANT_NUMBER, NULL);
    if (op == OP_IN || op == OP_NOT_IN)
        return other->kind == VAL_UNKNOWN || other->kind == VAL_STR ||
                       other->kind == VAL_OBJECT
                   ? NULL
                   : py_settle(py, v, WANT_CHOICE, py_members(py, other));
    if (other->kind == VAL_HOST ||
        (py_is_number(other) && other->kind != VAL_BOOL))
        return py_settle(py, v, WANT_NUMBER, NULL);
    if (op != OP_EQ && op != OP_NE)
        return py_settle(py, v, WANT_NUMBER, NULL);
    if (other->kind != VAL_STR && other->kind != VAL_BOOL &&
        other->kind != VAL_CLASS && other->kind != VAL_BUILTIN)
        return NULL;
    list = py_list(py, VAL_LIST, 1);
    return py_append(py, list, other) ? py_settle(py, v, WANT_CHOICE, list)
                                      : NULL;
}

struct val *py_compare(struct py *py, enum py_op op, struct val *a,
                       struct val *b)
{
    int c = 0;

    if (!a || !b || !py_work(py, 1))
        return NULL;
    if (op == OP_IS || op == OP_IS_NOT) {
        struct val *same = identity(py, a, b);
        return op == OP_IS ? same : py_unary(py, OP_NOT, same);
    }
    if (b->kind == VAL_UNKNOWN && (op == OP_IN || op == OP_NOT_IN)) {
        b = py_unknown_holds(py, b, a);
        if (!b)
            return NULL;
        if (b->kind == VAL_BOOL)
            return op == OP_IN ? b : py_unary(py, OP_NOT, b);
    }
    if (a->kind == VAL_UNKNOWN || b->kind == VAL_UNKNOWN) {
        bool inside = op == OP_IN || op == OP_NOT_IN;
        struct val *x = compared(py, op, a, b);
        struct val *y = inside ? b : x ? compared(py, op, b, x) : NULL;
        if (py->failed)
            return NULL;
        if (!x || !y || y->kind == VAL_UNKNOWN)
            return py_bool(py, op == OP_NE || op == OP_NOT_IN);
        a = x;
        b = y;
    }
    if (op == OP_IN || op == OP_NOT_IN) {
        struct val *in = py_contains(py, b, a);
        return op == OP_IN ? in : py_unary(py, OP_NOT, in);
    }
    if (a->kind == VAL_HOST || b->kind == VAL_HOST)
        return py->host->binary(py, op, a, b);
    if (op == OP_EQ || op == OP_NE) {
        a = py_settle_deep(py, a); /* (n, width) with a width that is open */
        b = a ? py_settle_deep(py, b) : NULL;
        if (!b)
            return NULL;
        struct val *out = py_special(py, "__eq__", a, b);
        if (py->failed)
            return NULL;
        out = out ? out : py_bool(py, py_equal(a, b));
        return op == OP_EQ ? out : py_unary(py, OP_NOT, out);
    }
    if (!order(a, b, &c))
        return py_no_operator(py, op, a, b);
    return py_bool(py, op == OP_LT   ? c < 0
                       : op == OP_LE ? c <= 0
                       : op == OP_GT ? c > 0
                                     : c >= 0);
}

bool py_truth(struct py *py, struct val *v, bool *out)
{
    double number;

    *out = true;
    v = py_settle(py, v, WANT_TRUTH, NULL);
    if (!v)
        return false;
    if (v->kind == VAL_NONE)
        *out = false;
    else if (py_to_float(v, &number))
        *out = number != 0;
    else if (v->kind == VAL_STR)
        *out = v->as.text.n != 0;
    else if (v->kind == VAL_LIST || v->kind == VAL_TUPLE || v->kind == VAL_SET)
        *out = v->as.items.n != 0;
    else if (v->kind == VAL_DICT)
        *out = v->as.dict->live != 0;
    else if (v->kind == VAL_HOST)
        return py->host->truth(py, v, out);
    else if (v->kind == VAL_OBJECT) {
        struct val *len = py_attr_or_null(py, v, STR("__len__"));
        len = len ? py_call(py, len, &(struct args){NULL, 0, NULL}) : NULL;
        int64_t n;
        if (len && py_to_int(len, &n))
            *out = n != 0;
    }
    return !py->failed;
}
