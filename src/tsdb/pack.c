#include "tsdb/pack.h"

#include <string.h>

#include "tsdb/varint.h"

struct widths {
    unsigned w[3]; /* behind 0, 10 and 11; rising */
    size_t cost;   /* bits of all numbers */
};

static unsigned width_of(int64_t v)
{
    uint64_t z = zigzag(v);

    return z ? 64 - (unsigned)__builtin_clzll(z) : 0;
}

/* The cheapest three: the last must hold the widest number, the others are
 * tried. upto[w] is how many numbers need at most w bits. */
static struct widths choose(const int64_t *v, size_t n)
{
    size_t upto[65] = {0};
    unsigned widest = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned w = width_of(v[i]);
        upto[w]++;
        widest = w > widest ? w : widest;
    }
    for (unsigned w = 1; w <= widest; w++)
        upto[w] += upto[w - 1];
    struct widths best = {{widest, widest, widest}, n * (1 + widest)};
    for (unsigned a = 0; a < widest; a++) {
        for (unsigned b = a + 1; b <= widest; b++) {
            size_t cost = upto[a] * (1 + a) + (upto[b] - upto[a]) * (2 + b) +
                          (n - upto[b]) * (2 + widest);
            if (cost < best.cost)
                best = (struct widths){{a, b, widest}, cost};
        }
    }
    return best;
}

size_t pack_cost(const int64_t *v, size_t n)
{
    return choose(v, n).cost + 24;
}

void pack_encode(const int64_t *v, size_t n, struct buf *out)
{
    struct widths c = choose(v, n);
    struct bit_writer w = {.out = out};

    for (size_t i = 0; i < 3; i++)
        buf_putc(out, (char)c.w[i]);
    for (size_t i = 0; i < n; i++) {
        unsigned need = width_of(v[i]);
        if (need <= c.w[0]) {
            bits_put(&w, 0, 1);
            bits_put(&w, zigzag(v[i]), c.w[0]);
        } else if (need <= c.w[1]) {
            bits_put(&w, 2, 2);
            bits_put(&w, zigzag(v[i]), c.w[1]);
        } else {
            bits_put(&w, 3, 2);
            bits_put(&w, zigzag(v[i]), c.w[2]);
        }
    }
    bits_end(&w);
}

enum errc pack_decode(struct str *bytes, int64_t *v, size_t n)
{
    unsigned w[3];

    if (bytes->n < 3)
        return ERR_INVALID;
    for (size_t i = 0; i < 3; i++) {
        w[i] = (unsigned char)bytes->p[i];
        if (w[i] > 64)
            return ERR_INVALID;
    }
    const unsigned char *start = (const unsigned char *)bytes->p + 3;
    struct bit_reader r = {.p = start, .end = start + bytes->n - 3};
    for (size_t i = 0; i < n; i++) {
        unsigned which = 0;
        if (bits_short(&r, 1))
            which = 1 + (unsigned)bits_short(&r, 1);
        v[i] = unzigzag(bits_get(&r, w[which]));
    }
    if (r.failed)
        return ERR_INVALID;
    const char *rest = (const char *)r.p - r.held / 8;
    bytes->n -= (size_t)(rest - bytes->p);
    bytes->p = rest;
    return ERR_OK;
}
