/* template_texts.c - functions of texts and numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "alert/template_call.h"
#include "codec/percent.h"
#include "series/duration.h"
#include "series/regex.h"

static enum errc as_float(struct run *r, const struct value *v, double *out)
{
    char text[128], *end;

    switch ((int)v->kind) {
    case VALUE_FLOAT:
        *out = v->f;
        return ERR_OK;
    case VALUE_INT:
        *out = (double)v->i;
        return ERR_OK;
    case VALUE_TEXT:
        (void)snprintf(text, sizeof(text), STR_FMT, STR_ARG(v->text));
        *out = strtod(text, &end);
        if (end != text && *end == '\0')
            return ERR_OK;
        return template_fail(r, "\"%s\" is not a number", text);
    default:
        return template_fail(r, "can't convert %s to a number", value_type(v));
    }
}

/* ---- numbers ------------------------------------------------------------ */

static enum errc human(struct run *r, const struct value *args,
                       void (*put)(struct buf *, double), struct value *out)
{
    struct buf b;
    double v;
    enum errc rc = as_float(r, &args[0], &v);

    if (rc)
        return rc;
    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    put(&b, v);
    return value_from_buf(r, &b, out);
}

static void put_percentage(struct buf *b, double v)
{
    if (isnan(v) || isinf(v))
        buf_puts(b, isnan(v) ? "NaN" : v < 0 ? "-Inf" : "+Inf");
    else
        buf_printf(b, "%.4g", v * 100);
    buf_putc(b, '%');
}

