#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>

#include "codec/go_float.h"
#include "codec/number.h"
#include "codec/number_internal.h"

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

TEST(number_f32_is_rounded_as_strtof_does)
{
    /* Halfway cases, limits, subnormals, long tails. */
    static const char *const hard[] = {
        "0", "-0", "0.0", "1", "-1.5", "16777217", "16777219", "8388608.5",
        "8388609.5", "0.500000029802322387695", "0.50000002980232238769531250",
        "1.17549435e-38", "1.17549421069244107548702944484928734882705242874e-38",
        "1.401298464324817e-45", "0.7006492321624085354618e-45",
        "7.006492321624086e-46", "3.4028234663852886e38",
        "3.40282356779733661637539395458142568447e38",
        "340282346638528859811704183484516925440", "1e-400", "0e999999999",
        "123456789012345678901234567890", "0.00000000000000000000000000001",
        "9007199254740993", "1.00000017881393421514957253748434595763683319091796875001",
        "4.5", "2.5e-1", "1E+2", "0.1e1",
    };
    uint64_t seed = 88172645463325252;

    for (size_t i = 0; i < COUNT(hard) + 300000; i++) {
        char text[200] = {0};
        if (i < COUNT(hard)) {
            snprintf(text, 100, "%s", hard[i]);
        } else if (i % 2) {
            snprintf(text, 100, "%llu.%llue%d",
                     (unsigned long long)(next(&seed) % 100),
                     (unsigned long long)(next(&seed) >> (next(&seed) % 60)),
                     (int)(next(&seed) % 90) - 45);
        } else {
            /* Exactly between two floats. */
            uint32_t bits = (uint32_t)next(&seed) & 0x7f7fffff, up = bits + 1;
            float a, b;
            memcpy(&a, &bits, 4);
            memcpy(&b, &up, 4);
            if (!isfinite(b))
                continue;
            snprintf(text, 180, "%.120g", ((double)a + (double)b) / 2);
        }
        ROW("%s", text);
        const char *p = text, *end = text + strlen(text);
        float got = 0, want = strtof(text, NULL);
        enum number_result rc = number_read_f32(&p, end, &got);
        if (isinf(want)) {
            CHECK_INT(rc, NUMBER_RANGE);
            continue;
        }
        CHECK(rc == NUMBER_OK && p == end && memcmp(&got, &want, 4) == 0);
        double d = 0, dwant = strtod(text, NULL);
        p = text;
        CHECK(number_read_f64(&p, end, &d) == NUMBER_OK &&
              memcmp(&d, &dwant, 8) == 0);
    }
}

TEST(number_prints_the_shortest_that_reads_back)
{
    static const struct {
        float v;
        const char *want;
    } cases[] = {
        {0.0F, "0.0"},         {-0.0F, "-0.0"},     {1.0F, "1.0"},
        {0.1F, "0.1"},         {-2.5F, "-2.5"},     {1e-5F, "1e-05"},
        {0.0001F, "0.0001"},   {1e16F, "1e+16"},    {123456.0F, "123456.0"},
        {3.4028235e38F, "3.4028235e+38"},           {1e-45F, "1e-45"},
        {16777216.0F, "16777216.0"},                {0.3F, "0.3"},
    };
    char text[NUMBER_TEXT_MAX * 2];

    for (size_t i = 0; i < COUNT(cases); i++) {
        ROW("%s", cases[i].want);
        CHECK_STR(((struct str){text, number_write_f32(text, cases[i].v)}),
                  cases[i].want);
    }
    CHECK_STR(((struct str){text, number_write_f32(text, NAN)}), "NaN");
    CHECK_STR(((struct str){text, number_write_f64(text, -INFINITY)}), "-Infinity");
    CHECK_STR(((struct str){text, number_write_f64(text, 0.1)}), "0.1");
    CHECK_STR(((struct str){text, number_write_f64(text, 1e22)}), "1e+22");
    for (uint64_t u = 0; u < UINT64_C(1) << 32; u += 9973) {
        uint32_t bits = (uint32_t)u;
        float v, back;
        memcpy(&v, &bits, 4);
        if (isnan(v))
            continue;
        memset(text, 0, sizeof(text));
        size_t n = number_write_f32(text, v);
        const char *p = text;
        ROW("%08x", bits);
        CHECK(number_read_f32(&p, text + n, &back) == NUMBER_OK &&
              memcmp(&v, &back, 4) == 0 && p == text + n);
    }
}

