#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "import/python/eval_internal.h"

enum { MAX_ITEMS = 1 << 22 };

struct val *py_fail(struct py *py, enum errc code, const char *fmt, ...)
{
    char text[400];
    va_list list;

    if (py->failed)
        return NULL;
    py->failed = true;
    va_start(list, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, list);
    va_end(list);
    err_record(py->err, code, "line %d: %s", py->line, text);
    return NULL;
}

bool py_recover(struct py *py)
{
    if (py->failed &&
        (py->err->code == ERR_LIMIT || py->err->code == ERR_NOMEM))
        return false;
    py->failed = false;
    *py->err = (struct err){.code = ERR_OK};
    return true;
}

bool py_work(struct py *py, uint64_t steps)
{
    py->steps += steps;
    if (py->steps > py->max_steps)
        (void)py_fail(py, ERR_LIMIT,
                      "the model's code takes more than %llu steps",
                      (unsigned long long)py->max_steps);
    return !py->failed;
}

static struct val *out_of_memory(struct py *py)
{
    return py_fail(py, ERR_NOMEM, "out of memory");
}

struct val *py_new(struct py *py, enum val_kind kind)
{
    struct val *v = arena_new(py->arena, struct val, 1);

    if (!v)
        return out_of_memory(py);
    v->kind = kind;
    return v;
}

struct val *py_bool(struct py *py, bool v)
{
    return v ? &py->yes : &py->no;
}

struct val *py_int(struct py *py, int64_t v)
{
    struct val *out = py_new(py, VAL_INT);

    if (out)
        out->as.whole = v;
    return out;
}

struct val *py_float(struct py *py, double v)
{
    struct val *out = py_new(py, VAL_FLOAT);

    if (out)
        out->as.number = v;
    return out;
}

struct val *py_str(struct py *py, struct str s)
{
    struct val *out = py_new(py, VAL_STR);

    if (out)
        out->as.text = s;
    return out;
}

struct val *py_text(struct py *py, const char *s)
{
    char *copy = arena_cstr(py->arena, str_from_cstr(s));

    return copy ? py_str(py, str_from_cstr(copy)) : out_of_memory(py);
}

struct val *py_list(struct py *py, enum val_kind kind, size_t room)
{
    struct val *out = py_new(py, kind);

    if (!out)
        return NULL;
    if (room > MAX_ITEMS)
        return py_fail(py, ERR_LIMIT, "a list is too long");
    out->as.items.cap = room;
    out->as.items.v = arena_new(py->arena, struct val *, room + 1);
    return out->as.items.v ? out : out_of_memory(py);
}

bool py_append(struct py *py, struct val *list, struct val *v)
{
    if (!list || !v)
        return false;
    if (list->as.items.n == list->as.items.cap) {
        size_t cap = list->as.items.cap ? list->as.items.cap * 2 : 8;
        struct val **grown =
            cap > MAX_ITEMS ? NULL : arena_new(py->arena, struct val *, cap);
        if (!grown) {
            (void)py_fail(py, ERR_LIMIT, "a list is too long");
            return false;
        }
        if (list->as.items.n)
            memcpy(grown, list->as.items.v,
                   list->as.items.n * sizeof(struct val *));
        list->as.items.v = grown;
        list->as.items.cap = cap;
    }
    list->as.items.v[list->as.items.n++] = v;
    return true;
}

struct val *py_dict(struct py *py)
{
    struct val *out = py_new(py, VAL_DICT);

    if (out)
        out->as.dict = arena_new(py->arena, struct table, 1);
    return out && out->as.dict ? out : out_of_memory(py);
}

struct val *py_builtin(struct py *py, const char *name, py_function call,
                       const void *data)
{
    struct val *out = py_new(py, VAL_BUILTIN);

    if (out) {
        out->as.builtin.name = name;
        out->as.builtin.call = call;
        out->as.builtin.data = data;
    }
    return out;
}

struct val *py_generic(struct py *py, const char *name, py_function call,
                       const void *data)
{
    struct val *out = py_builtin(py, name, call, data);

    if (out)
        out->as.builtin.takes_unknown = true;
    return out;
}

struct val *py_bound(struct py *py, struct val *self, struct val *callee)
{
    struct val *out = py_new(py, VAL_BOUND);

    if (out) {
        out->as.bound.self = self;
        out->as.bound.callee = callee;
    }
    return out;
}

struct val *py_space(struct py *py, struct str path)
{
    struct val *out = py_new(py, VAL_SPACE);

    if (out)
        out->as.text = path;
    return out;
}

struct val *py_object(struct py *py, struct klass *klass)
{
    struct val *out = py_new(py, VAL_OBJECT);

    if (out) {
        out->as.object.klass = klass;
        out->as.object.attrs = arena_new(py->arena, struct table, 1);
    }
    return out && out->as.object.attrs ? out : out_of_memory(py);
}

struct scope *py_scope(struct py *py, struct scope *parent)
{
    struct scope *s = arena_new(py->arena, struct scope, 1);

    if (s)
        s->parent = parent;
    else
        (void)out_of_memory(py);
    return s;
}

bool py_to_int(const struct val *v, int64_t *out)
{
    if (v && v->kind == VAL_INT)
        *out = v->as.whole;
    else if (v && v->kind == VAL_BOOL)
        *out = v->as.boolean;
    else
        return false;
    return true;
}

bool py_to_float(const struct val *v, double *out)
{
    int64_t whole;

    if (v && v->kind == VAL_FLOAT)
        *out = v->as.number;
    else if (py_to_int(v, &whole))
        *out = (double)whole;
    else
        return false;
    return true;
}

