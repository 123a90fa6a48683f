/* Lists of plain floats, four at a time (AVX2).
 *
 * The commas of up to 512 bytes are found first, which makes the numbers
 * independent of each other. A load that ends at the comma holds a number of
 * up to 16 characters; a mask of what is not a digit gives its parts, and one
 * shuffle closes the gap that the point leaves. Four such vectors become four
 * integers with three multiply-and-add steps, then four doubles, divided by
 * their powers of ten. No branch depends on the digits.
 *
 * Exactness: up to 15 digits and powers up to 10^14 are exact doubles, so the
 * quotient is the double nearest to the number. Rounding that to float is right
 * unless the double lies halfway between two floats; such numbers, exponents,
 * longer numbers and odd spacing are left to the general reader.
 */
#include "codec/number_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "base/compiler.h"
#include "codec/number.h"

#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

enum {
    STEP = 64,       /* bytes whose commas make one word */
    FIRST = STEP,    /* a short list is not searched far */
    MOST = 8 * STEP, /* bytes searched before the numbers are read */
    GROUP = 4,       /* numbers that are read together */
    FLATTEN = 8,     /* commas written in one go */
    DIGITS_MAX = 15, /* what a double holds for certain */
};

bool number_simd_available(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

/* What is known of a number besides its digits. */
struct parts {
    unsigned fraction; /* digits behind the point */
    unsigned negative;
    unsigned odd; /* not 0: not for this reader */
};

/* The digits of the number in (start - 1, end), to the right of the vector. */
AVX2 static FLAT __m128i digits_of(const char *start, const char *end,
                                   struct parts *n)
{
    /* Bytes -1 up to some place, 0 behind it. */
    static const char upto[32] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                  -1, -1, -1, -1, -1, -1, -1, -1};
    const __m128i identity =
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);

    start += *start == ' ';
    n->negative = *start == '-';
    start += n->negative;

    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));
    __m128i d = _mm_sub_epi8(v, _mm_set1_epi8('0'));
    unsigned other = 0xffff ^ (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(
                                  _mm_min_epu8(d, _mm_set1_epi8(9)), d));
    unsigned points =
        (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')));
    /* Places behind the last character that is no digit: the fraction, if
     * that character is a point. */
    unsigned behind = _lzcnt_u32(other << 16 | 0x8000);
    unsigned point = points << behind >> 15 & 1;
    other ^= point << 15 >> behind;
    unsigned all = (unsigned)(end - start);
    unsigned digits = all - point;
    n->fraction = point ? behind : 0;
    /* What is in front of the digits must be what start says. */
    n->odd = (_lzcnt_u32(other << 16 | 0x8000) != all) |
             (digits - 1 >= DIGITS_MAX) | (behind == 0) |
             (n->fraction >= digits) |
             ((*start == '0') & (digits - n->fraction > 1));

    const char *gap = upto + (point ? behind : 16);
    const char *front = upto + (digits & 15);
    __m128i from = _mm_add_epi8(
        identity, _mm_loadu_si128((const __m128i *)(const void *)gap));
    return _mm_andnot_si128(
        _mm_loadu_si128((const __m128i *)(const void *)front),
        _mm_shuffle_epi8(d, from));
}

/* Reads the four numbers that start at text[at[0]] ... text[at[3]]; each ends
 * at the comma in front of the next. Not 0: at least one is not for us. */
