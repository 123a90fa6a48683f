#include "codec/exposition_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "codec/json.h"
#include "codec/number.h"

enum { NUMBER_MAX = 400 };

/* ---- failing ------------------------------------------------------------- */

bool expo_fail(struct exposition_reader *r, const char *what)
{
    size_t line, column;

    if (r->rc)
        return false;
    json_position(r->text, r->p, &line, &column);
    r->rc = err_set(r->err, ERR_INVALID, "line %zu, column %zu: %s", line,
                    column, what);
    return false;
}

bool expo_too_much(struct exposition_reader *r, const char *what)
{
    size_t line, column;

    json_position(r->text, r->p, &line, &column);
    r->rc = err_set(r->err, ERR_LIMIT, "line %zu: %s", line, what);
    return false;
}

/* ---- characters ---------------------------------------------------------- */

char expo_peek(const struct exposition_reader *r)
{
    return r->p < r->end ? *r->p : '\n'; /* the text may lack the last one */
}

bool expo_at_end_of_line(const struct exposition_reader *r)
{
    return r->p >= r->end || *r->p == '\n';
}

bool expo_is_space(char c)
{
    return c == ' ' || c == '\t';
}

bool expo_skip_blanks(struct exposition_reader *r)
{
    const char *from = r->p;

    if (r->om) {
        r->p += expo_peek(r) == ' ';
        return r->p > from;
    }
    while (r->p < r->end && expo_is_space(*r->p))
        r->p++;
    return r->p > from;
}

void expo_skip_optional(struct exposition_reader *r)
{
    if (!r->om)
        (void)expo_skip_blanks(r);
}

static bool starts_name(char c, bool metric)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (metric && c == ':');
}

bool expo_name(struct exposition_reader *r, bool metric, struct str *out)
{
    const char *from = r->p;

    if (r->p >= r->end || !starts_name(*r->p, metric))
        return expo_fail(r, metric ? "expected the name of a metric"
                                   : "expected the name of a label");
    while (r->p < r->end &&
           (starts_name(*r->p, metric) || (*r->p >= '0' && *r->p <= '9')))
        r->p++;
    *out = (struct str){from, (size_t)(r->p - from)};
    return true;
}

/* ---- quoted text ----------------------------------------------------------
 */

/* Length of the text up to the closing quote; SIZE_MAX: there is none. */
static size_t quoted_length(const struct exposition_reader *r, bool *escaped)
{
    *escaped = false;
    for (const char *p = r->p; p < r->end && *p != '\n'; p++) {
        if (*p == '"')
            return (size_t)(p - r->p);
        if (*p == '\\' && p + 1 < r->end) {
            *escaped = true;
            p++;
        }
    }
    return SIZE_MAX;
}

static size_t unescape(struct str s, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '\\' && i + 1 < s.n) {
            c = s.p[++i];
            if (c == 'n')
                c = '\n';
            else if (c != '\\' && c != '"')
                out[n++] = '\\'; /* unknown ones stay, as Prometheus has it */
        }
        out[n++] = c;
    }
    return n;
}

bool expo_unescaped(struct exposition_reader *r, struct str raw,
                    struct str *out)
{
    char *copy = arena_bytes(&r->line, raw.n + 1);

    if (!copy)
        return expo_too_much(r, "the escaped text is too long");
    *out = (struct str){copy, unescape(raw, copy)};
    return true;
}

bool expo_quoted(struct exposition_reader *r, struct str *out)
{
    bool escaped;
    size_t n = quoted_length(r, &escaped);

    if (n == SIZE_MAX)
        return expo_fail(r, "the quoted text does not end on its line");
    struct str raw = {r->p, n};
    if (!utf8_valid(raw))
        return expo_fail(r, "the quoted text is not UTF-8");
    *out = raw;
    if (escaped && !expo_unescaped(r, raw, out))
        return false;
    r->p += n + 1;
    return true;
}

/* ---- numbers ---------------------------------------------------------------
 */

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '.' || c == '+' || c == '-';
}

static double ordinary_nan(void)
{
    uint64_t bits = UINT64_C(0x7ff8000000000001); /* Prometheus' NormalNaN */
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static bool special(struct str s, double *out)
{
    bool minus = s.n && s.p[0] == '-';
    struct str word =
        s.n && (minus || s.p[0] == '+') ? str_slice(s, 1, s.n) : s;

    if (str_eq_nocase(word, STR("inf")) ||
        str_eq_nocase(word, STR("infinity"))) {
        *out = minus ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (!str_eq_nocase(s, STR("nan")))
        return false;
    *out = ordinary_nan();
    return true;
}

bool expo_number(struct exposition_reader *r, double *out, struct str *word)
{
    char text[NUMBER_MAX + NUMBER_PAD] = {0}, *stop;
    const char *from = r->p, *p = text;
    size_t n = 0;

    while (from + n < r->end && is_number_char(from[n]))
        n++;
    *word = (struct str){from, n};
    if (n == 0 || n >= NUMBER_MAX)
        return expo_fail(r, "expected a number");
    if (special(*word, out)) {
        r->p += n;
        return true;
    }
    memcpy(text, from, n);
    if (number_read_f64(&p, text + n, out) != NUMBER_OK || p != text + n ||
        isnan(*out)) {
        /* .5, 5., +5, 0x1p-2; a word such as "nan(1)" is none of those */
        char first = text[text[0] == '+' || text[0] == '-'];
        if (!(first == '.' || (first >= '0' && first <= '9')))
            return expo_fail(r, "expected a number");
        *out = strtod(text, &stop);
        if (stop != text + n)
            return expo_fail(r, "expected a number");
    }
    r->p += n;
    return true;
}

/* -?[0-9]{1,18}; false: it is not. */
static bool whole(struct str s, int64_t *out)
{
    size_t i = s.n && s.p[0] == '-';
    int64_t v = 0;

    if (i == s.n || s.n - i > 18)
        return false;
    for (size_t k = i; k < s.n; k++) {
        if (s.p[k] < '0' || s.p[k] > '9')
            return false;
        v = v * 10 + (s.p[k] - '0');
    }
    *out = i ? -v : v;
    return true;
}

bool expo_time(struct exposition_reader *r, int64_t *out)
{
    const char *from = r->p;
    struct str word;
    double v;

    if (!expo_number(r, &v, &word))
        return false;
    if (!r->om && whole(word, out))
        return true;
    if (r->om && v > -9e15 && v < 9e15) {
        *out = llround(v * 1000);
        return true;
    }
    r->p = from;
    return expo_fail(r, r->om ? "the time is out of range"
                              : "expected a time in whole milliseconds");
}
