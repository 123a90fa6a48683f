#include "base/str.h"

#include <assert.h>
#include <string.h>

struct str str_from_cstr(const char *s)
{
    return (struct str){s, strlen(s)};
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    assert(from <= to && to <= s.n);
    /* No text at all (NULL) has an empty part, too. */
    return (struct str){from ? s.p + from : s.p, to - from};
}

bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq(str_slice(s, 0, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && str_eq(str_slice(s, s.n - suffix.n, s.n), suffix);
}

int str_compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

struct str str_behind_last(struct str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

    return at ? str_slice(s, (size_t)(at - s.p) + 1, s.n) : s;
}

struct str str_trim(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

struct str str_cut(struct str *rest, char c)
{
    struct str all = *rest;
    const char *at = all.n ? memchr(all.p, c, all.n) : NULL;

    if (!at) {
        *rest = (struct str){NULL, 0};
        return all;
    }
    size_t i = (size_t)(at - all.p);
    *rest = str_slice(all, i + 1, all.n);
    return str_slice(all, 0, i);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_word(struct str *line)
{
    size_t from = 0, to;

    while (from < line->n && is_blank(line->p[from]))
        from++;
    for (to = from; to < line->n && !is_blank(line->p[to]); to++)
        ;
    struct str word = str_slice(*line, from, to);
    *line = str_slice(*line, to, line->n);
    return word;
}

bool str_to_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0 || s.n > 20)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10U, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}
