/* chunk.c - see chunk.h. */
#include "tsdb/chunk.h"

#include <string.h>

#include "series/sample.h"
#include "tsdb/bits.h"
#include "tsdb/decimal.h"
#include "tsdb/pack.h"
#include "tsdb/varint.h"

enum { TIMES_STEP = 0, TIMES_PACKED = 1 };
enum {
    VALUES_CONSTANT = 0,
    VALUES_DELTA = 1,
    VALUES_DELTA2 = 2,
    VALUES_XOR = 3,
};

/* Differences wrap instead of overflowing, and wrap back when added up. */
static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void differences(int64_t *v, size_t n)
{
    for (size_t i = n; i-- > 1;)
        v[i] = minus(v[i], v[i - 1]);
}

static void sums(int64_t *v, size_t n)
{
    for (size_t i = 1; i < n; i++)
        v[i] = plus(v[i], v[i - 1]);
}

/* ---- times -------------------------------------------------------------- */

static bool is_regular(const int64_t *t, size_t n)
{
    for (size_t i = 2; i < n; i++)
        if (minus(t[i], t[i - 1]) != minus(t[1], t[0]))
            return false;
    return true;
}

static void put_times(const int64_t *t, size_t n, bool regular, struct buf *out)
{
    int64_t d[CHUNK_MAX];

    varint_put(out, zigzag(t[0]));
    if (regular) {
        varint_put(out, n > 1 ? zigzag(minus(t[1], t[0])) : 0);
        return;
    }
    memcpy(d, t, n * sizeof(*t));
    differences(d, n);
    differences(d + 1, n - 1);
    varint_put(out, zigzag(d[1]));
    pack_encode(d + 2, n - 2, out);
}

static enum errc take_times(struct str *in, unsigned form, int64_t *t, size_t n)
{
    uint64_t first, step;

    if (!varint_take(in, &first) || !varint_take(in, &step))
        return ERR_INVALID;
    t[0] = unzigzag(first);
    if (form == TIMES_STEP) {
        for (size_t i = 1; i < n; i++)
            t[i] = plus(t[i - 1], unzigzag(step));
        return ERR_OK;
    }
    if (form != TIMES_PACKED || n < 3)
        return ERR_INVALID;
    t[1] = unzigzag(step);
    if (pack_decode(in, t + 2, n - 2))
        return ERR_INVALID;
    sums(t + 1, n - 1);
    sums(t, n);
    return ERR_OK;
}

/* ---- values as decimal numbers ------------------------------------------ */

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint64_t magnitude(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

/* Divides what all differences have in common out of them. */
static uint64_t take_unit(int64_t *d, size_t n)
{
    uint64_t unit = 0;

    for (size_t i = 0; i < n && unit != 1; i++)
        unit = common_divisor(unit, magnitude(d[i]));
    if (unit > 1)
        for (size_t i = 0; i < n; i++)
            d[i] /= (int64_t)unit;
    return unit ? unit : 1;
}

static void put_specials(const double *v, const bool *special, size_t n,
                         struct buf *out)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += special[i];
    varint_put(out, count);
    for (size_t i = 0; i < n; i++) {
        if (special[i]) {
            varint_put(out, i);
            double_put(out, v[i]);
        }
    }
}

static bool take_specials(struct str *in, double *v, size_t n)
{
    uint64_t count, at;

    if (!varint_take(in, &count) || count > n)
        return false;
    while (count--)
        if (!varint_take(in, &at) || at >= n || !double_take(in, &v[at]))
            return false;
    return true;
}

/* m becomes the differences. */
static unsigned put_decimals(int64_t *m, size_t n, unsigned e, struct buf *out)
{
    int64_t d2[CHUNK_MAX], first = m[0];

    differences(m, n);
    uint64_t unit = take_unit(m + 1, n - 1);
    memcpy(d2, m, n * sizeof(*m));
    differences(d2 + 1, n - 1);
    bool twice = n > 2 && pack_cost(d2 + 1, n - 1) < pack_cost(m + 1, n - 1);
    buf_putc(out, (char)e);
    varint_put(out, unit);
    varint_put(out, zigzag(first));
    if (!twice) {
        pack_encode(m + 1, n - 1, out);
        return VALUES_DELTA;
    }
    varint_put(out, zigzag(d2[1]));
    pack_encode(d2 + 2, n - 2, out);
    return VALUES_DELTA2;
}

static enum errc take_decimals(struct str *in, bool twice, double *v, size_t n)
{
    int64_t m[CHUNK_MAX];
    uint64_t unit, first, second;

