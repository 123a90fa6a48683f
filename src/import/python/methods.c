/* Methods of lists, dictionaries and numbers. */
#include <string.h>

#include "import/python/eval_internal.h"

struct val *py_wrong(struct py *py, const struct val *f)
{
    return py_fail(py, ERR_INVALID, "%s() has wrong arguments",
                   f->as.builtin.name);
}

METHOD(list_append)
{
    if (a->n != 2)
        return py_wrong(py, f);
    return py_append(py, a->pos[0], a->pos[1]) ? &py->none : NULL;
}

METHOD(list_extend)
{
    struct val *more = a->n == 2 ? py_members(py, a->pos[1]) : NULL;

    if (!more)
        return py_wrong(py, f);
    size_t n = more->as.items.n; /* l.extend(l) ends */
    for (size_t i = 0; i < n; i++)
        if (!py_append(py, a->pos[0], more->as.items.v[i]))
            return NULL;
    return &py->none;
}

METHOD(list_insert)
{
    int64_t at;

    if (a->n != 3 || !py_to_int(a->pos[1], &at) ||
        !py_append(py, a->pos[0], a->pos[2]))
        return py_wrong(py, f);
    struct val **v = a->pos[0]->as.items.v;
    int64_t n = (int64_t)a->pos[0]->as.items.n;
    at = at < 0 ? at + n - 1 : at;
    at = at < 0 ? 0 : at;
    for (int64_t i = n - 1; i > at; i--)
        v[i] = v[i - 1];
    if (at < n)
        v[at] = a->pos[2];
    return &py->none;
}

METHOD(list_pop)
{
    struct val *list = a->n ? a->pos[0] : NULL;
    int64_t n = list ? (int64_t)list->as.items.n : 0, at = n - 1;

    if (list && list->kind == VAL_DICT) {
        struct val *v = a->n > 1 ? table_get(list->as.dict, a->pos[1]) : NULL;
        if (v)
            (void)table_remove(list->as.dict, a->pos[1]);
        return v ? v : a->n > 2 ? a->pos[2] : py_wrong(py, f);
    }
    if (n == 0 || (a->n > 1 && !py_to_int(a->pos[1], &at)))
        return py_wrong(py, f);
    at = at < 0 ? at + n : at;
    if (at < 0 || at >= n)
        return py_wrong(py, f);
    struct val *out = list->as.items.v[at];
    for (int64_t i = at; i + 1 < n; i++)
        list->as.items.v[i] = list->as.items.v[i + 1];
    list->as.items.n--;
    return out;
}

METHOD(list_index)
{
    struct val *list = a->n == 2 ? a->pos[0] : NULL;

    for (size_t i = 0; list && i < list->as.items.n; i++)
        if (py_equal(list->as.items.v[i], a->pos[1]))
            return py_int(py, (int64_t)i);
    return py_wrong(py, f);
}

METHOD(list_count)
{
    int64_t n = 0;

    if (a->n != 2)
        return py_wrong(py, f);
    for (size_t i = 0; i < a->pos[0]->as.items.n; i++)
        n += py_equal(a->pos[0]->as.items.v[i], a->pos[1]);
    return py_int(py, n);
}

METHOD(list_reverse)
{
    struct val **v = a->pos[0]->as.items.v;
    size_t n = a->pos[0]->as.items.n;
    (void)f;

    for (size_t i = 0; i < n / 2; i++) {
        struct val *t = v[i];
        v[i] = v[n - 1 - i];
        v[n - 1 - i] = t;
    }
    return &py->none;
}

METHOD(list_sort)
{
    struct val *sorted = table_find(&py->builtins->names, STR("sorted"));
    struct val *out = py_call(py, sorted, &(struct args){a->pos, 1, a->kw});
    (void)f;

    if (!out)
        return NULL;
    a->pos[0]->as.items = out->as.items;
    return &py->none;
}

METHOD(list_clear)
{
    (void)f;
    a->pos[0]->as.items.n = 0;
    return &py->none;
}

METHOD(list_remove)
{
    struct val **v = a->pos[0]->as.items.v;
    size_t n = a->pos[0]->as.items.n;

    for (size_t i = 0; a->n == 2 && i < n; i++)
        if (py_equal(v[i], a->pos[1])) {
            memmove(v + i, v + i + 1, (n - i - 1) * sizeof(struct val *));
            a->pos[0]->as.items.n--;
            return &py->none;
        }
    return py_wrong(py, f);
}

METHOD(list_copy)
{
    struct val *out = py_list(py, a->pos[0]->kind, a->pos[0]->as.items.n);
    (void)f;

    for (size_t i = 0; out && i < a->pos[0]->as.items.n; i++)
        (void)py_append(py, out, a->pos[0]->as.items.v[i]);
    return py->failed ? NULL : out;
}

METHOD(set_add)
{
    if (a->n != 2)
        return py_wrong(py, f);
    if (py_contains(py, a->pos[0], a->pos[1]) != &py->yes &&
        !py_append(py, a->pos[0], a->pos[1]))
        return NULL;
    return &py->none;
}

