/* Methods of texts, lists and dictionaries. */
#include <string.h>

#include "import/python/eval_internal.h"

#define METHOD(name) \
    static struct val *name(struct py *py, struct val *f, const struct args *a)

static bool text_at(const struct args *a, size_t i, struct str *out)
{
    if (i >= a->n || a->pos[i]->kind != VAL_STR)
        return false;
    *out = a->pos[i]->as.text;
    return true;
}

static struct val *wrong(struct py *py, const struct val *f)
{
    return py_fail(py, ERR_INVALID, "%s() has wrong arguments",
                   f->as.builtin.name);
}

METHOD(list_append)
{
    if (a->n != 2)
        return wrong(py, f);
    return py_append(py, a->pos[0], a->pos[1]) ? &py->none : NULL;
}

METHOD(list_extend)
{
    struct val *more = a->n == 2 ? py_members(py, a->pos[1]) : NULL;

    if (!more)
        return wrong(py, f);
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
        return wrong(py, f);
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
        return v ? v : a->n > 2 ? a->pos[2] : wrong(py, f);
    }
    if (n == 0 || (a->n > 1 && !py_to_int(a->pos[1], &at)))
        return wrong(py, f);
    at = at < 0 ? at + n : at;
    if (at < 0 || at >= n)
        return wrong(py, f);
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
    return wrong(py, f);
}

METHOD(list_count)
{
    int64_t n = 0;

    if (a->n != 2)
        return wrong(py, f);
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
        return wrong(py, f);
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
        return wrong(py, f);
    struct val *v = table_get(a->pos[0]->as.dict, a->pos[1]);
    return v ? v : a->n > 2 ? a->pos[2] : &py->none;
}

METHOD(dict_setdefault)
{
    if (a->n < 3)
        return wrong(py, f);
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

METHOD(str_join)
{
    struct val *list = a->n == 2 ? py_members(py, a->pos[1]) : NULL;
    struct buf b;

    if (!list)
        return wrong(py, f);
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < list->as.items.n; i++) {
        if (i)
            buf_put(&b, a->pos[0]->as.text);
        py_show(&b, list->as.items.v[i]);
    }
    return py_from_buf(py, &b);
}

METHOD(str_split)
{
    struct str s = a->pos[0]->as.text, by = STR("");
    struct val *out = py_list(py, VAL_LIST, 4);
    size_t from = 0;
    (void)f;

    (void)text_at(a, 1, &by);
    for (size_t i = 0; out && i <= s.n; i++) {
        bool cut = i == s.n ||
                   (by.n ? i + by.n <= s.n && memcmp(s.p + i, by.p, by.n) == 0
                         : s.p[i] == ' ' || s.p[i] == '\n');
        if (!cut)
            continue;
        if ((by.n || i > from) &&
            !py_append(py, out, py_str(py, str_slice(s, from, i))))
            return NULL;
        from = i + (by.n ? by.n : 1);
        i = from ? from - 1 : 0;
    }
    return out;
}

METHOD(str_format_method)
{
    struct str s = a->pos[0]->as.text;
    size_t next = 1;
    struct buf b;

    buf_init(&b, 1 << 16);
    for (size_t i = 0; i < s.n; i++) {
        bool twice = i + 1 < s.n && s.p[i + 1] == s.p[i];
        if ((s.p[i] == '{' || s.p[i] == '}') && twice) {
            buf_putc(&b, s.p[i++]);
            continue;
        }
        const char *end = s.p[i] == '{' ? memchr(s.p + i, '}', s.n - i) : NULL;
        if (!end) {
            buf_putc(&b, s.p[i]);
            continue;
        }
        struct str spec = {s.p + i + 1, (size_t)(end - s.p) - i - 1};
        struct str name = str_cut(&spec, ':');
        uint64_t at;
        struct val *v = NULL;
        if (name.n == 0)
            v = next < a->n ? a->pos[next++] : NULL;
        else if (str_to_u64(name, &at))
            v = at + 1 < a->n ? a->pos[at + 1] : NULL;
        else if (a->kw)
            v = table_find(a->kw, name);
        if (!v) {
            buf_fini(&b);
            return wrong(py, f);
        }
        py_format(&b, v, spec.p ? spec : STR(""));
        i = (size_t)(end - s.p);
    }
    return py_from_buf(py, &b);
}

static struct val *cased(struct py *py, struct str s, char from, char to)
{
    char *copy = arena_cstr(py->arena, s);

