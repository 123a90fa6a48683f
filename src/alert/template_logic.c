/* template_logic.c - functions of queries, and of values of any kind. */
#include <math.h>
#include <string.h>

#include "alert/template_call.h"
#include "base/sort.h"

/* ---- queries ------------------------------------------------------------ */

CALL(call_query)
{
    UNUSED();
    struct promql_series *v = NULL;
    size_t count = 0;
    struct err why = {0};
    struct str text;
    enum errc rc = call_text_argument(r, &args[0], &text);

    if (rc)
        return rc;
    if (!r->data->query)
        return template_fail(r, "there is nothing to query here");
    rc = r->data->query(r->data->ctx, text, &r->arena, &v, &count, &why);
    if (rc)
        return template_fail(r, "query: %s", why.msg);
    *out = (struct value){.kind = VALUE_VECTOR, .v = v, .n = count};
    return ERR_OK;
}

CALL(call_first)
{
    UNUSED();
    if (args[0].kind != VALUE_VECTOR || args[0].n == 0)
        return template_fail(r, "first() called on vector with no elements");
    *out = (struct value){.kind = VALUE_SAMPLE, .v = args[0].v, .n = 1};
    return ERR_OK;
}

static enum errc as_sample(struct run *r, const struct value *v,
                           const struct promql_series **out)
{
    if (v->kind != VALUE_SAMPLE)
        return template_fail(r, "wrong type: expected a sample, found %s",
                             value_type(v));
    *out = v->v;
    return ERR_OK;
}

CALL(call_value)
{
    UNUSED();
    const struct promql_series *s;
    enum errc rc = as_sample(r, &args[0], &s);

    if (!rc)
        *out = (struct value){.kind = VALUE_FLOAT, .f = s->points[0].v};
    return rc;
}

static enum errc label_of(struct run *r, struct str name, const struct value *v,
                          struct value *out)
{
    const struct promql_series *s;
    enum errc rc = as_sample(r, v, &s);

    if (rc)
        return rc;
    struct str value = labels_get(s->labels, name);
    return call_give_text(out, value.p ? value : STR(""));
}

CALL(call_label)
{
    UNUSED();
    struct str name;
    enum errc rc = call_text_argument(r, &args[0], &name);

    return rc ? rc : label_of(r, name, &args[1], out);
}

CALL(call_strvalue)
{
    UNUSED();
    return label_of(r, STR("__value__"), &args[0], out);
}

struct keyed {
    struct str key;
    size_t place;
    const struct promql_series *s;
};

static int by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int order = str_compare(x->key, y->key);

    return order ? order : (x->place > y->place) - (x->place < y->place);
}

CALL(call_sort_by_label)
{
    UNUSED();
    struct str name;
    enum errc rc = call_text_argument(r, &args[0], &name);
    const struct value *from = &args[1];

    if (rc)
        return rc;
    if (from->kind != VALUE_VECTOR)
        return template_fail(r, "sortByLabel needs a query's result");
    struct keyed *keyed = arena_new(&r->arena, struct keyed, from->n + 1);
    struct promql_series *v =
        arena_new(&r->arena, struct promql_series, from->n + 1);
    if (!keyed || !v)
        return template_fail(r, "out of memory");
    for (size_t i = 0; i < from->n; i++)
        keyed[i] =
            (struct keyed){labels_get(from->v[i].labels, name), i, &from->v[i]};
    sort_items(keyed, from->n, sizeof(*keyed), by_key);
    for (size_t i = 0; i < from->n; i++)
        v[i] = *keyed[i].s;
    *out = (struct value){.kind = VALUE_VECTOR, .v = v, .n = from->n};
    return ERR_OK;
}

CALL(call_args)
{
    struct value *copy = arena_new(&r->arena, struct value, n + 1);

    if (!copy)
        return template_fail(r, "out of memory");
    if (n)
        memcpy(copy, args, n * sizeof(*copy));
    *out = (struct value){.kind = VALUE_PAIRS, .pairs = copy, .n = n};
    return ERR_OK;
}

/* ---- logic -------------------------------------------------------------- */

CALL(call_and)
{
    (void)r;
    *out = args[n - 1];
    for (size_t i = n; i-- > 0;)
        if (!value_is_true(&args[i]))
            *out = args[i];
    return ERR_OK;
}

CALL(call_or)
{
    (void)r;
    *out = args[n - 1];
    for (size_t i = n; i-- > 0;)
        if (value_is_true(&args[i]))
            *out = args[i];
    return ERR_OK;
}

CALL(call_not)
{
    UNUSED();
    return call_give_bool(out, !value_is_true(&args[0]));
}