/* keys 'k', values 'v' or pairs 'i' */
static struct val *dict_list(struct py *py, const struct args *a, char what)
{
    const struct table *t = a->pos[0]->as.dict;
    struct val *out = py_list(py, VAL_LIST, t->live);

    for (size_t i = 0; out && i < t->n; i++) {
        const struct entry *e = &t->entries[i];
        struct val *v = what == 'k' ? e->key : e->value;
        if (!e->key)
            continue;
        if (what == 'i') {
            v = py_list(py, VAL_TUPLE, 2);
            (void)(py_append(py, v, e->key) && py_append(py, v, e->value));
        }
        if (!py_append(py, out, v))
            return NULL;
    }
    return out;
}

METHOD(dict_keys)
{
    (void)f;
    return dict_list(py, a, 'k');
}

METHOD(dict_values)
{
    (void)f;
    return dict_list(py, a, 'v');
}

METHOD(dict_items)
{
    (void)f;
    return dict_list(py, a, 'i');
}

METHOD(dict_get)
{
    if (a->n < 2)
        return py_wrong(py, f);
    struct val *v = table_get(a->pos[0]->as.dict, a->pos[1]);
    return v ? v : a->n > 2 ? a->pos[2] : &py->none;
}

METHOD(dict_setdefault)
{
    if (a->n < 3)
        return py_wrong(py, f);
    struct val *v = table_get(a->pos[0]->as.dict, a->pos[1]);
    if (v)
        return v;
    return table_put(py, a->pos[0]->as.dict, a->pos[1], a->pos[2]) ? a->pos[2]
                                                                   : NULL;
}

METHOD(dict_update)
{
    struct table *t = a->pos[0]->as.dict;
    const struct table *more[2] = {
        a->n > 1 && a->pos[1]->kind == VAL_DICT ? a->pos[1]->as.dict : NULL,
        a->kw};
    (void)f;

    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; more[k] && i < more[k]->n; i++)
            if (more[k]->entries[i].key &&
                !table_put(py, t, more[k]->entries[i].key,
                           more[k]->entries[i].value))
                return NULL;
    return &py->none;
}

METHOD(dict_copy)
{
    struct val *out = py_dict(py);
    struct val *both[] = {out, a->pos[0]};

    if (!out)
        return NULL;
    return dict_update(py, f, &(struct args){both, 2, NULL}) ? out : NULL;
}

METHOD(float_is_integer)
{
    double v = 0;
    (void)f;

    (void)py_to_float(a->pos[0], &v);
    return py_bool(py, v > -9e15 && v < 9e15 && (double)(int64_t)v == v);
}

METHOD(number_item)
{
    (void)f;
    (void)py;
    return a->pos[0];
}

static const struct {
    const char *name;
    enum val_kind kind, other; /* of which it is a method */
    py_function call;
} table[] = {
    {"append", VAL_LIST, VAL_LIST, list_append},
    {"extend", VAL_LIST, VAL_LIST, list_extend},
    {"insert", VAL_LIST, VAL_LIST, list_insert},
    {"pop", VAL_LIST, VAL_DICT, list_pop},
    {"index", VAL_LIST, VAL_TUPLE, list_index},
    {"count", VAL_LIST, VAL_TUPLE, list_count},
    {"reverse", VAL_LIST, VAL_LIST, list_reverse},
    {"copy", VAL_LIST, VAL_SET, list_copy},
    {"sort", VAL_LIST, VAL_LIST, list_sort},
    {"clear", VAL_LIST, VAL_SET, list_clear},
    {"remove", VAL_LIST, VAL_SET, list_remove},
    {"add", VAL_SET, VAL_SET, set_add},
    {"keys", VAL_DICT, VAL_DICT, dict_keys},
    {"values", VAL_DICT, VAL_DICT, dict_values},
    {"items", VAL_DICT, VAL_DICT, dict_items},
    {"get", VAL_DICT, VAL_DICT, dict_get},
    {"setdefault", VAL_DICT, VAL_DICT, dict_setdefault},
    {"update", VAL_DICT, VAL_DICT, dict_update},
    {"copy", VAL_DICT, VAL_DICT, dict_copy},
    {"is_integer", VAL_FLOAT, VAL_INT, float_is_integer},
    {"item", VAL_FLOAT, VAL_INT, number_item},
};

static struct val *text_method(struct py *py, struct val *self, struct str name)
{
    const struct py_builtin_row *row = py_text_methods;

    while (row->name && !str_eq(name, str_from_cstr(row->name)))
        row++;
    struct val *f =
        row->name ? py_generic(py, row->name, row->call, NULL) : NULL;
    return f ? py_bound(py, self, f) : NULL;
}

struct val *py_method(struct py *py, struct val *self, struct str name)
{
    if (self->kind == VAL_STR)
        return text_method(py, self, name);
    for (size_t i = 0; i < COUNT(table); i++)
        if ((table[i].kind == self->kind || table[i].other == self->kind) &&
            str_eq(name, str_from_cstr(table[i].name))) {
            struct val *f = py_generic(py, table[i].name, table[i].call, NULL);
            return f ? py_bound(py, self, f) : NULL;
        }
    return NULL;
}
