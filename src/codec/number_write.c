/* Printing numbers.
 *
 * Floats: Schubfach (Raffaello Giulietti, "The Schubfach way to render
 * doubles", 2020): the interval of reals that round to the number is scaled by
 * a power of ten so that it is between 2 and 20 units wide, and the shortest
 * decimal in it is found with three products rounded to odd. For 24 bits the
 * 64-bit powers are enough, for 53 it takes 128; the unit tests read every
 * 9,973rd float and a million doubles back.
 */
#include <string.h>

#include "base/compiler.h"
#include "codec/number.h"
#include "codec/number_internal.h"

/* How many digits: from the bits, and one comparison. */
static size_t digits_of(uint64_t v)
{
    static const uint64_t powers[] = {
        0,
        10,
        100,
        1000,
        10000,
        100000,
        1000000,
        10000000,
        100000000,
        1000000000,
        10000000000,
        100000000000,
        1000000000000,
        10000000000000,
        100000000000000,
        1000000000000000,
        10000000000000000,
        100000000000000000,
        1000000000000000000,
        10000000000000000000u,
    };
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);
    unsigned about = (bits * 1233) >> 12; /* bits times log10(2) */

    return about + (v >= powers[about]);
}

size_t number_write_u64(char *out, uint64_t v)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324"
        "25262728293031323334353637383940414243444546474849"
        "50515253545556575859606162636465666768697071727374"
        "75767778798081828384858687888990919293949596979899";
    size_t n = digits_of(v), at = n;

    while (v >= 100) {
        at -= 2;
        memcpy(out + at, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10)
        memcpy(out, pairs + 2 * v, 2);
    else
        out[0] = (char)('0' + v);
    return n;
}

size_t number_write_i64(char *out, int64_t v)
{
    if (v >= 0)
        return number_write_u64(out, (uint64_t)v);
    *out = '-';
    return 1 + number_write_u64(out + 1, 0 - (uint64_t)v);
}

static size_t put(char *out, const char *text)
{
    size_t n = strlen(text);
    memcpy(out, text, n);
    return n;
}

/* digits * 10^e, digits without trailing zeroes, as Python prints floats: an
 * exponent below 1e-4 and from 1e16 on. */
static size_t layout(char *out, const char *digits, int n, int e)
{
    int point = n + e; /* digits in front of the point */
    char *p = out;

    if (point > 16 || point < -3) {
        *p++ = digits[0];
        if (n > 1) {
            *p++ = '.';
            memcpy(p, digits + 1, (size_t)n - 1);
            p += n - 1;
        }
        *p++ = 'e';
        *p++ = point > 0 ? '+' : '-';
        int x = point > 0 ? point - 1 : 1 - point;
        if (x < 10)
            *p++ = '0';
        p += number_write_u64(p, (uint64_t)x);
    } else if (point <= 0) {
        p += put(p, "0.");
        memset(p, '0', (size_t)-point);
        p += -point;
        memcpy(p, digits, (size_t)n);
        p += n;
    } else if (e >= 0) {
        memcpy(p, digits, (size_t)n);
        p += n;
        memset(p, '0', (size_t)e);
        p += e;
        p += put(p, ".0");
    } else {
        memcpy(p, digits, (size_t)point);
        p += point;
        *p++ = '.';
        memcpy(p, digits + point, (size_t)(n - point));
        p += n - point;
    }
    return (size_t)(p - out);
}

static uint32_t round_to_odd(uint64_t g, uint32_t cp)
{
    wide x = (wide)g * cp;
    return (uint32_t)(x >> 64) | ((uint64_t)x >> 32 > 1);
}

/* floor(log10(2^e)), and of three quarters of it; the constants are log10(2)
 * and log10(4/3) in 22 bits, enough for |e| <= 1500. */
static int log10_of_pow2(int e)
{
    return (e * 1262611) >> 22;
}

static int log10_of_three_quarters(int e)
{
    return (e * 1262611 - 524031) >> 22;
}

/* The shortest decimal between the bounds, all three in quarters of 10^k; if
 * there are several of that length, the one nearest to vb. */
static FLAT uint64_t pick(uint64_t vb, uint64_t lower, uint64_t upper, int k,
                          int *e10)
{
    uint64_t s = vb / 4;

    if (s >= 10) {
        uint64_t sp = s / 10;
        bool up_in = lower <= 40 * sp, wp_in = 40 * sp + 40 <= upper;
        if (up_in != wp_in) {
            *e10 = k + 1;
            return sp + wp_in;
        }
    }
    *e10 = k;
    bool u_in = lower <= 4 * s, w_in = 4 * s + 4 <= upper;
    if (u_in != w_in)
        return s + w_in;
    uint64_t middle = 4 * s + 2;
    return s + (vb > middle || (vb == middle && (s & 1)));
}

