/* varint.h - whole numbers in seven bits a byte, and signs folded in. */
#ifndef TSDB_VARINT_H
#define TSDB_VARINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

static inline uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v < 0 ? -1 : 0);
}

static inline int64_t unzigzag(uint64_t v)
{
    return (int64_t)((v >> 1) ^ (0 - (v & 1)));
}

static inline void varint_put(struct buf *out, uint64_t v)
{
    while (v >= 0x80) {
        buf_putc(out, (char)(v | 0x80));
        v >>= 7;
    }
    buf_putc(out, (char)v);
}

/* Takes one off the front; false when it does not end or is too large. */
static inline bool varint_take(struct str *s, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64 && s->n; shift += 7) {
        unsigned char c = (unsigned char)*s->p++;
        s->n--;
        if (shift == 63 && c > 1)
            return false;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80)) {
            *out = v;
            return true;
        }
    }
    return false;
}

/* Numbers of fixed size, low byte first. */
static inline void fixed_put(struct buf *out, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        buf_putc(out, (char)(v >> 8 * i));
}

static inline uint64_t fixed_get(const char *p, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)(unsigned char)p[i] << 8 * i;
    return v;
}

/* A varint that must not be above max. */
static inline bool varint_take_upto(struct str *s, uint64_t max, uint64_t *out)
{
    return varint_take(s, out) && *out <= max;
}

/* n bytes off the front. */
static inline bool bytes_take(struct str *s, uint64_t n, struct str *out)
{
    if (n > s->n)
        return false;
    *out = (struct str){s->p, (size_t)n};
    s->p += n;
    s->n -= (size_t)n;
    return true;
}

static inline void double_put(struct buf *out, double v)
{
    char bytes[sizeof(v)];

    __builtin_memcpy(bytes, &v, sizeof(v));
    buf_put(out, (struct str){bytes, sizeof(bytes)});
}

static inline bool double_take(struct str *s, double *out)
{
    if (s->n < sizeof(*out))
        return false;
    __builtin_memcpy(out, s->p, sizeof(*out));
    s->p += sizeof(*out);
    s->n -= sizeof(*out);
    return true;
}

#endif
