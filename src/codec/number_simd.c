/* Lists of plain floats, 16 characters at a time (SSE4.1).
 *
 * The commas of 64 bytes are found first. One load holds a number of up to 15
 * characters. A comparison gives a mask of what is not a digit, and from it the
 * lengths of whole part and fraction; one shuffle drops the point and moves the
 * digits to the right; three multiply-and-add steps turn 16 digits into one
 * integer. No branch depends on the digits. What does not fit - exponents,
 * longer numbers, odd spacing, doubtful rounding - is left to the general
 * reader.
 */
#include "codec/number_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "base/compiler.h"

#define SSE41 __attribute__((target("sse4.1")))

bool number_simd_available(void)
{
    return __builtin_cpu_supports("sse4.1");
}

/* Digits of v at [0, whole) and (whole, all): their value. */
SSE41 static FLAT uint64_t value_of(__m128i v, int whole, int digits)
{
    static const unsigned char align[32] = {
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
        0x80, 0x80, 0x80, 0x80, 0x80, 0,    1,    2,    3,    4,    5,
        6,    7,    8,    9,    10,   11,   12,   13,   14,   15};
    const __m128i tens = _mm_set1_epi16(0x010a);
    const __m128i hundreds = _mm_set1_epi32(0x00010064);
    const __m128i myriads = _mm_set1_epi32(0x00012710);
    __m128i to =
        _mm_loadu_si128((const __m128i *)(const void *)(align + digits));
    /* Behind the point everything comes from one further on. */
    to = _mm_sub_epi8(to, _mm_cmpgt_epi8(to, _mm_set1_epi8((char)(whole - 1))));
    v = _mm_shuffle_epi8(_mm_sub_epi8(v, _mm_set1_epi8('0')), to);
    v = _mm_maddubs_epi16(v, tens);
    v = _mm_madd_epi16(v, hundreds);
    v = _mm_madd_epi16(_mm_packus_epi32(v, v), myriads);
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(v);
    return (both & 0xffffffff) * 100000000 + (both >> 32);
}

/* digits * 10^-fraction as a float, or false when the C library must decide:
 * the same arithmetic as in number_read.c. */
static FLAT bool to_float(uint64_t digits, int fraction, uint32_t sign,
                          float *out)
{
    int lz = __builtin_clzll(digits);
    wide product = (wide)(digits << lz) * pow10_top(-fraction);
    uint64_t hi = (uint64_t)(product >> 64), lo = (uint64_t)product;
    int shift = (int)(~hi >> 63);
    uint64_t top = hi << shift | (lo >> 63 & (uint64_t)shift);
    uint64_t rest = top & ((UINT64_C(1) << 40) - 1), half = UINT64_C(1) << 39;
    uint32_t exponent =
        (uint32_t)(pow10_log2(-fraction) + 64 - lz - shift + 127);

    if (UNLIKELY(rest - (half - 2) <= 2))
        return false;
    /* A carry out of the mantissa runs into the exponent, as it should. */
    uint32_t bits =
        (exponent << 23) + ((uint32_t)(top >> 40) & 0x7fffff) + (rest > half);
    bits |= sign;
    memcpy(out, &bits, sizeof(bits));
    return true;
}

/* The commas among the 64 bytes at p, as bits. */
SSE41 static FLAT uint64_t commas(const char *p)
{
    const __m128i comma = _mm_set1_epi8(',');
    uint64_t mask = 0;

    for (int i = 0; i < 4; i++) {
        __m128i v =
            _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, comma))
                << 16 * i;
    }
    return mask;
}

/* The number in [p, end), which has a comma behind it. */
SSE41 static FLAT bool one(const char *p, const char *end, float *out)
{
    p += *p == ' ';
    uint32_t negative = *p == '-';
    p += negative;
    unsigned all = (unsigned)(end - p);
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i d = _mm_sub_epi8(v, _mm_set1_epi8('0'));
    unsigned digit = (unsigned)_mm_movemask_epi8(
        _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d));
    if (UNLIKELY(all < 3 || all > 15))
        return false;
    unsigned other = ~digit & ((1U << all) - 1);
    unsigned whole = (unsigned)__builtin_ctz(other | 0x10000);
    /* Digits, one point, digits; no 0 in front of other digits. */
    if (UNLIKELY(other != 1U << whole || whole == 0 || whole + 1 == all ||
                 p[whole] != '.' || (*p == '0' && whole > 1)))
        return false;
    uint64_t digits = value_of(v, (int)whole, (int)all - 1);
    return LIKELY(digits != 0) &&
           LIKELY(
               to_float(digits, (int)(all - 1 - whole), negative << 31, out));
}

/* Finding the commas first makes the numbers independent of each other, so
 * that the processor reads several at once. */
SSE41 size_t number_simd_f32_run(const char **p, const char *end, float *out,
                                 size_t max)
{
    const char *from = *p;
    size_t n = 0;

    while (end - from >= 64) {
        const char *base = from;
        uint64_t mask = commas(base);
        if (mask == 0)
            return n;
        while (mask) {
            const char *comma = base + __builtin_ctzll(mask);
            if (UNLIKELY(n == max || !one(from, comma, &out[n])))
                return n;
            n++;
            *p = comma;
            from = comma + 1;
            mask &= mask - 1;
        }
    }
    return n;
}

#else

bool number_simd_available(void)
{
    return false;
}

size_t number_simd_f32_run(const char **p, const char *end, float *out,
                           size_t max)
{
    (void)p;
    (void)end;
    (void)out;
    (void)max;
    return 0;
}

#endif