static void put_timestamp(struct buf *b, double v)
{
    char text[64];
    struct tm tm;

    if (!(fabs(v) < 2.5e11)) {
        buf_printf(b, "%.4g", v);
        return;
    }
    time_t s = (time_t)floor(v);
    gmtime_r(&s, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    buf_puts(b, text);
    long long ms = (long long)((v - floor(v)) * 1000);
    if (ms) {
        buf_printf(b, ".%03lld", ms);
        while (b->n && b->p[b->n - 1] == '0')
            b->n--;
    }
    buf_puts(b, " +0000 UTC");
}

/* A function of one number. */
#define NUMBER(name, put)                  \
    CALL(name)                             \
    {                                      \
        UNUSED();                          \
        return human(r, args, (put), out); \
    }

NUMBER(call_humanize, humanize)
NUMBER(call_humanize1024, humanize1024)
NUMBER(call_humanize_duration, humanize_duration)
NUMBER(call_humanize_percentage, put_percentage)
NUMBER(call_humanize_timestamp, put_timestamp)

CALL(call_parse_duration)
{
    UNUSED();
    int64_t ms;
    struct str text;
    enum errc rc = call_text_argument(r, &args[0], &text);

    if (rc)
        return rc;
    if (!duration_parse(text, &ms))
        return template_fail(r, "\"" STR_FMT "\" is not a duration",
                             STR_ARG(text));
    *out = (struct value){.kind = VALUE_FLOAT, .f = (double)ms / 1000};
    return ERR_OK;
}

/* ---- texts -------------------------------------------------------------- */

static enum errc change(struct run *r, const struct value *arg,
                        char (*each)(char before, char c), struct value *out)
{
    struct str text;
    enum errc rc = call_text_argument(r, arg, &text);
    char *copy = rc ? NULL : arena_cstr(&r->arena, text), before = ' ';

    if (rc)
        return rc;
    if (!copy)
        return template_fail(r, "out of memory");
    for (size_t i = 0; i < text.n; i++) {
        copy[i] = each(before, text.p[i]);
        before = text.p[i];
    }
    return call_give_text(out, (struct str){copy, text.n});
}

static char upper(char before, char c)
{
    (void)before;
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char lower(char before, char c)
{
    (void)before;
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Within a word, by the letter before. */
static bool is_inside(char before)
{
    return upper(' ', before) != lower(' ', before) ||
           (before >= '0' && before <= '9') || before == '_' ||
           before == '\'' || (before & 0x80);
}

static char titled(char before, char c)
{
    return is_inside(before) ? c : upper(before, c);
}

/* As Alertmanager has it, other than Prometheus: "GPU" becomes "Gpu". */
static char titled_low(char before, char c)
{
    return is_inside(before) ? lower(before, c) : upper(before, c);
}

CALL(call_upper)
{
    UNUSED();
    return change(r, &args[0], upper, out);
}

CALL(call_lower)
{
    UNUSED();
    return change(r, &args[0], lower, out);
}

CALL(call_title)
{
    UNUSED();
    return change(r, &args[0], r->data->type ? titled_low : titled, out);
}

CALL(call_same)
{
    UNUSED();
    *out = args[0];
    return ERR_OK;
}

/* The argument as an expression that is looked for in a text. */
static enum errc expression_of(struct run *r, const struct value *v,
                               struct regex **out)
{
    struct str pattern;
    enum errc rc = call_text_argument(r, v, &pattern);

    if (!rc && regex_compile_search(pattern, out, r->err))
        rc = template_fail(r, "bad expression \"" STR_FMT "\"",
                           STR_ARG(pattern));
    return rc;
}

static enum errc too_costly(struct run *r)
{
    return template_fail(r, "the expression takes too many steps");
}

/* Does the expression match anywhere in the text? */
CALL(call_match)
{
    UNUSED();
    struct str text;
    struct regex *re;
    enum errc rc = call_text_argument(r, &args[1], &text);

    if (!rc)
        rc = expression_of(r, &args[0], &re);
    if (rc)
        return rc;
    enum regex_result found = regex_match(re, text);
    regex_free(re);
    return found == REGEX_TOO_COSTLY ? too_costly(r)
                                     : call_give_bool(out, found == REGEX_YES);
}

CALL(call_replace_all)
{
    UNUSED();
    struct str with, text;
    struct regex *re;
    struct buf b;
    enum errc rc = call_text_argument(r, &args[1], &with);

    if (!rc)
        rc = call_text_argument(r, &args[2], &text);
    if (!rc)
        rc = expression_of(r, &args[0], &re);
    if (rc)
        return rc;
    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    enum regex_result done = regex_replace_all(re, text, with, &b);
    regex_free(re);
    if (done == REGEX_TOO_COSTLY) {
        buf_fini(&b);
        return too_costly(r);
    }
    return value_from_buf(r, &b, out);
}

CALL(call_strip_port)
{
    UNUSED();
    struct str text;
    enum errc rc = call_text_argument(r, &args[0], &text);

    if (rc)
        return rc;
    struct str port = str_behind_last(text, ':');
    bool has =
        port.n < text.n && memchr(text.p, ']', text.n)
            ? text.n > port.n + 1 && text.p[text.n - port.n - 2] == ']'
            : port.n < text.n && !memchr(text.p, ':', text.n - port.n - 1);
    if (has)
        text.n -= port.n + 1;
    if (has && text.n > 1 && text.p[0] == '[')
        text = str_slice(text, 1, text.n - 1);
    return call_give_text(out, text);
}

CALL(call_strip_domain)
{
    UNUSED();
    struct str text, port = {NULL, 0};
    enum errc rc = call_text_argument(r, &args[0], &text);
    struct buf b;

    if (rc)
        return rc;
    struct str host = text;
    const char *colon = memchr(text.p, ':', text.n);
    if (colon) {
        host.n = (size_t)(colon - text.p);
        port = str_slice(text, host.n, text.n);
    }
    bool number = host.n && strspn(host.p, "0123456789.") >= host.n;
    const char *dot = host.n ? memchr(host.p, '.', host.n) : NULL;
    if (dot && !number)
        host.n = (size_t)(dot - host.p);
    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    buf_put(&b, host);
    buf_put(&b, port);
    return value_from_buf(r, &b, out);
}

static enum errc link_to(struct run *r, const struct value *arg,
                         const char *before, const char *behind,
                         struct value *out)
{
    struct str text;
    struct buf b;
    enum errc rc = call_text_argument(r, arg, &text);

    if (rc)
        return rc;
    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    buf_puts(&b, before);
    percent_encode_form(&b, text);
    buf_puts(&b, behind);
    return value_from_buf(r, &b, out);
}

CALL(call_escape)
{
    UNUSED();
    return link_to(r, &args[0], "", "", out);
}

CALL(call_graph_link)
{
    UNUSED();
    return link_to(r, &args[0], "/graph?g0.expr=", "&g0.tab=0", out);
}

CALL(call_table_link)
{
    UNUSED();
    return link_to(r, &args[0], "/graph?g0.expr=", "&g0.tab=1", out);
}

CALL(call_external_url)
{
    UNUSED();
    return call_give_text(out, r->data->external_url);
}

CALL(call_path_prefix)
{
    UNUSED();
    struct str url = r->data->external_url;
    size_t slashes = 0, i = 0;

    for (; i < url.n; i++)
        if (url.p[i] == '/' && ++slashes == 3)
            break;
    return call_give_text(out, str_slice(url, i, url.n));
}

static enum errc print_all(struct run *r, const struct value *args, size_t n,
                           bool line, struct value *out)
{
    struct buf b;

    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    for (size_t i = 0; i < n; i++) {
        bool texts =
            i && (args[i].kind == VALUE_TEXT || args[i - 1].kind == VALUE_TEXT);
        if (i && (line || !texts))
            buf_putc(&b, ' ');
        value_print(&b, &args[i]);
    }
    if (line)
        buf_putc(&b, '\n');
    return value_from_buf(r, &b, out);
}

CALL(call_print)
{
    return print_all(r, args, n, false, out);
}

CALL(call_println)
{
    return print_all(r, args, n, true, out);
}

const struct template_function template_texts[] = {
    {"externalURL", 0, 0, call_external_url},
    {"graphLink", 1, 1, call_graph_link},
    {"humanize", 1, 1, call_humanize},
    {"humanize1024", 1, 1, call_humanize1024},
    {"humanizeDuration", 1, 1, call_humanize_duration},
    {"humanizePercentage", 1, 1, call_humanize_percentage},
    {"humanizeTimestamp", 1, 1, call_humanize_timestamp},
    {"match", 2, 2, call_match},
    {"parseDuration", 1, 1, call_parse_duration},
    {"pathPrefix", 0, 0, call_path_prefix},
    {"print", 0, MANY, call_print},
    {"printf", 1, MANY, template_printf},
    {"println", 0, MANY, call_println},
    {"reReplaceAll", 3, 3, call_replace_all},
    {"safeHtml", 1, 1, call_same},
    {"stripDomain", 1, 1, call_strip_domain},
    {"stripPort", 1, 1, call_strip_port},
    {"tableLink", 1, 1, call_table_link},
    {"title", 1, 1, call_title},
    {"toLower", 1, 1, call_lower},
    {"toUpper", 1, 1, call_upper},
    {"urlQueryEscape", 1, 1, call_escape},
    {"urlquery", 1, 1, call_escape},
    {NULL, 0, 0, NULL},
};
