#include "codec/snappy.h"

#include <string.h>

/* ---- reading ------------------------------------------------------------ */

static enum errc damaged(struct err *err)
{
    return err_set(err, ERR_INVALID, "snappy: corrupt input");
}

static bool take_length(struct str *s, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; s->n && shift < 35; shift += 7) {
        unsigned char c = (unsigned char)s->p[0];
        *s = str_slice(*s, 1, s->n);
        *out |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80))
            return *out <= UINT32_MAX;
    }
    return false;
}

/* n bytes, the lowest first. */
static bool take_number(struct str *s, size_t n, size_t *out)
{
    *out = 0;
    if (s->n < n)
        return false;
    for (size_t i = n; i-- > 0;)
        *out = *out << 8 | (unsigned char)s->p[i];
    *s = str_slice(*s, n, s->n);
    return true;
}

/* How much is copied, and from how far back; back 0: from the block itself. */
static bool take_element(struct str *s, size_t *n, size_t *back)
{
    size_t tag, low;

    if (!take_number(s, 1, &tag))
        return false;
    *back = 0;
    *n = (tag >> 2) + 1;
    switch (tag & 3) {
    case 0: /* bytes that follow */
        if (*n <= 60)
            return true;
        if (!take_number(s, *n - 60, n))
            return false;
        ++*n;
        return true;
    case 1: /* 4 to 11, 11 bits back */
        *n = (tag >> 2 & 7) + 4;
        if (!take_number(s, 1, &low))
            return false;
        *back = (tag >> 5) << 8 | low;
        return *back != 0;
    case 2:
        return take_number(s, 2, back) && *back != 0;
    default:
        return take_number(s, 4, back) && *back != 0;
    }
}

enum errc snappy_decode(struct str block, struct buf *out, struct err *err)
{
    size_t start = out->n, n, back;
    uint64_t length;

    if (!take_length(&block, &length))
        return damaged(err);
    if (length > out->max - out->n)
        return err_set(err, ERR_LIMIT, "snappy: %llu bytes are over the limit",
                       (unsigned long long)length);
    char *p = buf_reserve(out, (size_t)length + 1);
    if (!p)
        return err_set(err, ERR_NOMEM, "out of memory");
    size_t at = 0;
    while (block.n) {
        if (!take_element(&block, &n, &back) || n > length - at ||
            (back ? back > at : n > block.n))
            return damaged(err);
        if (back) {
            for (size_t i = 0; i < n; i++) /* it may overlap */
                p[at + i] = p[at + i - back];
        } else {
            memcpy(p + at, block.p, n);
            block = str_slice(block, n, block.n);
        }
        at += n;
    }
    if (at != length)
        return damaged(err);
    out->n = start + at;
    return ERR_OK;
}

/* ---- writing ------------------------------------------------------------ */

enum {
    HASH_BITS = 14,
    BLOCK = 65536, /* what is referred to lies within as much */
    LEAST = 4      /* bytes worth a reference */
};

static uint32_t word_at(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static void put_literal(struct buf *out, const char *p, size_t n)
{
    size_t less = n - 1;

    if (n == 0)
        return;
    if (less < 60) {
        buf_putc(out, (char)(less << 2));
    } else {
        buf_putc(out, (char)(61 << 2)); /* two bytes */
        buf_putc(out, (char)less);
        buf_putc(out, (char)(less >> 8));
    }
    buf_put(out, (struct str){p, n});
}

static void put_copy(struct buf *out, size_t back, size_t n)
{
    while (n) {
        size_t part = n > 64 ? 60 : n;
        buf_putc(out, (char)((part - 1) << 2 | 2));
        buf_putc(out, (char)back);
        buf_putc(out, (char)(back >> 8));
        n -= part;
    }
}

/* At most BLOCK bytes, by the first match that a hash of four bytes finds. */
static void put_block(struct buf *out, const char *p, size_t n)
{
    uint16_t seen[1 << HASH_BITS] = {0};
    size_t done = 0, i = 1;

    while (n >= LEAST && i + LEAST <= n) {
        uint32_t word = word_at(p + i);
        uint16_t *slot = &seen[word * 0x9e3779b1u >> (32 - HASH_BITS)];
        size_t from = *slot;
        *slot = (uint16_t)i;
        if (from >= i || word_at(p + from) != word) {
            i++;
            continue;
        }
        size_t length = LEAST;
        while (i + length < n && p[from + length] == p[i + length])
            length++;
        put_literal(out, p + done, i - done);
        put_copy(out, i - from, length);
        i += length;
        done = i;
    }
    put_literal(out, p + done, n - done);
}

void snappy_encode(struct str bytes, struct buf *out)
{
    size_t n = bytes.n;

    while (n >= 0x80) {
        buf_putc(out, (char)(n | 0x80));
        n >>= 7;
    }
    buf_putc(out, (char)n);
    for (size_t at = 0; at < bytes.n; at += BLOCK) {
        size_t left = bytes.n - at;
        put_block(out, bytes.p + at, left < BLOCK ? left : BLOCK);
    }
}
