/* Members of values: subscripts, slices, what loops go through. */
#include "import/python/eval_internal.h"

bool py_slice_range(struct py *py, const struct val *slice, int64_t n,
                    int64_t out[3])
{
    struct val *const *v = slice->as.items.v;

    out[2] = 1;
    for (int i = 0; i < 3; i++)
        if (v[i]->kind != VAL_NONE && !py_to_int(v[i], &out[i])) {
            (void)py_fail(py, ERR_INVALID, "a slice needs whole numbers");
            return false;
        }
    if (out[2] == 0 || out[2] == INT64_MIN) {
        (void)py_fail(py, ERR_INVALID, "a slice has a bad step");
        return false;
    }
    bool down = out[2] < 0;
    int64_t low = down ? -1 : 0, high = down ? n - 1 : n;
    for (int i = 0; i < 2; i++) {
        if (v[i]->kind == VAL_NONE) {
            out[i] = (i == 0) != down ? low : high;
            if (down)
                out[i] = i == 0 ? high : low;
            continue;
        }
        if (out[i] < 0)
            out[i] = out[i] < -n ? low : out[i] + n;
        out[i] = out[i] < low ? low : out[i] > high ? high : out[i];
    }
    return true;
}

static struct val *sliced(struct py *py, struct val *v, const struct val *slice)
{
    bool text = v->kind == VAL_STR;
    int64_t n = (int64_t)(text ? v->as.text.n : v->as.items.n), r[3];
    struct buf b;

    if (!py_slice_range(py, slice, n, r) || !py_work(py, (uint64_t)n))
        return NULL;
    struct val *out = text ? NULL : py_list(py, v->kind, 0);
    buf_init(&b, 1 << 20);
    for (int64_t i = r[0]; r[2] > 0 ? i < r[1] : i > r[1]; i += r[2]) {
        if (text)
            buf_putc(&b, v->as.text.p[i]);
        else if (!py_append(py, out, v->as.items.v[i]))
            return NULL;
    }
    return text ? py_from_buf(py, &b) : out;
}

static bool position(struct py *py, const struct val *v, struct val *at,
                     size_t n, size_t *out)
{
    int64_t i;

    (void)v;
    if (!py_to_int(at, &i) || i >= (int64_t)n || i < -(int64_t)n) {
        (void)py_fail(py, ERR_INVALID, "an index is outside its list of %zu",
                      n);
        return false;
    }
    *out = (size_t)(i < 0 ? i + (int64_t)n : i);
    return true;
}

static struct val *keys_of(struct py *py, const struct table *t)
{
    struct val *out = py_list(py, VAL_LIST, t->live);

    for (size_t i = 0; out && i < t->n; i++)
        if (t->entries[i].key && !py_append(py, out, t->entries[i].key))
            return NULL;
    return out;
}

/* models.__dict__["resnet18"] */
static struct val *member_of_space(struct py *py, struct str path,
                                   struct str name)
{
    struct val owner = {.kind = VAL_SPACE};

    owner.as.text = str_slice(path, 0, path.n - sizeof(".__dict__") + 1);
    return py_attr(py, &owner, name);
}

struct val *py_index(struct py *py, struct val *v, struct val *at)
{
    size_t i;

