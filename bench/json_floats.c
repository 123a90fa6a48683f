/* How fast a JSON list of floats becomes a tensor, on one core.
 *
 * An image of 1x3x224x224 as JSON numbers of up to nine digits, read by the
 * list reader of the server and, for comparison, by the C library. Prints the
 * best of the time given for each, and checks that both agree bit by bit.
 *
 * Usage: bench_json_floats [SECONDS [DECIMALS]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/number.h"

enum { COUNT_OF = 150528, WIDTH = 24 };

static char *make_text(size_t *len, int decimals)
{
    char *text = malloc((size_t)COUNT_OF * WIDTH + NUMBER_PAD);
    char *p = text;

    if (!text)
        exit(1);
    srand(1);
    for (int i = 0; i < COUNT_OF; i++) {
        double v = (double)rand() / RAND_MAX * 5.2 - 2.6;
        p += decimals > 0 ? snprintf(p, WIDTH, "%.*f", decimals, v)
                          : snprintf(p, WIDTH, "%.9g", (double)(float)v);
        *p++ = ',';
    }
    p[-1] = ']';
    memset(p, 0, NUMBER_PAD);
    *len = (size_t)(p - text);
    return text;
}

static void with_stoker(const char *text, size_t len, float *out)
{
    const char *p = text;

    if (number_read_f32_run(&p, text + len, out, COUNT_OF) != COUNT_OF)
        exit(1);
}

static void with_libc(const char *text, size_t len, float *out)
{
    char *p = (char *)text;

    (void)len;
    for (int i = 0; i < COUNT_OF; i++)
        out[i] = strtof(p, &p), p++;
}

static double best(void (*reader)(const char *, size_t, float *),
                   const char *text, size_t len, float *out, double seconds)
{
    int64_t stop = clock_mono_ns() + (int64_t)(seconds * 1e9);
    int64_t fastest = INT64_MAX;

    do {
        int64_t from = clock_mono_ns();
        reader(text, len, out);
        int64_t took = clock_mono_ns() - from;
        fastest = took < fastest ? took : fastest;
    } while (clock_mono_ns() < stop);
    return (double)fastest;
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1.5;
    size_t len;
    char *text = make_text(&len, argc > 2 ? atoi(argv[2]) : 0);
    static float a[COUNT_OF], b[COUNT_OF];

    double ours = best(with_stoker, text, len, a, seconds);
    double libc = best(with_libc, text, len, b, seconds);
    printf("%zu bytes, %d floats\n", len, COUNT_OF);
    printf("stoker  %5.2f GB/s  %5.1f ns a number\n", (double)len / ours,
           ours / COUNT_OF);
    printf("strtof  %5.2f GB/s  %5.1f ns a number  (stoker is %.1f x)\n",
           (double)len / libc, libc / COUNT_OF, libc / ours);
    printf("results %s\n",
           memcmp(a, b, sizeof(a)) ? "DIFFER" : "identical, bit by bit");
    free(text);
    return memcmp(a, b, sizeof(a)) != 0;
}