/* The shortest decimal for mantissa c (not 0) times 2^q. */
static uint64_t shortest(uint32_t c, int q, bool lower_is_closer, int *e10)
{
    uint32_t odd = c & 1;
    uint32_t cb = 4 * c, cbl = cb - 2 + lower_is_closer, cbr = cb + 2;
    int k = lower_is_closer ? log10_of_three_quarters(q) : log10_of_pow2(q);
    int h = q + pow10_log2(-k) + 1;
    bool exact = -k >= 0 && -k <= 27;
    uint64_t g = pow10_top(-k) + !exact;
    uint32_t vb = round_to_odd(g, cb << h);
    uint32_t lower = round_to_odd(g, cbl << h) + odd;
    uint32_t upper = round_to_odd(g, cbr << h) - odd;
    return pick(vb, lower, upper, k, e10);
}

static size_t write_special(char *out, bool nan, bool negative)
{
    return put(out, nan ? "NaN" : negative ? "-Infinity" : "Infinity");
}

size_t number_write_f32(char *out, float v)
{
    char digits[20];
    uint32_t bits;
    char *p = out;

    memcpy(&bits, &v, sizeof(bits));
    uint32_t fraction = bits & 0x7fffff;
    int exponent = (int)(bits >> 23 & 0xff);

    if (exponent == 0xff)
        return write_special(out, fraction != 0, bits >> 31);
    if (bits >> 31)
        *p++ = '-';
    if ((bits & 0x7fffffff) == 0)
        return (size_t)(p - out) + put(p, "0.0");

    uint32_t c = exponent ? fraction | 0x800000 : fraction;
    int q = (exponent ? exponent : 1) - 150;
    int e10;
    uint64_t d;
    if (q <= 0 && q > -24 && (c & ((1U << -q) - 1)) == 0) {
        d = c >> -q; /* a small whole number */
        e10 = 0;
    } else {
        d = shortest(c, q, fraction == 0 && exponent > 1, &e10);
    }
    while (d % 10 == 0) {
        d /= 10;
        e10++;
    }
    int n = (int)number_write_u64(digits, d);
    return (size_t)(p - out) + layout(p, digits, n, e10);
}

/* The same for doubles, with 128 bits of the power. */
static uint64_t round_to_odd64(uint64_t high, uint64_t low, uint64_t cp)
{
    wide x = (wide)low * cp;
    wide y = (wide)high * cp + (uint64_t)(x >> 64);

    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

static uint64_t shortest64(uint64_t c, int q, bool lower_is_closer, int *e10)
{
    uint64_t odd = c & 1;
    uint64_t cb = 4 * c, cbl = cb - 2 + lower_is_closer, cbr = cb + 2;
    int k = lower_is_closer ? log10_of_three_quarters(q) : log10_of_pow2(q);
    int h = q + pow10_log2(-k) + 1;
    bool exact = -k >= 0 && -k <= 55;
    uint64_t low = pow10_low(-k) + !exact;
    uint64_t high = pow10_top(-k) + (!exact && low == 0);
    uint64_t vb = round_to_odd64(high, low, cb << h);
    uint64_t lower = round_to_odd64(high, low, cbl << h) + odd;
    uint64_t upper = round_to_odd64(high, low, cbr << h) - odd;
    return pick(vb, lower, upper, k, e10);
}

size_t number_write_f64(char *out, double v)
{
    char digits[24];
    uint64_t bits;
    char *p = out;

    memcpy(&bits, &v, sizeof(bits));
    uint64_t fraction = bits & 0xfffffffffffff;
    int exponent = (int)(bits >> 52 & 0x7ff);

    if (exponent == 0x7ff)
        return write_special(out, fraction != 0, bits >> 63);
    if (bits >> 63)
        *p++ = '-';
    if (bits << 1 == 0)
        return (size_t)(p - out) + put(p, "0.0");

    uint64_t c = exponent ? fraction | 1ull << 52 : fraction;
    int q = (exponent ? exponent : 1) - 1075;
    int e10;
    uint64_t d;
    if (q <= 0 && q > -53 && (c & ((1ull << -q) - 1)) == 0) {
        d = c >> -q; /* a small whole number */
        e10 = 0;
    } else {
        d = shortest64(c, q, fraction == 0 && exponent > 1, &e10);
    }
    while (d % 10 == 0) {
        d /= 10;
        e10++;
    }
    int n = (int)number_write_u64(digits, d);
    return (size_t)(p - out) + layout(p, digits, n, e10);
}