    if (!copy)
        return py_fail(py, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < s.n; i++)
        if (copy[i] >= from && copy[i] <= to)
            copy[i] = (char)(copy[i] ^ 0x20);
    return py_str(py, (struct str){copy, s.n});
}

METHOD(str_lower)
{
    (void)f;
    return cased(py, a->pos[0]->as.text, 'A', 'Z');
}

METHOD(str_upper)
{
    (void)f;
    return cased(py, a->pos[0]->as.text, 'a', 'z');
}

METHOD(str_startswith)
{
    struct str s = a->pos[0]->as.text, part;

    if (!text_at(a, 1, &part))
        return wrong(py, f);
    return py_bool(py, str_starts(s, part));
}

METHOD(str_endswith)
{
    struct str s = a->pos[0]->as.text, part;

    if (!text_at(a, 1, &part))
        return wrong(py, f);
    return py_bool(py, s.n >= part.n &&
                           memcmp(s.p + s.n - part.n, part.p, part.n) == 0);
}

METHOD(str_replace)
{
    struct str s = a->pos[0]->as.text, from, to;
    struct buf b;

    if (!text_at(a, 1, &from) || !text_at(a, 2, &to) || from.n == 0)
        return wrong(py, f);
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < s.n;) {
        if (i + from.n <= s.n && memcmp(s.p + i, from.p, from.n) == 0) {
            buf_put(&b, to);
            i += from.n;
        } else {
            buf_putc(&b, s.p[i++]);
        }
    }
    return py_from_buf(py, &b);
}

METHOD(str_strip)
{
    struct str s = str_trim(a->pos[0]->as.text);
    (void)f;

    while (s.n && (s.p[0] == '\n' || s.p[0] == '\r'))
        s = str_trim(str_slice(s, 1, s.n));
    while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
        s = str_trim(str_slice(s, 0, s.n - 1));
    return py_str(py, s);
}

METHOD(str_find)
{
    struct str s = a->pos[0]->as.text, part;
    int64_t from = 0;

    if (!text_at(a, 1, &part))
        return wrong(py, f);
    if (a->n > 2)
        (void)py_to_int(a->pos[2], &from);
    from = from < 0 || from > (int64_t)s.n ? 0 : from;
    const char *at =
        part.n ? memmem(s.p + from, s.n - (size_t)from, part.p, part.n) : s.p;
    return py_int(py, at ? at - s.p : -1);
}

METHOD(str_isdigit)
{
    struct str s = a->pos[0]->as.text;
    bool all = s.n > 0;
    (void)f;

    for (size_t i = 0; i < s.n; i++)
        all = all && s.p[i] >= '0' && s.p[i] <= '9';
    return py_bool(py, all);
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
    {"add", VAL_SET, VAL_SET, set_add},
    {"keys", VAL_DICT, VAL_DICT, dict_keys},
    {"values", VAL_DICT, VAL_DICT, dict_values},
    {"items", VAL_DICT, VAL_DICT, dict_items},
    {"get", VAL_DICT, VAL_DICT, dict_get},
    {"setdefault", VAL_DICT, VAL_DICT, dict_setdefault},
    {"update", VAL_DICT, VAL_DICT, dict_update},
    {"copy", VAL_DICT, VAL_DICT, dict_copy},
    {"join", VAL_STR, VAL_STR, str_join},
    {"split", VAL_STR, VAL_STR, str_split},
    {"format", VAL_STR, VAL_STR, str_format_method},
    {"lower", VAL_STR, VAL_STR, str_lower},
    {"upper", VAL_STR, VAL_STR, str_upper},
    {"startswith", VAL_STR, VAL_STR, str_startswith},
    {"endswith", VAL_STR, VAL_STR, str_endswith},
    {"replace", VAL_STR, VAL_STR, str_replace},
    {"strip", VAL_STR, VAL_STR, str_strip},
    {"find", VAL_STR, VAL_STR, str_find},
    {"isdigit", VAL_STR, VAL_STR, str_isdigit},
    {"is_integer", VAL_FLOAT, VAL_INT, float_is_integer},
    {"item", VAL_FLOAT, VAL_INT, number_item},
};

struct val *py_method(struct py *py, struct val *self, struct str name)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if ((table[i].kind == self->kind || table[i].other == self->kind) &&
            str_eq(name, str_from_cstr(table[i].name))) {
            struct val *f = py_builtin(py, table[i].name, table[i].call, NULL);
            return f ? py_bound(py, self, f) : NULL;
        }
    return NULL;
}
