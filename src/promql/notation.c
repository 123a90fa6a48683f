#include "promql/notation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "promql/promql.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static struct str trim_left(struct str s)
{
    while (s.n && is_space(s.p[0]))
        s = str_slice(s, 1, s.n);
    return s;
}

/* ---- labels ------------------------------------------------------------- */

enum errc notation_labels(struct str text, struct arena *a, struct labels *out,
                          struct err *err)
{
    struct labels_builder b;
    struct promql_expr *x;
    struct labels borrowed;

    if (str_eq(text, STR("{}"))) {
        *out = labels_none();
        return ERR_OK;
    }
    enum errc rc = promql_parse_selector(text, &x, err);
    if (rc)
        return rc;
    labels_build(&b, a, labels_none());
    for (size_t i = 0; i < x->root->u.selector.n; i++) {
        const struct matcher *m = &x->root->u.selector.m[i];
        if (m->op != MATCH_EQUAL)
            rc = err_set(err, ERR_INVALID, "labels are written with '='");
        labels_set(&b, m->name, m->value);
    }
    if (!rc) {
        *out = (struct labels){NULL, 0};
        if (labels_built(&b, &borrowed))
            *out = labels_copy(a, borrowed);
        rc = out->v ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
    }
    promql_free(x);
    return rc;
}

/* Where the labels end: the first space outside braces and quotes. */
static size_t labels_end(struct str s)
{
    bool braces = false;
    char quote = '\0';

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (quote) {
            i += c == '\\' && quote != '`';
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'' || c == '`') {
            quote = c;
        } else if (c == '{' || c == '}') {
            braces = c == '{';
        } else if (!braces && is_space(c)) {
            struct str rest = trim_left(str_slice(s, i, s.n));
            if (rest.n == 0 || rest.p[0] != '{' ||
                (rest.n > 1 && rest.p[1] == '{'))
                return i;
        }
    }
    return s.n;
}

/* ---- values ------------------------------------------------------------- */

static bool add(struct notation *out, struct arena *a, struct notation_value v)
{
    if (out->n >= 2 * NOTATION_MAX_VALUES ||
        !arena_grow(a, &out->v, out->n, &out->cap, sizeof(*out->v)))
        return false;
    out->native = out->native || v.native;
    out->v[out->n++] = v;
    return true;
}

/* A number at the front, with a sign; takes it off. */
static bool take_number(struct str *s, double *v)
{
    char text[64], *end;
    size_t n = 0, sign = s->n && (s->p[0] == '-' || s->p[0] == '+');

    if (str_starts(str_slice(*s, sign, s->n), STR("Inf")) ||
        str_starts(str_slice(*s, sign, s->n), STR("NaN"))) {
        *v = s->p[sign] == 'I' ? (double)INFINITY : sample_nan();
        *v = s->p[0] == '-' ? -*v : *v;
        *s = str_slice(*s, sign + 3, s->n);
        return true;
    }
    /* Not strtod() on the whole: 0x3 is 0, three times more. */
    for (; n < s->n && n < sizeof(text) - 1; n++) {
        char c = s->p[n];
        bool exponent = n && (s->p[n - 1] == 'e' || s->p[n - 1] == 'E');
        if (!strchr("0123456789.eE", c) &&
            !((n == 0 || exponent) && (c == '-' || c == '+')))
            break;
        text[n] = c;
    }
    text[n] = '\0';
    *v = strtod(text, &end);
    *s = str_slice(*s, (size_t)(end - text), s->n);
    return end > text + sign || (n > sign && end > text);
}

/* {{...}} at the front. */
static bool take_native(struct str *s)
{
    if (!str_starts(*s, STR("{{")))
        return false;
    for (size_t i = 2; i + 1 < s->n; i++) {
        if (s->p[i] == '}' && s->p[i + 1] == '}') {
            *s = str_slice(*s, i + 2, s->n);
            return true;
        }
    }
    return false;
}

static bool take_word(struct str *s, struct str word)
{
    if (!str_starts(*s, word))
        return false;
    *s = str_slice(*s, word.n, s->n);
    return true;
}

/* xN at the front; *times is 0 when there is none. */
static bool take_times(struct str *s, uint64_t *times)
{
    size_t n = 1;

    *times = 0;
    if (s->n == 0 || s->p[0] != 'x')
        return true;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    bool ok =
        str_to_u64(str_slice(*s, 1, n), times) && *times <= NOTATION_MAX_VALUES;
    *s = str_slice(*s, n, s->n);
    return ok;
}

/* One item: a value, a repetition, a progression. */
static bool take_item(struct str *s, struct arena *a, struct notation *out)
{
    struct notation_value v = {0};
    double step = 0;
    uint64_t times;

    if (take_word(s, STR("_")))
        v.omitted = true;
    else if (take_word(s, STR("stale")))
        v.v = sample_stale();
    else if (take_native(s))
        v.native = true;
    else if (!take_number(s, &v.v))
        return false;
    if (v.native && s->n && (s->p[0] == '+' || s->p[0] == '-')) {
        *s = str_slice(*s, 1, s->n);
        if (!take_native(s))
            return false;
    } else if (!v.omitted && s->n && (s->p[0] == '+' || s->p[0] == '-') &&
               !take_number(s, &step)) {
        return false;
    }
    if (!take_times(s, &times) || (s->n && !is_space(s->p[0])))
        return false;
    /* "_x3" is three, "1x3" is one and three more. */
    uint64_t count = v.omitted && times ? times : times + 1;
    for (uint64_t i = 0; i < count; i++) {
        if (!add(out, a, v))
            return false;
        if (!sample_is_stale(v.v))
            v.v += step;
    }
    return true;
}

enum errc notation_values(struct str text, struct arena *a,
                          struct notation *out, struct err *err)
{
    for (text = trim_left(text); text.n; text = trim_left(text)) {
        struct str item = text;
        if (!take_item(&text, a, out))
            return err_set(
                err, ERR_INVALID, "cannot read the value at '" STR_FMT "'",
                STR_ARG(str_slice(item, 0, item.n < 40 ? item.n : 40)));
    }
    return ERR_OK;
}

enum errc notation_parse(struct str line, struct arena *a, struct notation *out,
                         struct err *err)
{
    *out = (struct notation){0};
    line = trim_left(line);
    size_t end = labels_end(line);
    enum errc rc = notation_labels(str_trim(str_slice(line, 0, end)), a,
                                   &out->labels, err);

    return rc ? rc : notation_values(str_slice(line, end, line.n), a, out, err);
}