/* Below, at or above 0; NaN is unordered. */
static enum errc compare(struct run *r, const struct value *a,
                         const struct value *b, int *order, bool *unordered)
{
    *unordered = false;
    *order = 0;
    if (a->kind != b->kind)
        return template_fail(r, "incompatible types for comparison: %s and %s",
                             value_type(a), value_type(b));
    if (a->kind == VALUE_TEXT)
        *order = str_compare(a->text, b->text);
    else if (a->kind == VALUE_INT)
        *order = (a->i > b->i) - (a->i < b->i);
    else if (a->kind == VALUE_FLOAT) {
        *order = (a->f > b->f) - (a->f < b->f);
        *unordered = isnan(a->f) || isnan(b->f);
    } else if (a->kind == VALUE_BOOL)
        *order = a->b - b->b;
    else
        return template_fail(r, "%s cannot be compared", value_type(a));
    return ERR_OK;
}

CALL(call_eq)
{
    bool any = false, unordered;

    for (size_t i = 1; i < n; i++) {
        int order;
        enum errc rc = compare(r, &args[0], &args[i], &order, &unordered);
        if (rc)
            return rc;
        any = any || (order == 0 && !unordered);
    }
    return call_give_bool(out, any);
}

#define COMPARISON(name, condition)                                        \
    CALL(name)                                                             \
    {                                                                      \
        UNUSED();                                                          \
        int order;                                                         \
        bool unordered;                                                    \
        enum errc rc = compare(r, &args[0], &args[1], &order, &unordered); \
        return rc ? rc : call_give_bool(out, condition);                   \
    }

COMPARISON(call_ne, order != 0 || unordered)
COMPARISON(call_lt, order < 0 && !unordered)
COMPARISON(call_le, order <= 0 && !unordered)
COMPARISON(call_gt, order > 0 && !unordered)
COMPARISON(call_ge, order >= 0 && !unordered)

CALL(call_len)
{
    UNUSED();
    size_t length = args[0].text.n;

    if (args[0].kind != VALUE_TEXT && !value_count(&args[0], &length))
        return template_fail(r, "%s has no length", value_type(&args[0]));
    *out = (struct value){.kind = VALUE_INT, .i = (int64_t)length};
    return ERR_OK;
}

static enum errc index_one(struct run *r, const struct value *of,
                           const struct value *at, struct value *out)
{
    struct value key;
    size_t n;

    if (of->kind == VALUE_LABELS && at->kind == VALUE_TEXT) {
        struct str value = labels_get(of->labels, at->text);
        return call_give_text(out, value.p ? value : STR(""));
    }
    if (of->kind == VALUE_LABELS || !value_count(of, &n) ||
        at->kind != VALUE_INT)
        return template_fail(r, "can't index %s with %s", value_type(of),
                             value_type(at));
    if (at->i < 0 || (uint64_t)at->i >= n)
        return template_fail(r, "index out of range: %lld", (long long)at->i);
    value_item(of, (size_t)at->i, &key, out);
    return ERR_OK;
}

CALL(call_index)
{
    struct value of = args[0];
    enum errc rc = ERR_OK;

    *out = of;
    for (size_t i = 1; i < n && !rc; i++) {
        rc = index_one(r, &of, &args[i], out);
        of = *out;
    }
    return rc;
}

const struct template_function template_logic[] = {
    {"and", 1, MANY, call_and},
    {"args", 0, MANY, call_args},
    {"eq", 2, MANY, call_eq},
    {"first", 1, 1, call_first},
    {"ge", 2, 2, call_ge},
    {"gt", 2, 2, call_gt},
    {"index", 1, MANY, call_index},
    {"label", 2, 2, call_label},
    {"le", 2, 2, call_le},
    {"len", 1, 1, call_len},
    {"lt", 2, 2, call_lt},
    {"ne", 2, 2, call_ne},
    {"not", 1, 1, call_not},
    {"or", 1, MANY, call_or},
    {"query", 1, 1, call_query},
    {"sortByLabel", 2, 2, call_sort_by_label},
    {"strvalue", 1, 1, call_strvalue},
    {"value", 1, 1, call_value},
    {NULL, 0, 0, NULL},
};

const struct template_function *template_function(struct str name)
{
    static const struct template_function *const tables[] = {
        template_texts, template_logic, template_lists, template_times};

    for (size_t i = 0; i < COUNT(tables); i++)
        for (const struct template_function *f = tables[i]; f->name; f++)
            if (str_eq(name, str_from_cstr(f->name)))
                return f;
    return NULL;
}
