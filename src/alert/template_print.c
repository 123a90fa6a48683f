/* template_print.c - printf, and numbers for people. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/template_internal.h"
#include "codec/go_float.h"
#include "series/labels.h"

enum { WIDTH_MAX = 200 };

/* ---- numbers for people ------------------------------------------------- */

/* Go's %.4g: C's, but for exponents and what is no number. */
static void put_short(struct buf *out, double v)
{
    char text[GO_FLOAT_MAX];

    if (isnan(v) || isinf(v))
        buf_put(out, (struct str){text, go_float(text, 'g', v)});
    else
        buf_printf(out, "%.4g", v);
}

static void put_scaled(struct buf *out, double v, double by,
                       const char *const *units, size_t n, bool down)
{
    const char *unit = "";

    for (size_t i = 0; i < n; i++) {
        if (down ? fabs(v) >= 1 : fabs(v) < by)
            break;
        v = down ? v * by : v / by;
        unit = units[i];
    }
    put_short(out, v);
    buf_puts(out, unit);
}

static const char *const small[] = {"m", "u", "n", "p", "f", "a", "z", "y"};

void humanize(struct buf *out, double v)
{
    static const char *const large[] = {"k", "M", "G", "T", "P", "E", "Z", "Y"};

    if (v == 0 || isnan(v) || isinf(v))
        put_short(out, v);
    else if (fabs(v) >= 1)
        put_scaled(out, v, 1000, large, COUNT(large), false);
    else
        put_scaled(out, v, 1000, small, COUNT(small), true);
}

void humanize1024(struct buf *out, double v)
{
    static const char *const large[] = {"ki", "Mi", "Gi", "Ti",
                                        "Pi", "Ei", "Zi", "Yi"};

    if (fabs(v) <= 1 || isnan(v) || isinf(v))
        put_short(out, v);
    else
        put_scaled(out, v, 1024, large, COUNT(large), false);
}

void humanize_duration(struct buf *out, double v)
{
    const char *sign = v < 0 ? "-" : "";

    if (isnan(v) || isinf(v)) {
        put_short(out, v);
    } else if (v == 0) {
        buf_puts(out, "0s");
    } else if (fabs(v) < 1) {
        put_scaled(out, v, 1000, small, COUNT(small), true);
        buf_putc(out, 's');
    } else if (fabs(v) >= 9e15) {
        put_short(out, v);
        buf_putc(out, 's');
    } else {
        int64_t whole = (int64_t)fabs(v);
        long long s = whole % 60, m = whole / 60 % 60, h = whole / 3600 % 24;
        long long d = whole / 86400;
        if (d)
            buf_printf(out, "%s%lldd %lldh %lldm %llds", sign, d, h, m, s);
        else if (h)
            buf_printf(out, "%s%lldh %lldm %llds", sign, h, m, s);
        else if (m)
            buf_printf(out, "%s%lldm %llds", sign, m, s);
        else {
            put_short(out, v);
            buf_putc(out, 's');
        }
    }
}

/* ---- printf ------------------------------------------------------------- */

struct verb {
    char flags[8];        /* for C */
    int width, precision; /* -1: none */
    char letter;
};

/* Behind the %. False: the format ends in the middle. */
static bool take_verb(struct str *in, struct verb *v)
{
    size_t n = 0, i = 0;

    *v = (struct verb){.width = -1, .precision = -1};
    while (i < in->n && memchr("+-# 0", in->p[i], 5)) {
        if (n < 5)
            v->flags[n++] = in->p[i];
        i++;
    }
    for (; i < in->n && in->p[i] >= '0' && in->p[i] <= '9'; i++)
        v->width = v->width >= WIDTH_MAX
                       ? WIDTH_MAX
                       : (v->width < 0 ? 0 : v->width) * 10 + (in->p[i] - '0');
    if (i < in->n && in->p[i] == '.') {
        v->precision = 0;
        for (i++; i < in->n && in->p[i] >= '0' && in->p[i] <= '9'; i++)
            v->precision = v->precision >= WIDTH_MAX
                               ? WIDTH_MAX
                               : v->precision * 10 + (in->p[i] - '0');
    }
    if (v->width > WIDTH_MAX)
        v->width = WIDTH_MAX;
    if (i == in->n)
        return false;
    v->letter = in->p[i];
    *in = str_slice(*in, i + 1, in->n);
    return true;
}

