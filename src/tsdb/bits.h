/* bits.h - numbers of any width one behind the other, first bit highest. */
#ifndef TSDB_BITS_H
#define TSDB_BITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct bit_writer {
    struct buf *out;
    uint64_t word; /* bits not written yet, in the high end */
    unsigned used;
};

static inline void bits_put_short(struct bit_writer *w, uint64_t v,
                                  unsigned width)
{
    if (width == 0)
        return;
    w->word |= v << (64 - width) >> w->used;
    w->used += width;
    while (w->used >= 8) {
        buf_putc(w->out, (char)(w->word >> 56));
        w->word <<= 8;
        w->used -= 8;
    }
}

/* The low `width` bits of v, up to 64. */
static inline void bits_put(struct bit_writer *w, uint64_t v, unsigned width)
{
    if (width > 32) {
        bits_put_short(w, v >> 32, width - 32);
        width = 32;
    }
    bits_put_short(w, v, width);
}

/* The rest of the last byte is zeros. */
static inline void bits_end(struct bit_writer *w)
{
    if (w->used)
        buf_putc(w->out, (char)(w->word >> 56));
    w->word = 0;
    w->used = 0;
}

struct bit_reader {
    const unsigned char *p, *end;
    uint64_t word; /* the next bits, in the high end */
    unsigned held;
    bool failed; /* read past the end: zeros came out */
};

static inline void bits_fill(struct bit_reader *r)
{
    if (r->end - r->p >= 8 && r->held <= 56) {
        uint64_t next;
        __builtin_memcpy(&next, r->p, sizeof(next));
        next = __builtin_bswap64(next);
        unsigned bytes = (64 - r->held) / 8;
        if (r->held == 0) {
            r->word = next;
        } else {
            r->word |= (next >> (64 - bytes * 8)) << (64 - r->held - bytes * 8);
        }
        r->p += bytes;
        r->held += bytes * 8;
        return;
    }
    while (r->held <= 56 && r->p < r->end) {
        r->word |= (uint64_t)*r->p++ << (56 - r->held);
        r->held += 8;
    }
}

/* width up to 56 */
static inline uint64_t bits_short(struct bit_reader *r, unsigned width)
{
    if (r->held < width) {
        bits_fill(r);
        if (r->held < width) {
            r->failed = true;
            return 0;
        }
    }
    if (width == 0)
        return 0;
    uint64_t v = r->word >> (64 - width);
    r->word <<= width;
    r->held -= width;
    return v;
}

static inline uint64_t bits_get(struct bit_reader *r, unsigned width)
{
    if (width <= 56)
        return bits_short(r, width);
    uint64_t high = bits_short(r, 32);
    return high << (width - 32) | bits_short(r, width - 32);
}

#endif