    if (!v || !at || !py_work(py, 1))
        return NULL;
    if (v->kind == VAL_UNKNOWN)
        return py_unknown_index(py, v, at);
    if (at->kind == VAL_UNKNOWN)
        at = v->kind == VAL_DICT
                 ? py_settle(py, at, WANT_CHOICE, keys_of(py, v->as.dict))
             : v->kind == VAL_SPACE ? py_settle(py, at, WANT_CHOICE, NULL)
                                    : py_settle(py, at, WANT_NUMBER, NULL);
    if (!at)
        return NULL;
    if (at->kind == VAL_SLICE || v->kind == VAL_HOST)
        at = py_settle_deep(py, at);
    if (!at)
        return NULL;
    if (v->kind == VAL_HOST)
        return py->host->index(py, v, at);
    if (v->kind == VAL_DICT) {
        struct val *out = table_get(v->as.dict, at);
        struct buf b;
        if (out)
            return out;
        buf_init(&b, 200);
        py_show(&b, at);
        (void)py_fail(py, ERR_NOT_FOUND, "there is no key '%.*s' in the dict",
                      (int)b.n, b.p ? b.p : "");
        buf_fini(&b);
        return NULL;
    }
    if (v->kind == VAL_SPACE && str_ends(v->as.text, STR(".__dict__")) &&
        at->kind == VAL_STR)
        return member_of_space(py, v->as.text, at->as.text);
    if (v->kind == VAL_SPACE || v->kind == VAL_CLASS || v->kind == VAL_BUILTIN)
        return v; /* List[int]: types are not looked at */
    if (v->kind == VAL_OBJECT) {
        struct val *method = py_attr(py, v, STR("__getitem__"));
        return method ? py_call1(py, method, at) : NULL;
    }
    if (v->kind != VAL_STR && v->kind != VAL_LIST && v->kind != VAL_TUPLE)
        return py_fail(py, ERR_UNSUPPORTED, "a %s has no members to index",
                       py_kind_name(v));
    if (at->kind == VAL_SLICE)
        return sliced(py, v, at);
    if (!position(py, v, at, v->kind == VAL_STR ? v->as.text.n : v->as.items.n,
                  &i))
        return NULL;
    return v->kind == VAL_STR ? py_str(py, str_slice(v->as.text, i, i + 1))
                              : v->as.items.v[i];
}

bool py_set_index(struct py *py, struct val *v, struct val *at,
                  struct val *value)
{
    size_t i;

    if (!v || !at || !value)
        return false;
    if (v->kind == VAL_HOST) {
        at = py_settle_deep(py, at);
        value = py_settle(py, value, WANT_NUMBER, NULL);
        return at && value && py->host->set_index(py, v, at, value);
    }
    if (v->kind == VAL_UNKNOWN)
        return at->kind != VAL_STR || py_unknown_set(py, v, at->as.text, value);
    if (v->kind == VAL_DICT)
        return table_put(py, v->as.dict, at, value);
    if (v->kind == VAL_OBJECT) {
        struct val *method = py_attr(py, v, STR("__setitem__"));
        struct val *both[] = {at, value};
        return method && py_call(py, method, &(struct args){both, 2, NULL});
    }
    if (v->kind != VAL_LIST || at->kind == VAL_SLICE) {
        (void)py_fail(py, ERR_UNSUPPORTED, "a %s cannot be assigned to",
                      py_kind_name(v));
        return false;
    }
    if (!position(py, v, at, v->as.items.n, &i))
        return false;
    v->as.items.v[i] = value;
    return true;
}

struct val *py_members(struct py *py, struct val *v)
{
    struct val *out;

    if (!v)
        return NULL;
    if (v->kind == VAL_LIST || v->kind == VAL_TUPLE || v->kind == VAL_SET)
        return v;
    if (v->kind == VAL_UNKNOWN)
        return py_members(py, py_settle(py, v, WANT_LENGTH, NULL));
    if (v->kind == VAL_HOST)
        return py->host->list(py, v);
    if (v->kind == VAL_DICT)
        return keys_of(py, v->as.dict);
    if (v->kind == VAL_STR) {
        out = py_list(py, VAL_LIST, v->as.text.n);
        for (size_t i = 0; out && i < v->as.text.n; i++)
            if (!py_append(py, out,
                           py_str(py, str_slice(v->as.text, i, i + 1))))
                return NULL;
        return out;
    }
    if (v->kind == VAL_OBJECT) {
        struct val *method = py_attr_or_null(py, v, STR("__iter__"));
        if (method)
            return py_members(
                py, py_call(py, method, &(struct args){NULL, 0, NULL}));
    }
    return py_fail(py, ERR_UNSUPPORTED, "a %s cannot be gone through",
                   py_kind_name(v));
}
