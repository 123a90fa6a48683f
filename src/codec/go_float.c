#include "codec/go_float.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "codec/number.h"

/* v = 0.digits * 10^point */
struct digits {
    char d[24];
    int n, point;
};

/* Takes the shortest digits out of what number.h prints. */
static struct digits digits_of(double v)
{
    char text[NUMBER_TEXT_MAX];
    size_t length = number_write_f64(text, fabs(v));
    struct digits r = {.n = 0};
    bool dot = false;
    size_t i = 0;

    for (; i < length && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] == '.') {
            dot = true;
            continue;
        }
        if (text[i] == '0' && r.n == 0) { /* leading */
            r.point -= dot;
            continue;
        }
        r.d[r.n++] = text[i];
        r.point += !dot;
    }
    if (i < length) {
        int exponent = 0, minus = text[i + 1] == '-';
        for (size_t k = i + 1; k < length; k++)
            if (text[k] >= '0' && text[k] <= '9')
                exponent = exponent * 10 + (text[k] - '0');
        r.point += minus ? -exponent : exponent;
    }
    while (r.n && r.d[r.n - 1] == '0')
        r.n--;
    if (r.n == 0)
        r.point = 1;
    return r;
}

static char *put_plain(char *out, const struct digits *d)
{
    if (d->point <= 0)
        *out++ = '0';
    for (int i = 0; i < d->point; i++)
        *out++ = i < d->n ? d->d[i] : '0';
    if (d->n <= d->point)
        return out;
    *out++ = '.';
    for (int i = d->point; i < 0; i++)
        *out++ = '0';
    for (int i = d->point < 0 ? 0 : d->point; i < d->n; i++)
        *out++ = d->d[i];
    return out;
}

static char *put_exponent(char *out, const struct digits *d)
{
    int exponent = d->n ? d->point - 1 : 0;

    *out++ = d->n ? d->d[0] : '0';
    if (d->n > 1) {
        *out++ = '.';
        memcpy(out, d->d + 1, (size_t)d->n - 1);
        out += d->n - 1;
    }
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    if (exponent < 10)
        *out++ = '0';
    return out + number_write_u64(out, (uint64_t)exponent);
}

static size_t put_word(char *out, const char *word)
{
    size_t n = strlen(word);

    memcpy(out, word, n);
    return n;
}

size_t go_float(char out[GO_FLOAT_MAX], char format, double v)
{
    char *p = out;

    if (isnan(v))
        return put_word(out, "NaN");
    if (isinf(v))
        return put_word(out, v > 0 ? "+Inf" : "-Inf");
    struct digits d = digits_of(v);
    if (signbit(v))
        *p++ = '-';
    if (format == 'g')
        format = d.n && (d.point - 1 < -4 || d.point - 1 >= 6) ? 'e' : 'f';
    p = format == 'e' ? put_exponent(p, &d) : put_plain(p, &d);
    return (size_t)(p - out);
}

size_t go_float_api(char out[GO_FLOAT_MAX], double v)
{
    double size = fabs(v);

    /* Most numbers: number.h writes them the same, but for the ".0" of whole
     * ones. */
    if (size == 0 || (size >= 1e-3 && size < 1e15)) {
        size_t n = number_write_f64(out, v);
        return n > 2 && out[n - 1] == '0' && out[n - 2] == '.' ? n - 2 : n;
    }
    return go_float(out, size != 0 && (size < 1e-6 || size >= 1e21) ? 'e' : 'f',
                    v);
}