    if (in->n < 1 || (unsigned char)in->p[0] > DECIMAL_EXPONENT_MAX)
        return ERR_INVALID;
    unsigned e = (unsigned char)in->p[0];
    *in = str_slice(*in, 1, in->n);
    if (!varint_take(in, &unit) || !varint_take(in, &first))
        return ERR_INVALID;
    if (twice) {
        if (n < 3 || !varint_take(in, &second))
            return ERR_INVALID;
        m[1] = unzigzag(second);
        if (pack_decode(in, m + 2, n - 2))
            return ERR_INVALID;
        sums(m + 1, n - 1);
    } else if (pack_decode(in, m + 1, n - 1)) {
        return ERR_INVALID;
    }
    m[0] = unzigzag(first);
    for (size_t i = 1; i < n; i++)
        m[i] = plus((int64_t)((uint64_t)m[i] * unit), m[i - 1]);
    for (size_t i = 0; i < n; i++)
        v[i] = decimal_value(m[i], e);
    return take_specials(in, v, n) ? ERR_OK : ERR_INVALID;
}

/* ---- values as bits ----------------------------------------------------- */

/* Gorilla: 0 the same again; 10 within the window of the one before; 11 a new
 * window of leading zeros (5 bits) and length - 1 (6 bits). */
static void put_xor(const double *v, size_t n, struct buf *out)
{
    struct bit_writer w = {.out = out};
    unsigned lead = 64, width = 0;

    double_put(out, v[0]);
    for (size_t i = 1; i < n; i++) {
        uint64_t x = sample_bits(v[i]) ^ sample_bits(v[i - 1]);
        if (!x) {
            bits_put(&w, 0, 1);
            continue;
        }
        unsigned zeros = (unsigned)__builtin_clzll(x);
        unsigned tail = (unsigned)__builtin_ctzll(x);
        zeros = zeros > 31 ? 31 : zeros;
        if (zeros >= lead && tail >= 64 - lead - width) {
            bits_put(&w, 2, 2);
        } else {
            lead = zeros;
            width = 64 - zeros - tail;
            bits_put(&w, 3, 2);
            bits_put(&w, lead, 5);
            bits_put(&w, width - 1, 6);
        }
        bits_put(&w, x >> (64 - lead - width), width);
    }
    bits_end(&w);
}

static enum errc take_xor(struct str *in, double *v, size_t n)
{
    if (!double_take(in, &v[0]))
        return ERR_INVALID;
    const unsigned char *start = (const unsigned char *)in->p;
    struct bit_reader r = {.p = start, .end = start + in->n};
    uint64_t bits = sample_bits(v[0]);
    unsigned lead = 0, width = 0;

    for (size_t i = 1; i < n; i++) {
        if (bits_short(&r, 1)) {
            if (bits_short(&r, 1)) {
                lead = (unsigned)bits_short(&r, 5);
                width = (unsigned)bits_short(&r, 6) + 1;
            }
            if (r.failed || width == 0 || lead + width > 64)
                return ERR_INVALID;
            bits ^= bits_get(&r, width) << (64 - lead - width);
        }
        v[i] = sample_from_bits(bits);
    }
    return r.failed ? ERR_INVALID : ERR_OK;
}

/* ---- the whole ---------------------------------------------------------- */

static bool is_constant(const double *v, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (sample_bits(v[i]) != sample_bits(v[0]))
            return false;
    return true;
}

static unsigned put_values(const double *v, size_t n, struct buf *out)
{
    int64_t m[CHUNK_MAX];
    bool special[CHUNK_MAX];
    unsigned e;

    if (is_constant(v, n)) {
        double_put(out, v[0]);
        return VALUES_CONSTANT;
    }
    if (!decimal_find(v, n, m, special, &e)) {
        put_xor(v, n, out);
        return VALUES_XOR;
    }
    unsigned form = put_decimals(m, n, e, out);
    put_specials(v, special, n, out);
    return form;
}

void chunk_encode(const int64_t *t, const double *v, size_t n, struct buf *out)
{
    bool regular = is_regular(t, n);

    varint_put(out, n);
    buf_putc(out, '\0');
    size_t at = out->n - 1;
    put_times(t, n, regular, out);
    unsigned form = put_values(v, n, out);
    if (!out->failed)
        out->p[at] = (char)((regular ? TIMES_STEP : TIMES_PACKED) | form << 4);
}

enum errc chunk_decode(struct str bytes, int64_t *t, double *v, size_t *n)
{
    uint64_t count;

    if (!varint_take(&bytes, &count) || count < 1 || count > CHUNK_MAX ||
        bytes.n < 1)
        return ERR_INVALID;
    unsigned form = (unsigned char)bytes.p[0];
    bytes = str_slice(bytes, 1, bytes.n);
    *n = (size_t)count;
    if (take_times(&bytes, form & 15, t, *n))
        return ERR_INVALID;
    switch (form >> 4) {
    case VALUES_CONSTANT:
        if (!double_take(&bytes, &v[0]))
            return ERR_INVALID;
        for (size_t i = 1; i < *n; i++)
            v[i] = v[0];
        return ERR_OK;
    case VALUES_DELTA:
    case VALUES_DELTA2:
        return take_decimals(&bytes, form >> 4 == VALUES_DELTA2, v, *n);
    case VALUES_XOR:
        return take_xor(&bytes, v, *n);
    default:
        return ERR_INVALID;
    }
}
