/* Reading numbers.
 *
 * Digits are gathered into a 64-bit integer, eight at a time with arithmetic
 * on whole words, and a power of ten. Number times power is one 64x64-bit
 * multiplication with the first 64 bits of the power; the rest of the power
 * is worth less than one unit of the upper half. Only if that unit could
 * change the rounding (about one float in 2^38, one double in 2^10), or the
 * number has more than 19 digits, is subnormal or too large, the C library
 * decides.
 */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "codec/number.h"
#include "codec/number_internal.h"

static const uint64_t pow10_table[] = {
#include "pow10.inc"
};

static const uint64_t pow10_low_table[] = {
#include "pow10_low.inc"
};

uint64_t pow10_top(int q)
{
    return pow10_table[q - POW10_MIN];
}

uint64_t pow10_low(int q)
{
    return pow10_low_table[q - POW10_MIN];
}

struct decimal {
    uint64_t digits; /* up to 19 of them */
    int exponent;    /* value = digits * 10^exponent */
    bool negative;
    bool integer;   /* neither '.' nor 'e' */
    bool truncated; /* more digits than fit: only the C library knows */
    const char *end;
};

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static uint64_t load8(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

/* High bit of every byte of v that is not a digit, lowest byte exact. */
static uint64_t nondigits(uint64_t v)
{
    uint64_t high =
        (v + UINT64_C(0x4646464646464646)) | (v - UINT64_C(0x3030303030303030));
    return (high | v) & UINT64_C(0x8080808080808080);
}

/* Eight digit values, the first in the lowest byte, to a number: pairs, then
 * fours, then all, each step one multiplication. */
static uint64_t eight(uint64_t v)
{
    v = (v * 10) + (v >> 8);
    return (((v & UINT64_C(0x000000FF000000FF)) *
             UINT64_C(0x000F424000000064)) +
            (((v >> 16) & UINT64_C(0x000000FF000000FF)) *
             UINT64_C(0x0000271000000001))) >>
           32;
}

static const uint32_t small_pow10[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

/* Appends the digits at p to *acc; returns behind the last. */
static FLAT const char *digits(const char *p, uint64_t *acc)
{
    for (;;) {
        uint64_t v = load8(p);
        uint64_t stop = nondigits(v);
        v -= UINT64_C(0x3030303030303030);
        if (stop == 0) {
            *acc = *acc * 100000000 + eight(v);
            p += 8;
            continue;
        }
        unsigned n = (unsigned)__builtin_ctzll(stop) / 8;
        if (n) {
            /* Shifting in zeroes at the low end puts leading zeroes. */
            *acc = *acc * small_pow10[n] + eight(v << (64 - 8 * n));
            p += n;
        }
        return p;
    }
}

static const char *exponent(const char *p, int *out)
{
    bool negative = *p == '-';
    int v = 0;

    if (*p == '-' || *p == '+')
        p++;
    if (!is_digit(*p))
        return NULL;
    while (is_digit(*p)) {
        if (v < 100000)
            v = v * 10 + (*p - '0');
        p++;
    }
    *out = negative ? -v : v;
    return p;
}

/* Splits the text at p. False: it is not a number of JSON. */
static FLAT bool split(const char *p, const char *end, struct decimal *d)
{
    d->negative = *p == '-';
    p += d->negative;
    const char *first = p;
    uint64_t acc = 0;

    if (!is_digit(*p))
        return false;
    if (*p == '0') {
        p++;
        if (UNLIKELY(is_digit(*p)))
            return false;
    } else {
        do {
            acc = acc * 10 + (uint64_t)(*p++ - '0');
        } while (is_digit(*p));
    }
    ptrdiff_t n = p - first;
    int e = 0;
    d->integer = true;
    if (*p == '.') {
        const char *dot = ++p;
        if (!is_digit(*p))
            return false;
        p = digits(p, &acc);
        d->integer = false;
        e = (int)(dot - p);
        n += p - dot;
    }
    if (*p == 'e' || *p == 'E') {
        int explicit_e;
        p = exponent(p + 1, &explicit_e);
        if (!p)
            return false;
        d->integer = false;
        e += explicit_e;
    }
    d->truncated = false;
    if (UNLIKELY(n > 19)) {
        /* Zeroes in front do not count: 0.0000001234567890123456789 */
        const char *q = first;
        while (n > 19 && (*q == '0' || *q == '.')) {
            n -= *q == '0';
            q++;
        }
        d->truncated = n > 19;
    }
    d->digits = acc;
    d->exponent = e;
    d->end = p;
    return p <= end;
}

struct format {
    int bits;  /* of the mantissa, with the hidden one */
    int e_min; /* smallest exponent of a normal number */
    int e_max;
};

/* The mantissa and binary exponent nearest to d. False: ask the C library. */
static FLAT bool nearest(const struct decimal *d, struct format f,
                         uint64_t *mantissa, int *e2)
{
    if (UNLIKELY(d->truncated || d->exponent < POW10_MIN ||
                 d->exponent > POW10_MAX))
        return false;

    int lz = __builtin_clzll(d->digits);
    wide product = (wide)(d->digits << lz) * pow10_top(d->exponent);
    uint64_t hi = (uint64_t)(product >> 64), lo = (uint64_t)product;
    /* Without a branch: which of the two cases it is, is a coin toss. */
    int shift = (int)(~hi >> 63);
    uint64_t top = hi << shift | (lo >> 63 & (uint64_t)shift);
    int e = pow10_log2(d->exponent) + 64 - lz - shift;
    if (UNLIKELY(e < f.e_min || e > f.e_max))
        return false;

    int drop = 64 - f.bits;
    uint64_t rest = top & ((UINT64_C(1) << drop) - 1);
    uint64_t half = UINT64_C(1) << (drop - 1);
    bool exact = d->exponent >= 0 && d->exponent <= 27;
    uint64_t m = top >> drop;

    if (exact) {
        uint64_t below = lo << shift;
        m += rest > half || (rest == half && (below != 0 || (m & 1)));
    } else {
        if (UNLIKELY(rest < half && half - rest <= 2))
            return false;
        m += rest >= half; /* the true value is above what we have */
    }
    if (UNLIKELY(m >> f.bits)) {
        m >>= 1;
        if (++e > f.e_max)
            return false;
    }
    *mantissa = m;
    *e2 = e;
    return true;
}

static locale_t c_locale(void)
{
    static locale_t c;
    locale_t have = __atomic_load_n(&c, __ATOMIC_ACQUIRE);

    if (!have) {
        have = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        __atomic_store_n(&c, have, __ATOMIC_RELEASE);
    }
    return have;
}

/* The C library reads until a byte that cannot belong to the number; d->end
 * says where the number stops, and no byte there continues one. */
static double slow_f64(const char *p)
{
    return strtod_l(p, NULL, c_locale());
}

static float slow_f32(const char *p)
{
    return strtof_l(p, NULL, c_locale());
}

static bool special(const char **p, const char *end, double *out)
{
    static const struct {
        const char *text;
        size_t n;
        double value;
    } words[] = {{"NaN", 3, __builtin_nan("")},
                 {"Infinity", 8, __builtin_inf()},
                 {"-Infinity", 9, -__builtin_inf()}};

    for (size_t i = 0; i < COUNT(words); i++) {
        if ((size_t)(end - *p) >= words[i].n &&
            memcmp(*p, words[i].text, words[i].n) == 0) {
            *p += words[i].n;
            *out = words[i].value;
            return true;
        }
    }
    return false;
}

static const struct format format_f32 = {24, -126, 127};
static const struct format format_f64 = {53, -1022, 1023};

static FLAT enum number_result read_f32(const char **p, const char *end,
                                        float *out)
{
    struct decimal d;
    uint64_t m;
    int e;

    if (UNLIKELY(!split(*p, end, &d)))
        return NUMBER_SYNTAX;
    if (d.digits == 0 && !d.truncated) {
        *out = d.negative ? -0.0F : 0.0F;
    } else if (LIKELY(nearest(&d, format_f32, &m, &e))) {
        uint32_t bits = (uint32_t)(m & 0x7fffff) | (uint32_t)(e + 127) << 23 |
                        (uint32_t)d.negative << 31;
        memcpy(out, &bits, sizeof(bits));
    } else {
        float v = slow_f32(*p);
        if (__builtin_isinf(v))
            return NUMBER_RANGE;
        *out = v;
    }
    *p = d.end;
    return NUMBER_OK;
}

enum number_result number_read_f32(const char **p, const char *end, float *out)
{
    double v;
    enum number_result rc = p[0] < end ? read_f32(p, end, out) : NUMBER_SYNTAX;

    if (rc == NUMBER_SYNTAX && special(p, end, &v)) {
        *out = (float)v;
        return NUMBER_OK;
    }
    return rc;
}

enum number_result number_read_f64(const char **p, const char *end, double *out)
{
    struct decimal d;
    uint64_t m;
    int e;

    if (*p >= end || !split(*p, end, &d))
        return special(p, end, out) ? NUMBER_OK : NUMBER_SYNTAX;
    if (d.digits == 0 && !d.truncated) {
        *out = d.negative ? -0.0 : 0.0;
    } else if (nearest(&d, format_f64, &m, &e)) {
        uint64_t bits = (m & UINT64_C(0xfffffffffffff)) |
                        (uint64_t)(e + 1023) << 52 | (uint64_t)d.negative << 63;
        memcpy(out, &bits, sizeof(bits));
    } else {
        double v = slow_f64(*p);
        if (__builtin_isinf(v))
            return NUMBER_RANGE;
        *out = v;
    }
    *p = d.end;
    return NUMBER_OK;
}

static FLAT const char *past_space(const char *p)
{
    while (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')
        p++;
    return p;
}

size_t number_read_f32_run(const char **p, const char *end, float *out,
                           size_t max)
{
    bool simd = number_simd_available();
    const char *at = *p, *first = at;
    size_t n = 0;

    while (n < max) {
        size_t plain = simd && at - first >= NUMBER_PAD
                           ? number_simd_f32_run(&at, end, out + n, max - n)
                           : 0;
        n += plain;
        if (plain == 0) {
            if (UNLIKELY(at >= end || read_f32(&at, end, &out[n]) != NUMBER_OK))
                break;
            n++;
        }
        *p = at;
        const char *next = past_space(at);
        if (*next != ',')
            break;
        at = past_space(next + 1);
    }
    return n;
}

/* True when the digits of d overflowed 64 bits. */
static bool overflowed(const char *p, const struct decimal *d)
{
    uint64_t v = 0;

    p += d->negative;
    for (; p < d->end; p++)
        if (__builtin_mul_overflow(v, 10U, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
            return true;
    return false;
}

static enum number_result read_integer(const char *p, const char *end,
                                       struct decimal *d)
{
    if (p >= end || !split(p, end, d))
        return NUMBER_SYNTAX;
    if (!d->integer)
        return NUMBER_NOT_INTEGER;
    if (d->end - p > 18 && overflowed(p, d))
        return NUMBER_RANGE;
    return NUMBER_OK;
}

enum number_result number_read_i64(const char **p, const char *end,
                                   int64_t *out)
{
    struct decimal d;
    enum number_result rc = read_integer(*p, end, &d);

    if (rc)
        return rc;
    if (d.digits > (uint64_t)INT64_MAX + d.negative)
        return NUMBER_RANGE;
    *out = (int64_t)(d.negative ? 0 - d.digits : d.digits);
    *p = d.end;
    return NUMBER_OK;
}

enum number_result number_read_u64(const char **p, const char *end,
                                   uint64_t *out)
{
    struct decimal d;
    enum number_result rc = read_integer(*p, end, &d);

    if (rc)
        return rc;
    if (d.negative && d.digits)
        return NUMBER_RANGE;
    *out = d.digits;
    *p = d.end;
    return NUMBER_OK;
}
