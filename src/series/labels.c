#include "series/labels.h"

#include <string.h>

#include "base/utf8.h"

struct labels labels_none(void)
{
    static const struct label none;

    return (struct labels){&none, 0};
}

struct str labels_get(struct labels l, struct str name)
{
    for (size_t i = 0; i < l.n; i++)
        if (str_eq(l.v[i].name, name))
            return l.v[i].value;
    return (struct str){NULL, 0};
}

bool labels_eq(struct labels a, struct labels b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (!str_eq(a.v[i].name, b.v[i].name) ||
            !str_eq(a.v[i].value, b.v[i].value))
            return false;
    return true;
}

int labels_compare(struct labels a, struct labels b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int order = str_compare(a.v[i].name, b.v[i].name);
        if (order == 0)
            order = str_compare(a.v[i].value, b.v[i].value);
        if (order != 0)
            return order;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

static uint64_t fnv_text(uint64_t h, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return (h ^ 0xff) * 0x100000001b3u;
}

uint64_t labels_hash(struct labels l)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < l.n; i++)
        h = fnv_text(fnv_text(h, l.v[i].name), l.v[i].value);
    return h;
}

static struct str copy_text(char **at, struct str s)
{
    struct str copy = {*at, s.n};

    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

struct labels labels_copy(struct arena *a, struct labels l)
{
    size_t bytes = 0;

    for (size_t i = 0; i < l.n; i++)
        bytes += l.v[i].name.n + l.v[i].value.n;
    struct label *v = arena_new(a, struct label, l.n + 1);
    char *text = arena_alloc(a, bytes + 1, 1, 1);
    if (!v || !text)
        return (struct labels){NULL, 0};
    for (size_t i = 0; i < l.n; i++) {
        v[i].name = copy_text(&text, l.v[i].name);
        v[i].value = copy_text(&text, l.v[i].value);
    }
    return (struct labels){v, l.n};
}

static bool is_plain(struct str name, bool colons)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '_' || (colons && c == ':');
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.n > 0;
}

bool label_name_is_plain(struct str name)
{
    return is_plain(name, false);
}

bool metric_name_is_plain(struct str name)
{
    return is_plain(name, true);
}

/* The letter behind a backslash, or 0. */
static char short_escape(char c)
{
    static const char from[] = "\a\b\f\n\r\t\v\\\"";
    static const char to[] = "abfnrtv\\\"";
    const char *at = c ? strchr(from, c) : NULL;

    return at ? to[at - from] : '\0';
}

void label_quote(struct buf *out, struct str s)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n;) {
        struct str rest = str_slice(s, i, s.n);
        size_t length = utf8_length(rest);
        char c = s.p[i], letter = short_escape(c);

        if (letter) {
            buf_putc(out, '\\');
            buf_putc(out, letter);
        } else if (length == 0 || (unsigned char)c < ' ' || c == 0x7f) {
            buf_printf(out, "\\x%02x", (unsigned)(unsigned char)c);
        } else {
            buf_put(out, str_slice(rest, 0, length));
        }
        i += length ? length : 1;
    }
    buf_putc(out, '"');
}

void label_print(struct buf *out, struct label l)
{
    if (label_name_is_plain(l.name))
        buf_put(out, l.name);
    else
        label_quote(out, l.name);
    buf_putc(out, '=');
    label_quote(out, l.value);
}

void labels_print(struct buf *out, struct labels l)
{
    struct str name = labels_get(l, LABEL_NAME);
    bool plain = metric_name_is_plain(name), first = true;

    if (plain)
        buf_put(out, name);
    if (plain && l.n == 1)
        return;
    buf_putc(out, '{');
    if (name.n && !plain) {
        label_quote(out, name);
        first = false;
    }
    for (size_t i = 0; i < l.n; i++) {
        if (str_eq(l.v[i].name, LABEL_NAME))
            continue;
        if (!first)
            buf_puts(out, ", ");
        first = false;
        label_print(out, l.v[i]);
    }
    buf_putc(out, '}');
}