TEST(number_syntax_is_that_of_json)
{
    static const struct {
        const char *text;
        enum number_result want;
    } cases[] = {
        {"", NUMBER_SYNTAX},   {"-", NUMBER_SYNTAX},   {"01", NUMBER_SYNTAX},
        {".5", NUMBER_SYNTAX}, {"1.", NUMBER_SYNTAX},  {"+1", NUMBER_SYNTAX},
        {"1e", NUMBER_SYNTAX}, {"0x10", NUMBER_OK},    {"nan", NUMBER_SYNTAX},
        {"NaN", NUMBER_OK},    {"-Infinity", NUMBER_OK}, {"inf", NUMBER_SYNTAX},
        {"1e39", NUMBER_RANGE}, {"-1e39", NUMBER_RANGE}, {"1e-99", NUMBER_OK},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[64] = {0};
        float v;
        snprintf(text, 32, "%s", cases[i].text);
        const char *p = text;
        ROW("%s", text);
        CHECK_INT(number_read_f32(&p, text + strlen(text), &v), cases[i].want);
        CHECK(cases[i].want == NUMBER_OK || p == text);
    }
}

TEST(number_integers_have_bounds)
{
    static const struct {
        const char *text;
        enum number_result i64, u64;
    } cases[] = {
        {"0", NUMBER_OK, NUMBER_OK},
        {"-1", NUMBER_OK, NUMBER_RANGE},
        {"9223372036854775807", NUMBER_OK, NUMBER_OK},
        {"9223372036854775808", NUMBER_RANGE, NUMBER_OK},
        {"-9223372036854775808", NUMBER_OK, NUMBER_RANGE},
        {"-9223372036854775809", NUMBER_RANGE, NUMBER_RANGE},
        {"18446744073709551615", NUMBER_RANGE, NUMBER_OK},
        {"18446744073709551616", NUMBER_RANGE, NUMBER_RANGE},
        {"99999999999999999999999", NUMBER_RANGE, NUMBER_RANGE},
        {"1.0", NUMBER_NOT_INTEGER, NUMBER_NOT_INTEGER},
        {"1e3", NUMBER_NOT_INTEGER, NUMBER_NOT_INTEGER},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[64] = {0};
        int64_t s;
        uint64_t u;
        snprintf(text, 40, "%s", cases[i].text);
        const char *p = text, *end = text + strlen(text);
        ROW("%s", text);
        CHECK_INT(number_read_i64(&p, end, &s), cases[i].i64);
        p = text;
        CHECK_INT(number_read_u64(&p, end, &u), cases[i].u64);
    }
}

TEST(number_powers_of_ten_have_the_right_exponent)
{
    for (int q = POW10_MIN; q <= POW10_MAX; q++) {
        long double exact = powl(10.0L, q);
        int e;
        ROW("10^%d", q);
        (void)frexpl(exact, &e);
        CHECK_INT(pow10_log2(q), e - 1);
        CHECK(pow10_top(q) >> 63);
    }
}

/* Long lists go through other code than single numbers: every number of them
 * must still be strtof's, and a mistake must stop the run at its place. */
TEST(number_lists_equal_single_numbers)
{
    static char text[1 << 16];
    static float out[4096];
    uint64_t seed = 42;

    for (int round = 0; round < 3000; round++) {
        size_t n = 0, count = next(&seed) % 60 + 1;
        const char *starts[64];
        for (size_t i = 0; i < count; i++) {
            static const char *const odd[] = {"0.0", "-0.5", "16777217.0", "1e3", "0.1234567890123", "8388608.5",
                                              "123456789.123456789", "5", "-7", "0.50000002980232238769",
                                              "99999999999.5", "0.000000000001", "1.17549435e-38"};
            starts[i] = text + n;
            if (next(&seed) % 8 == 0)
                n += (size_t)sprintf(text + n, "%s", odd[next(&seed) % COUNT(odd)]);
            else
                n += (size_t)sprintf(text + n, "%.*f", (int)(next(&seed) % 9) + 1,
                                     (double)((int64_t)(next(&seed) % 2000001) - 1000000) / 997.0);
            text[n++] = ',';
            if (round % 3 == 0)
                text[n++] = ' ';
        }
        n -= round % 3 == 0 ? 2 : 1;
        text[n] = ']';
        memset(text + n + 1, 0, 64);
        const char *p = text;
        ROW("%d: %.100s", round, text);
        size_t got = number_read_f32_run(&p, text + n, out, COUNT(out));
        CHECK_INT(got, count);
        CHECK(p == text + n);
        for (size_t i = 0; i < got; i++) {
            float want = strtof(starts[i], NULL);
            CHECK(memcmp(&want, &out[i], sizeof(want)) == 0);
        }
        /* A letter somewhere: nothing at or behind it is read. */
        size_t at = next(&seed) % n, before = 0;
        text[at] = 'x';
        p = text;
        got = number_read_f32_run(&p, text + n, out, COUNT(out));
        while (before < count && starts[before] <= text + at)
            before++;
        CHECK(got <= before && p <= text + at);
    }
}

