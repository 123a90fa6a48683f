#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum { CAP_MIN = 256 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_fini(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

static bool grow(struct buf *b, size_t n)
{
    if (b->failed || n > b->max || b->n > b->max - n) {
        b->failed = true;
        return false;
    }
    size_t need = b->n + n;
    size_t cap = b->cap ? b->cap : (size_t)CAP_MIN;
    while (cap < need)
        cap *= 2;
    if (cap > b->max)
        cap = b->max;
    char *p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed || (b->cap - b->n < n && !grow(b, n)))
        return NULL;
    return b->p + b->n;
}

void buf_put(struct buf *b, struct str s)
{
    char *at = s.n ? buf_reserve(b, s.n) : NULL;

    if (at) {
        memcpy(at, s.p, s.n);
        b->n += s.n;
    }
}

void buf_putc(struct buf *b, char c)
{
    char *at = buf_reserve(b, 1);

    if (at) {
        *at = c;
        b->n++;
    }
}

void buf_puts(struct buf *b, const char *s)
{
    buf_put(b, str_from_cstr(s));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *at = n < 0 ? NULL : buf_reserve(b, (size_t)n + 1);
    if (!at)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(at, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

void buf_put_u64(struct buf *b, uint64_t v)
{
    char text[20];
    size_t at = sizeof(text);

    do {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_put(b, (struct str){text + at, sizeof(text) - at});
}

void buf_put_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_putc(b, '-');
    buf_put_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void put_escape(struct buf *b, unsigned char c)
{
    static const char shorts[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
        ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};

    if (c < sizeof(shorts) && shorts[c]) {
        buf_putc(b, '\\');
        buf_putc(b, shorts[c]);
    } else {
        buf_printf(b, "\\u%04x", c);
    }
}

void buf_put_json(struct buf *b, struct str s)
{
    size_t from = 0, i = 0;

    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        size_t len = c < 0x80 ? 1 : utf8_length(str_slice(s, i, s.n));
        if (len == 1 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            i++;
            continue;
        }
        if (len > 1) {
            i += len;
            continue;
        }
        buf_put(b, str_slice(s, from, i));
        if (len == 0)
            buf_puts(b, "\xef\xbf\xbd");
        else
            put_escape(b, c);
        from = ++i;
    }
    buf_put(b, str_slice(s, from, s.n));
}

void buf_put_quoted(struct buf *b, struct str s)
{
    buf_putc(b, '"');
    buf_put_json(b, s);
    buf_putc(b, '"');
}

void buf_put_field(struct buf *b, const char *before, struct str s)
{
    buf_puts(b, before);
    buf_put_quoted(b, s);
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}