void labels_put_json(struct buf *out, struct labels l)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < l.n; i++) {
        if (i)
            buf_putc(out, ',');
        buf_put_quoted(out, l.v[i].name);
        buf_putc(out, ':');
        buf_put_quoted(out, l.v[i].value);
    }
    buf_putc(out, '}');
}

/* ---- making sets -------------------------------------------------------- */

void labels_build(struct labels_builder *b, struct arena *a, struct labels l)
{
    *b = (struct labels_builder){.arena = a, .cap = l.n + 4};
    b->v = arena_new(a, struct label, b->cap);
    b->failed = !b->v;
    if (b->failed)
        return;
    if (l.n)
        memcpy(b->v, l.v, l.n * sizeof(*l.v));
    b->n = l.n;
}

/* Where the name is or would be. */
static size_t place_of(const struct labels_builder *b, struct str name,
                       bool *there)
{
    size_t i = 0;
    int order = -1;

    while (i < b->n && (order = str_compare(b->v[i].name, name)) < 0)
        i++;
    *there = i < b->n && order == 0;
    return i;
}

static bool make_room(struct labels_builder *b)
{
    if (b->n < b->cap)
        return true;
    struct label *v = arena_new(b->arena, struct label, b->cap * 2);
    if (!v) {
        b->failed = true;
        return false;
    }
    memcpy(v, b->v, b->n * sizeof(*v));
    b->v = v;
    b->cap *= 2;
    return true;
}

void labels_set(struct labels_builder *b, struct str name, struct str value)
{
    bool there;

    if (value.n == 0) {
        labels_drop(b, name);
        return;
    }
    if (b->failed || !make_room(b))
        return;
    size_t at = place_of(b, name, &there);
    if (!there) {
        memmove(b->v + at + 1, b->v + at, (b->n - at) * sizeof(*b->v));
        b->n++;
    }
    b->v[at] = (struct label){name, value};
}

void labels_drop(struct labels_builder *b, struct str name)
{
    bool there;

    if (b->failed)
        return;
    size_t at = place_of(b, name, &there);
    if (!there)
        return;
    b->n--;
    memmove(b->v + at, b->v + at + 1, (b->n - at) * sizeof(*b->v));
}

bool labels_built(struct labels_builder *b, struct labels *out)
{
    if (b->failed)
        return false;
    *out = (struct labels){b->v, b->n};
    return true;
}

static bool is_among(struct str name, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

struct labels labels_pick(struct arena *a, struct labels l,
                          const struct str *names, size_t n, bool keep)
{
    struct label *v = arena_new(a, struct label, l.n ? l.n : 1);
    size_t kept = 0;

    for (size_t i = 0; v && i < l.n; i++)
        if (is_among(l.v[i].name, names, n) == keep)
            v[kept++] = l.v[i];
    return (struct labels){v, kept};
}

struct labels labels_grouped(struct arena *a, struct labels l,
                             const struct str *names, size_t n, bool keep)
{
    struct labels picked = labels_pick(a, l, names, n, keep);

    return keep || !picked.v ? picked : labels_unnamed(a, picked);
}

struct labels labels_unnamed(struct arena *a, struct labels l)
{
    struct str name = LABEL_NAME;

    if (labels_get(l, name).n == 0)
        return l;
    if (str_eq(l.v[0].name, name))
        return (struct labels){l.v + 1, l.n - 1};
    return labels_pick(a, l, &name, 1, false);
}

struct labels labels_with(struct arena *a, struct labels l, struct labels also)
{
    struct labels_builder b;
    struct labels out;

    if (also.n == 0)
        return l;
    labels_build(&b, a, l);
    for (size_t i = 0; i < also.n; i++)
        if (!labels_get(l, also.v[i].name).n)
            labels_set(&b, also.v[i].name, also.v[i].value);
    return labels_built(&b, &out) ? out : (struct labels){NULL, 0};
}