/* A text with the verb's width, filled with blanks. */
static void put_padded(struct buf *out, const struct verb *v, struct str s)
{
    size_t width = v->width > 0 ? (size_t)v->width : 0;
    bool left = strchr(v->flags, '-') != NULL;

    for (size_t i = s.n; !left && i < width; i++)
        buf_putc(out, ' ');
    buf_put(out, s);
    for (size_t i = s.n; left && i < width; i++)
        buf_putc(out, ' ');
}

static void put_number(struct buf *out, const struct verb *v, const char *size,
                       char letter, double f, int64_t i)
{
    char format[24], text[GO_FLOAT_MAX + WIDTH_MAX];
    int precision = v->precision < 0 && !*size ? 6 : v->precision;

    if (!*size && (isnan(f) || isinf(f))) {
        put_padded(out, v, (struct str){text, go_float(text, 'g', f)});
        return;
    }
    if (!*size && v->precision < 0 && letter == 'g') {
        put_padded(out, v, (struct str){text, go_float(text, letter, f)});
        return;
    }
    (void)snprintf(format, sizeof(format), "%%%s*.*%s%c", v->flags, size,
                   letter);
    int width = v->width < 0 ? 0 : v->width;
    int n = *size ? snprintf(text, sizeof(text), format, width, precision,
                             (long long)i)
                  : snprintf(text, sizeof(text), format, width, precision, f);
    buf_put(out, (struct str){text, n < 0 ? 0 : (size_t)n});
}

static void put_wrong(struct buf *out, char letter, const struct value *arg)
{
    buf_printf(out, "%%!%c(%s=", letter, value_type(arg));
    value_print(out, arg);
    buf_putc(out, ')');
}

static enum errc put_text(struct run *r, struct buf *out, const struct verb *v,
                          const struct value *arg)
{
    struct str text;
    enum errc rc = value_text(r, arg, &text);

    if (rc)
        return rc;
    if (v->letter == 's' && v->precision >= 0 && text.n > (size_t)v->precision)
        text.n = (size_t)v->precision;
    put_padded(out, v, text);
    return ERR_OK;
}

static enum errc put_verb(struct run *r, struct buf *out, const struct verb *v,
                          const struct value *arg)
{
    bool is_float = arg->kind == VALUE_FLOAT, is_int = arg->kind == VALUE_INT;

    if (v->letter == 'v' || (v->letter == 's' && arg->kind == VALUE_TEXT) ||
        (v->letter == 't' && arg->kind == VALUE_BOOL))
        return put_text(r, out, v, arg);
    if (v->letter == 'q' && arg->kind == VALUE_TEXT)
        label_quote(out, arg->text);
    else if (strchr("feEgGF", v->letter) && is_float)
        put_number(out, v, "", v->letter, arg->f, 0);
    else if (strchr("dxXo", v->letter) && is_int)
        put_number(out, v, "ll", v->letter, 0, arg->i);
    else if (v->letter == 'c' && is_int && arg->i >= 32 && arg->i < 127)
        buf_putc(out, (char)arg->i);
    else
        put_wrong(out, v->letter, arg);
    return ERR_OK;
}

enum errc template_printf(struct run *r, const struct value *args, size_t n,
                          struct value *out)
{
    struct str in = args[0].text;
    size_t used = 1;
    struct buf b;
    enum errc rc = ERR_OK;

    if (args[0].kind != VALUE_TEXT)
        return template_fail(r, "printf needs a format, not %s",
                             value_type(&args[0]));
    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    while (in.n && !rc) {
        struct verb v;
        char c = in.p[0];
        in = str_slice(in, 1, in.n);
        if (c != '%')
            buf_putc(&b, c);
        else if (!take_verb(&in, &v)) {
            buf_puts(&b, "%!(NOVERB)");
            in.n = 0;
        } else if (v.letter == '%')
            buf_putc(&b, '%');
        else if (used == n)
            buf_printf(&b, "%%!%c(MISSING)", v.letter);
        else
            rc = put_verb(r, &b, &v, &args[used++]);
    }
    for (size_t i = used; i < n && !rc; i++) {
        buf_printf(&b, "%s%s=", i == used ? "%!(EXTRA " : ", ",
                   value_type(&args[i]));
        value_print(&b, &args[i]);
    }
    if (used < n)
        buf_putc(&b, ')');
    if (rc) {
        buf_fini(&b);
        return rc;
    }
    return value_from_buf(r, &b, out);
}
