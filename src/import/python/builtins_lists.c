/* The functions that go through members: len, range, zip, sorted ... */
#include "import/python/eval_internal.h"

enum { RANGE_MAX = 1 << 20 };

static struct val *fn_len(struct py *py, struct val *self, const struct args *a)
{
    (void)self;
    if (!py_need(py, a, 1, "len"))
        return NULL;
    struct val *v = a->pos[0];
    if (v->kind == VAL_UNKNOWN)
        return py_unknown_len(py, v);
    if (v->kind == VAL_DICT)
        return py_int(py, (int64_t)v->as.dict->live);
    if (v->kind == VAL_STR)
        return py_int(py, (int64_t)v->as.text.n);
    struct val *method =
        v->kind == VAL_OBJECT ? py_attr_or_null(py, v, STR("__len__")) : NULL;
    if (method)
        return py_call(py, method, &(struct args){NULL, 0, NULL});
    v = py_members(py, v);
    return v ? py_int(py, (int64_t)v->as.items.n) : NULL;
}

static struct val *fn_range(struct py *py, struct val *self,
                            const struct args *a)
{
    int64_t v[3] = {0, 0, 1};
    (void)self;

    if (!py_need(py, a, 1, "range"))
        return NULL;
    for (size_t i = 0; i < a->n && i < 3; i++) {
        struct val *x = py_settle(py, a->pos[i], WANT_COUNT, NULL);
        if (!x || !py_to_int(x, &v[a->n == 1 ? 1 : i]))
            return py_fail(py, ERR_INVALID, "range() needs whole numbers");
    }
    if (v[2] == 0)
        return py_fail(py, ERR_INVALID, "range() with a step of 0");
    struct val *out = py_list(py, VAL_LIST, 8);
    for (int64_t i = v[0]; out && (v[2] > 0 ? i < v[1] : i > v[1]); i += v[2])
        if (out->as.items.n == RANGE_MAX || !py_work(py, 1) ||
            !py_append(py, out, py_int(py, i)))
            return py_fail(py, ERR_LIMIT, "a range is too long");
    return out;
}

struct val *py_pair(struct py *py, struct val *a, struct val *b)
{
    struct val *out = py_list(py, VAL_TUPLE, 2);

    return py_append(py, out, a) && py_append(py, out, b) ? out : NULL;
}

static struct val *fn_enumerate(struct py *py, struct val *self,
                                const struct args *a)
{
    struct val *slots[2];
    int64_t start;
    (void)self;

    if (!py_bind(py, "enumerate", "x, start=0", a, slots, 2))
        return NULL;
    struct val *list = py_members(py, slots[0]);
    struct val *out = py_list(py, VAL_LIST, 8);
    if (!list || !out || !py_to_int(slots[1], &start))
        return NULL;
    for (size_t i = 0; i < list->as.items.n; i++)
        if (!py_append(py, out,
                       py_pair(py, py_int(py, start + (int64_t)i),
                               list->as.items.v[i])))
            return NULL;
    return out;
}

static struct val *fn_zip(struct py *py, struct val *self, const struct args *a)
{
    struct val *out = py_list(py, VAL_LIST, 8), *lists[16];
    size_t n = SIZE_MAX;
    (void)self;

    if (a->n == 0 || a->n > COUNT(lists))
        return a->n ? py_fail(py, ERR_LIMIT, "zip() of too many lists") : out;
    for (size_t i = 0; i < a->n; i++) {
        lists[i] = py_members(py, a->pos[i]);
        if (!lists[i])
            return NULL;
        n = lists[i]->as.items.n < n ? lists[i]->as.items.n : n;
    }
    for (size_t k = 0; k < n; k++) {
        struct val *row = py_list(py, VAL_TUPLE, a->n);
        for (size_t i = 0; i < a->n; i++)
            if (!py_append(py, row, lists[i]->as.items.v[k]))
                return NULL;
        if (!py_append(py, out, row))
            return NULL;
    }
    return out;
}

static struct val *fn_map(struct py *py, struct val *self, const struct args *a)
{
    struct val *out = py_list(py, VAL_LIST, 8);
    (void)self;

    if (!py_need(py, a, 2, "map"))
        return NULL;
    struct args rest = {a->pos + 1, a->n - 1, NULL};
    struct val *rows = fn_zip(py, NULL, &rest);
    for (size_t i = 0; rows && i < rows->as.items.n; i++) {
        struct val *row = rows->as.items.v[i];
        struct args one = {row->as.items.v, row->as.items.n, NULL};
        if (!py_append(py, out, py_call(py, a->pos[0], &one)))
            return NULL;
    }
    return rows ? out : NULL;
}

static struct val *fn_filter(struct py *py, struct val *self,
                             const struct args *a)
{
    struct val *out = py_list(py, VAL_LIST, 8);
    (void)self;

    if (!py_need(py, a, 2, "filter"))
        return NULL;
    struct val *list = py_members(py, a->pos[1]);
    for (size_t i = 0; list && i < list->as.items.n; i++) {
        struct val *v = list->as.items.v[i];
        bool take;
        if (!py_truth(py,
                      a->pos[0]->kind == VAL_NONE ? v
                                                  : py_call1(py, a->pos[0], v),
                      &take) ||
            (take && !py_append(py, out, v)))
            return NULL;
    }
    return list ? out : NULL;
}

static struct val *extreme(struct py *py, const struct args *a, enum py_op op)
{
    struct args one = {a->pos, a->n < 1 ? a->n : 1, NULL};
    struct val *list = NULL, *best = NULL;