AVX2 static FLAT unsigned four(const char *text, const uint32_t *at, float *out)
{
    static const double pow10[16] = {1e0,  1e1,  1e2,  1e3, 1e4,  1e5,
                                     1e6,  1e7,  1e8,  1e9, 1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15};
    const __m256i tens = _mm256_set1_epi16(0x010a);
    const __m256i hundreds = _mm256_set1_epi32(0x00010064);
    const __m256i myriads = _mm256_set1_epi32(0x00012710);
    const __m256i two52 = _mm256_set1_epi64x(0x4330000000000000);
    struct parts n[GROUP];
    __m128i d[GROUP];

    for (int i = 0; i < GROUP; i++)
        d[i] = digits_of(text + at[i], text + at[i + 1] - 1, &n[i]);

    /* Pairs of digits, fours, eights; the packing keeps the numbers in order
     * because the halves of a vector are packed apart. */
    __m256i a = _mm256_set_m128i(d[2], d[0]), b = _mm256_set_m128i(d[3], d[1]);
    a = _mm256_madd_epi16(_mm256_maddubs_epi16(a, tens), hundreds);
    b = _mm256_madd_epi16(_mm256_maddubs_epi16(b, tens), hundreds);
    a = _mm256_madd_epi16(_mm256_packus_epi32(a, b), myriads);
    a = _mm256_add_epi64(_mm256_mul_epu32(a, _mm256_set1_epi64x(100000000)),
                         _mm256_srli_epi64(a, 32));

    __m256d v = _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(a, two52)),
                              _mm256_castsi256_pd(two52));
    v = _mm256_div_pd(
        v, _mm256_set_pd(pow10[n[3].fraction & 15], pow10[n[2].fraction & 15],
                         pow10[n[1].fraction & 15], pow10[n[0].fraction & 15]));
    __m256i half =
        _mm256_cmpeq_epi64(_mm256_and_si256(_mm256_castpd_si256(v),
                                            _mm256_set1_epi64x((1 << 29) - 1)),
                           _mm256_set1_epi64x(1 << 28));
    __m128 sign = _mm_castsi128_ps(
        _mm_slli_epi32(_mm_setr_epi32((int)n[0].negative, (int)n[1].negative,
                                      (int)n[2].negative, (int)n[3].negative),
                       31));
    _mm_storeu_ps(out, _mm_or_ps(_mm256_cvtpd_ps(v), sign));
    return n[0].odd | n[1].odd | n[2].odd | n[3].odd |
           (unsigned)_mm256_movemask_epi8(half);
}

/* The same with the general reader. Returns how many numbers were read. */
static size_t one_by_one(const char *text, const uint32_t *at, float *out)
{
    for (size_t i = 0; i < GROUP; i++) {
        const char *p = text + at[i], *end = text + at[i + 1] - 1;
        p += *p == ' ';
        if (number_read_f32(&p, end, &out[i]) != NUMBER_OK || p != end)
            return i;
    }
    return GROUP;
}

/* Writes the places behind the commas in text[0, len), len a multiple of
 * STEP; returns how many. */
AVX2 static FLAT size_t find_commas(const char *text, size_t len, uint32_t *at)
{
    const __m256i comma = _mm256_set1_epi8(',');
    size_t n = 0;

    for (size_t i = 0; i < len; i += STEP) {
        const __m256i *v = (const __m256i *)(const void *)(text + i);
        uint64_t low = (unsigned)_mm256_movemask_epi8(
            _mm256_cmpeq_epi8(_mm256_loadu_si256(v), comma));
        uint64_t high = (unsigned)_mm256_movemask_epi8(
            _mm256_cmpeq_epi8(_mm256_loadu_si256(v + 1), comma));
        uint64_t mask = low | high << 32;
        size_t count = (size_t)_mm_popcnt_u64(mask);
        /* Always a few in one go: how many there are is not predictable. */
        for (size_t k = 0; k < count; k += FLATTEN) {
            for (size_t j = 0; j < FLATTEN; j++) {
                at[n + k + j] = (uint32_t)(i + 1 + _tzcnt_u64(mask));
                mask &= mask - 1;
            }
        }
        n += count;
    }
    return n;
}

AVX2 size_t number_simd_f32_run(const char **p, const char *end, float *out,
                                size_t max)
{
    uint32_t at[1 + MOST + FLATTEN];
    const char *text = *p;
    size_t n = 0, want = FIRST, i;

    do {
        size_t len = (size_t)(end - text) & ~(size_t)(STEP - 1);
        len = len < want ? len : want;
        size_t commas = find_commas(text, len, at + 1), some = GROUP;
        at[0] = 0;
        for (i = 0; i + GROUP <= commas && max - n >= GROUP; i += some) {
            if (UNLIKELY(four(text, at + i, out + n)))
                some = one_by_one(text, at + i, out + n);
            n += some;
            if (some < GROUP) {
                i += some;
                text += at[i];
                goto done;
            }
        }
        text += at[i];
        want = MOST;
    } while (i);
done:
    if (n)
        *p = text - 1; /* the comma behind the last number */
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