/* No more digits than the C library needs, and the same number again. */
TEST(doubles_print_the_shortest_text_that_reads_back)
{
    uint64_t seed = 88172645463325252u;
    char text[NUMBER_TEXT_MAX + 1], wanted[40];

    for (int i = 0; i < 200000; i++) {
        uint64_t r = next(&seed), bits = i % 3 ? r >> i % 3 * 6 : r;
        double v;
        int precision = 1, digits = 0;
        memcpy(&v, &bits, sizeof(v));
        if (i % 5 == 0)
            v = (double)(r >> 40) / 1000;
        if (!isfinite(v) || v == 0)
            continue;
        text[number_write_f64(text, v)] = '\0';
        ROW("%a %s", v, text);
        CHECK(strtod(text, NULL) == v);
        do
            snprintf(wanted, sizeof(wanted), "%.*e", precision - 1, v);
        while (strtod(wanted, NULL) != v && ++precision < 18);
        bool leading = true;
        int zeros = 0;
        for (const char *p = text; *p && *p != 'e'; p++) {
            leading = leading && (*p == '0' || *p == '.' || *p == '-');
            if (leading || *p == '.')
                continue;
            zeros = *p == '0' ? zeros + 1 : 0;
            digits++;
        }
        CHECK(digits - zeros <= precision);
    }
}

TEST(floats_print_as_go_prints_them)
{
    static const struct {
        double v;
        const char *f, *e, *g, *api;
    } cases[] = {
        {0, "0", "0e+00", "0", "0"},
        {-0.0, "-0", "-0e+00", "-0", "-0"},
        {1, "1", "1e+00", "1", "1"},
        {91, "91", "9.1e+01", "91", "91"},
        {0.1, "0.1", "1e-01", "0.1", "0.1"},
        {1e6, "1000000", "1e+06", "1e+06", "1000000"},
        {123456789, "123456789", "1.23456789e+08", "1.23456789e+08",
         "123456789"},
        {1e-5, "0.00001", "1e-05", "1e-05", "0.00001"},
        {1e-7, "0.0000001", "1e-07", "1e-07", "1e-07"},
        {1.5e22, "15000000000000000000000", "1.5e+22", "1.5e+22", "1.5e+22"},
        {1e20, "100000000000000000000", "1e+20", "1e+20",
         "100000000000000000000"},
        {0.30000000000000004, "0.30000000000000004", "3.0000000000000004e-01",
         "0.30000000000000004", "0.30000000000000004"},
    };
    char text[GO_FLOAT_MAX];

    for (size_t i = 0; i < COUNT(cases); i++) {
        ROW("%a", cases[i].v);
        double v = cases[i].v;
        CHECK_STR(((struct str){text, go_float(text, 'f', v)}), cases[i].f);
        CHECK_STR(((struct str){text, go_float(text, 'e', v)}), cases[i].e);
        CHECK_STR(((struct str){text, go_float(text, 'g', v)}), cases[i].g);
        CHECK_STR(((struct str){text, go_float_api(text, v)}), cases[i].api);
    }
    CHECK_STR(((struct str){text, go_float(text, 'f', (double)INFINITY)}),
              "+Inf");
    CHECK_STR(((struct str){text, go_float(text, 'f', -(double)INFINITY)}),
              "-Inf");
    CHECK_STR(((struct str){text, go_float(text, 'f', (double)NAN)}), "NaN");
}