bool py_is_number(const struct val *v)
{
    return v->kind == VAL_INT || v->kind == VAL_FLOAT || v->kind == VAL_BOOL;
}

static bool equal_lists(const struct val *a, const struct val *b)
{
    if (a->as.items.n != b->as.items.n)
        return false;
    for (size_t i = 0; i < a->as.items.n; i++)
        if (!py_equal(a->as.items.v[i], b->as.items.v[i]))
            return false;
    return true;
}

bool py_equal(const struct val *a, const struct val *b)
{
    double x, y;
    int64_t i, k;

    if (a == b)
        return true;
    if (py_to_int(a, &i) && py_to_int(b, &k))
        return i == k;
    if (py_to_float(a, &x) && py_to_float(b, &y))
        return x == y;
    if (a->kind == VAL_SPACE && b->kind == VAL_SPACE)
        return str_eq(a->as.text, b->as.text);
    if (a->kind != b->kind)
        return false;
    if (a->kind == VAL_STR)
        return str_eq(a->as.text, b->as.text);
    if (a->kind == VAL_LIST || a->kind == VAL_TUPLE || a->kind == VAL_SET)
        return equal_lists(a, b);
    if (a->kind == VAL_BUILTIN)
        return a->as.builtin.call == b->as.builtin.call &&
               a->as.builtin.data == b->as.builtin.data;
    if (a->kind == VAL_CLASS)
        return a->as.klass == b->as.klass;
    if (a->kind == VAL_HOST)
        return a->as.host == b->as.host;
    return false;
}

static uint32_t hash_str(struct str s)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 16777619U;
    return h;
}

static uint32_t hash_of(const struct val *v)
{
    int64_t whole;

    if (v->kind == VAL_STR)
        return hash_str(v->as.text);
    if (v->kind == VAL_FLOAT && v->as.number == floor(v->as.number) &&
        fabs(v->as.number) < 1e15)
        return (uint32_t)(int64_t)v->as.number * 2654435761U;
    if (py_to_int(v, &whole))
        return (uint32_t)whole * 2654435761U;
    return (uint32_t)v->kind; /* rare: found by comparison */
}

static size_t place_of(const struct table *t, uint32_t hash,
                       const struct val *key, struct str text)
{
    for (size_t at = hash & t->mask;; at = (at + 1) & t->mask) {
        if (t->index[at] == 0)
            return at;
        const struct entry *e = &t->entries[t->index[at] - 1];
        if (e->hash != hash || !e->key)
            continue;
        if (key ? py_equal(e->key, key)
                : e->key->kind == VAL_STR && str_eq(e->key->as.text, text))
            return at;
    }
}

struct val *table_get(const struct table *t, const struct val *key)
{
    if (!t->n)
        return NULL;
    size_t at = place_of(t, hash_of(key), key, STR(""));
    return t->index[at] ? t->entries[t->index[at] - 1].value : NULL;
}

struct val *table_find(const struct table *t, struct str key)
{
    if (!t->n)
        return NULL;
    size_t at = place_of(t, hash_str(key), NULL, key);
    return t->index[at] ? t->entries[t->index[at] - 1].value : NULL;
}

static bool table_grow(struct py *py, struct table *t)
{
    size_t cap = t->cap ? t->cap * 2 : 8;
    struct entry *entries =
        cap > MAX_ITEMS ? NULL : arena_new(py->arena, struct entry, cap);
    uint32_t *index =
        cap > MAX_ITEMS ? NULL : arena_new(py->arena, uint32_t, cap * 2);

    if (!entries || !index) {
        (void)py_fail(py, ERR_LIMIT, "a dictionary is too large");
        return false;
    }
    struct table old = *t;
    t->entries = entries;
    t->index = index;
    t->cap = cap;
    t->mask = cap * 2 - 1;
    t->n = 0;
    for (size_t i = 0; i < old.n; i++) {
        if (!old.entries[i].key)
            continue;
        size_t at = old.entries[i].hash & t->mask;
        while (index[at])
            at = (at + 1) & t->mask;
        entries[t->n] = old.entries[i];
        index[at] = (uint32_t)++t->n;
    }
    return true;
}

bool table_put(struct py *py, struct table *t, struct val *key, struct val *v)
{
    if (!key || !v || (t->n == t->cap && !table_grow(py, t)))
        return false;
    uint32_t hash = hash_of(key);
    size_t at = place_of(t, hash, key, STR(""));
    if (t->index[at]) {
        t->entries[t->index[at] - 1].value = v;
        return true;
    }
    t->entries[t->n] = (struct entry){key, v, hash};
    t->index[at] = (uint32_t)++t->n;
    t->live++;
    return true;
}

bool table_merge(struct py *py, struct table *to, const struct table *from)
{
    for (size_t i = 0; from && i < from->n; i++)
        if (from->entries[i].key &&
            !table_put(py, to, from->entries[i].key, from->entries[i].value))
            return false;
    return true;
}

bool table_set(struct py *py, struct table *t, struct str key, struct val *v)
{
    struct val *name = py_str(py, key);

    return name && table_put(py, t, name, v);
}

/* The place stays taken, so that searches go on behind it. */
bool table_remove(struct table *t, const struct val *key)
{
    if (!t->n)
        return false;
    size_t at = place_of(t, hash_of(key), key, STR(""));
    if (!t->index[at])
        return false;
    t->entries[t->index[at] - 1].key = NULL;
    t->entries[t->index[at] - 1].value = NULL;
    t->live--;
    return true;
}