    if (!py_need(py, &one, 1, "max"))
        return NULL;
    if (a->n == 1 && !(list = py_members(py, a->pos[0])))
        return NULL;
    size_t n = list ? list->as.items.n : a->n;
    for (size_t i = 0; i < n; i++) {
        struct val *v = list ? list->as.items.v[i] : a->pos[i];
        bool better = true;
        if (best && !py_truth(py, py_compare(py, op, v, best), &better))
            return NULL;
        best = better ? v : best;
    }
    if (!best && a->kw && table_find(a->kw, STR("default")))
        return table_find(a->kw, STR("default"));
    return best ? best : py_fail(py, ERR_INVALID, "max() of nothing");
}

static struct val *fn_max(struct py *py, struct val *self, const struct args *a)
{
    (void)self;
    return extreme(py, a, OP_GT);
}

static struct val *fn_min(struct py *py, struct val *self, const struct args *a)
{
    (void)self;
    return extreme(py, a, OP_LT);
}

static struct val *fn_sum(struct py *py, struct val *self, const struct args *a)
{
    (void)self;
    if (!py_need(py, a, 1, "sum"))
        return NULL;
    struct val *list = py_members(py, a->pos[0]);
    struct val *out = a->n > 1 ? a->pos[1] : py_int(py, 0);
    for (size_t i = 0; list && out && i < list->as.items.n; i++)
        out = py_binary(py, OP_ADD, out, list->as.items.v[i]);
    return list ? out : NULL;
}

static struct val *fn_sorted(struct py *py, struct val *self,
                             const struct args *a)
{
    struct val *key = a->kw ? table_find(a->kw, STR("key")) : NULL;
    struct val *down = a->kw ? table_find(a->kw, STR("reverse")) : NULL;
    bool reverse = false;
    (void)self;

    if (!py_need(py, a, 1, "sorted") || (down && !py_truth(py, down, &reverse)))
        return NULL;
    struct val *out = py_copy_of(py, a->pos[0], VAL_LIST);
    if (!out)
        return NULL;
    struct val **v = out->as.items.v;
    for (size_t i = 1; i < out->as.items.n; i++)
        for (size_t k = i; k > 0; k--) {
            struct val *x = key ? py_call1(py, key, v[k - 1]) : v[k - 1];
            struct val *y = key ? py_call1(py, key, v[k]) : v[k];
            bool swap;
            if (!py_truth(py, py_compare(py, reverse ? OP_LT : OP_GT, x, y),
                          &swap))
                return NULL;
            if (!swap)
                break;
            struct val *t = v[k];
            v[k] = v[k - 1];
            v[k - 1] = t;
        }
    return out;
}

static struct val *fn_reversed(struct py *py, struct val *self,
                               const struct args *a)
{
    (void)self;
    if (!py_need(py, a, 1, "reversed"))
        return NULL;
    struct val *out = py_copy_of(py, a->pos[0], VAL_LIST);
    for (size_t i = 0; out && i < out->as.items.n / 2; i++) {
        struct val **v = out->as.items.v, *t = v[i];
        v[i] = v[out->as.items.n - 1 - i];
        v[out->as.items.n - 1 - i] = t;
    }
    return out;
}

static struct val *quantifier(struct py *py, const struct args *a, bool any)
{
    if (!py_need(py, a, 1, "any"))
        return NULL;
    struct val *list = py_members(py, a->pos[0]);
    for (size_t i = 0; list && i < list->as.items.n; i++) {
        bool truth;
        if (!py_truth(py, list->as.items.v[i], &truth))
            return NULL;
        if (truth == any)
            return py_bool(py, any);
    }
    return list ? py_bool(py, !any) : NULL;
}

static struct val *fn_any(struct py *py, struct val *self, const struct args *a)
{
    (void)self;
    return quantifier(py, a, true);
}

static struct val *fn_all(struct py *py, struct val *self, const struct args *a)
{
    (void)self;
    return quantifier(py, a, false);
}

static struct val *fn_iter(struct py *py, struct val *self,
                           const struct args *a)
{
    (void)self;
    return py_need(py, a, 1, "iter") ? py_copy_of(py, a->pos[0], VAL_LIST)
                                     : NULL;
}

static struct val *fn_next(struct py *py, struct val *self,
                           const struct args *a)
{
    (void)self;
    if (!py_need(py, a, 1, "next"))
        return NULL;
    struct val *v = a->pos[0];
    if (v->kind != VAL_LIST)
        return py_fail(py, ERR_INVALID, "next() needs an iterator");
    if (v->as.items.n == 0)
        return a->n > 1 ? a->pos[1]
                        : py_fail(py, ERR_INVALID, "next() of nothing");
    v->as.items.n--;
    v->as.items.cap--;
    return *v->as.items.v++;
}

static struct val *fn_slice(struct py *py, struct val *self,
                            const struct args *a)
{
    struct val *out = py_list(py, VAL_SLICE, 3);
    (void)self;

    for (size_t i = 0; i < 3; i++) {
        size_t at = a->n == 1 ? i - 1 : i; /* slice(stop) */
        if (!py_append(py, out, at < a->n ? a->pos[at] : &py->none))
            return NULL;
    }
    return out;
}

const struct py_builtin_row py_list_builtins[] = {
    {"len", fn_len},
    {"range", fn_range},
    {"enumerate", fn_enumerate},
    {"zip", fn_zip},
    {"map", fn_map},
    {"filter", fn_filter},
    {"max", fn_max},
    {"min", fn_min},
    {"sum", fn_sum},
    {"sorted", fn_sorted},
    {"reversed", fn_reversed},
    {"any", fn_any},
    {"all", fn_all},
    {"iter", fn_iter},
    {"next", fn_next},
    {"slice", fn_slice},
    {NULL, NULL},
};
