/* Methods of texts. */
#include <string.h>

#include "import/python/eval_internal.h"

static bool text_at(const struct args *a, size_t i, struct str *out)
{
    if (i >= a->n || a->pos[i]->kind != VAL_STR)
        return false;
    *out = a->pos[i]->as.text;
    return true;
}

METHOD(str_join)
{
    struct val *list = a->n == 2 ? py_members(py, a->pos[1]) : NULL;
    struct buf b;

    if (!list)
        return py_wrong(py, f);
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
        v = py_shown(py, v);
        if (!v) {
            buf_fini(&b);
            return py->failed ? NULL : py_wrong(py, f);
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

/* With one of several, too. */
static struct val *has_end(struct py *py, const struct val *f,
                           const struct args *a,
                           bool (*has)(struct str s, struct str part))
{
    struct str s = a->pos[0]->as.text, part;

    if (text_at(a, 1, &part))
        return py_bool(py, has(s, part));
    if (a->n < 2 || a->pos[1]->kind != VAL_TUPLE)
        return py_wrong(py, f);
    for (size_t i = 0; i < a->pos[1]->as.items.n; i++) {
        const struct val *v = a->pos[1]->as.items.v[i];
        if (v->kind == VAL_STR && has(s, v->as.text))
            return &py->yes;
    }
    return &py->no;
}

METHOD(str_startswith)
{
    return has_end(py, f, a, str_starts);
}

METHOD(str_endswith)
{
    return has_end(py, f, a, str_ends);
}

METHOD(str_replace)
{
    struct str s = a->pos[0]->as.text, from, to;
    struct buf b;

    if (!text_at(a, 1, &from) || !text_at(a, 2, &to) || from.n == 0)
        return py_wrong(py, f);
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

static bool one_of(char c, struct str set)
{
    return set.n ? memchr(set.p, c, set.n) != NULL
                 : c == ' ' || (c >= '\t' && c <= '\r');
}

static struct val *stripped(struct py *py, const struct args *a, bool left,
                            bool right)
{
    struct str s = a->pos[0]->as.text, set = STR("");

    (void)text_at(a, 1, &set);
    while (left && s.n && one_of(s.p[0], set))
        s = str_slice(s, 1, s.n);
    while (right && s.n && one_of(s.p[s.n - 1], set))
        s.n--;
    return py_str(py, s);
}

METHOD(str_strip)
{
    (void)f;
    return stripped(py, a, true, true);
}

METHOD(str_lstrip)
{
    (void)f;
    return stripped(py, a, true, false);
}

METHOD(str_rstrip)
{
    (void)f;
    return stripped(py, a, false, true);
}

METHOD(str_capitalize)
{
    struct str s = a->pos[0]->as.text;
    struct val *low = cased(py, s, 'A', 'Z');
    struct val *first =
        low && s.n ? cased(py, str_slice(s, 0, 1), 'a', 'z') : low;
    (void)f;

    return !first || s.n == 0
               ? first
               : py_binary(py, OP_ADD, first,
                           py_str(py, str_slice(low->as.text, 1, s.n)));
}

METHOD(str_count)
{
    struct str s = a->pos[0]->as.text, part;
    int64_t n = 0;

    if (!text_at(a, 1, &part) || part.n == 0)
        return py_wrong(py, f);
    for (size_t i = 0; i + part.n <= s.n;) {
        bool here = memcmp(s.p + i, part.p, part.n) == 0;
        n += here;
        i += here ? part.n : 1;
    }
    return py_int(py, n);
}

METHOD(str_find)
{
    struct str s = a->pos[0]->as.text, part;
    int64_t from = 0;

    if (!text_at(a, 1, &part))
        return py_wrong(py, f);
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

const struct py_builtin_row py_text_methods[] = {
    {"join", str_join},
    {"split", str_split},
    {"format", str_format_method},
    {"lower", str_lower},
    {"upper", str_upper},
    {"startswith", str_startswith},
    {"endswith", str_endswith},
    {"replace", str_replace},
    {"strip", str_strip},
    {"find", str_find},
    {"isdigit", str_isdigit},
    {"lstrip", str_lstrip},
    {"rstrip", str_rstrip},
    {"capitalize", str_capitalize},
    {"count", str_count},
    {"isnumeric", str_isdigit},
    {"index", str_find},
    {NULL, NULL},
};
