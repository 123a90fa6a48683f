#include "promql/compare.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "codec/go_float.h"
#include "promql/lex.h"

static bool nearly(double want, double got)
{
    double sum = fabs(want) + fabs(got), difference = fabs(want - got);

    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got);
    if (want == got)
        return true;
    if (want == 0 || got == 0 || sum < DBL_MIN)
        return difference < 1e-6 * DBL_MIN;
    return difference / fmin(sum, DBL_MAX) < 1e-6;
}

static void put_value(struct buf *out, double v)
{
    char text[GO_FLOAT_MAX];

    buf_put(out, (struct str){text, go_float(text, 'g', v)});
}

static void put_points(struct buf *out, const struct promql_series *s)
{
    labels_print(out, s->labels);
    for (size_t i = 0; i < s->n; i++) {
        buf_putc(out, ' ');
        put_value(out, s->points[i].v);
        buf_printf(out, "@%lld", (long long)s->points[i].t);
    }
}

static void put_got(struct buf *why, const struct promql_result *r)
{
    buf_puts(why, "got:");
    for (size_t i = 0; i < r->n && i < 20; i++) {
        buf_puts(why, "\n        ");
        put_points(why, &r->series[i]);
    }
}

/* ---- remarks ------------------------------------------------------------ */

static bool text_fits(const struct expect *x, struct str text)
{
    struct regex *re;
    struct buf pattern;
    bool fits = false;

    if (x->text.n == 0)
        return true;
    if (!x->regex)
        return str_eq(text, x->text);
    buf_init(&pattern, 10000);
    buf_printf(&pattern, ".*(?:" STR_FMT ").*", STR_ARG(x->text));
    if (regex_compile(buf_str(&pattern), &re, NULL) == ERR_OK) {
        fits = regex_match(re, text) == REGEX_YES;
        regex_free(re);
    }
    buf_fini(&pattern);
    return fits;
}

/* Messages are expected without or with the position behind them. */
static bool note_fits(const struct expect *x, struct str text)
{
    size_t n = text.n;

    while (n && text.p[n - 1] != '(')
        n--;
    return text_fits(x, text) ||
           (n > 1 && text_fits(x, str_slice(text, 0, n - 2)));
}

static bool note_there(const struct expect *x, const struct promql_result *r,
                       bool warning)
{
    for (size_t i = 0; i < r->n_notes; i++)
        if (r->notes[i].warning == warning && note_fits(x, r->notes[i].text))
            return true;
    return false;
}

static bool compare_notes(const struct expected *e,
                          const struct promql_result *r, struct buf *why)
{
    for (size_t i = 0; i < e->n_expects; i++) {
        const struct expect *x = &e->expects[i];
        bool warning = x->kind == EXPECT_WARN || x->kind == EXPECT_NO_WARN;
        bool wanted = x->kind == EXPECT_WARN || x->kind == EXPECT_INFO;
        if (!wanted && x->kind != EXPECT_NO_WARN && x->kind != EXPECT_NO_INFO)
            continue;
        if (note_there(x, r, warning) == wanted)
            continue;
        buf_printf(why, "%s a %s '" STR_FMT "'; there are:",
                   wanted ? "without" : "with", warning ? "warning" : "remark",
                   STR_ARG(x->text));
        for (size_t k = 0; k < r->n_notes; k++)
            buf_printf(why, " '" STR_FMT "'", STR_ARG(r->notes[k].text));
        return false;
    }
    return true;
}

/* ---- values ------------------------------------------------------------- */

static const struct promql_series *find(const struct promql_result *r,
                                        struct labels l)
{
    for (size_t i = 0; i < r->n; i++)
        if (labels_eq(r->series[i].labels, l))
            return &r->series[i];
    return NULL;
}

static bool compare_points(const struct expected *e,
                           const struct notation *want,
                           const struct promql_series *got, bool range)
{
    size_t k = 0;

    for (size_t i = 0; i < want->n; i++) {
        if (want->v[i].omitted)
            continue;
        int64_t t = range ? e->start + (int64_t)i * e->step : 0;
        if (k >= got->n || !nearly(want->v[i].v, got->points[k].v) ||
            (range && got->points[k].t != t))
            return false;
        k++;
    }
    return k == got->n;
}

static bool compare_series(const struct expected *e,
                           const struct promql_result *r, bool range,
                           struct buf *why)
{
    size_t wanted = 0;

    for (size_t i = 0; i < e->n; i++) {
        const struct promql_series *got = find(r, e->series[i].labels);
        bool any = false;
        for (size_t k = 0; k < e->series[i].n; k++)
            any = any || !e->series[i].v[k].omitted;
        wanted += any;
        if (!any && !got)
            continue;
        if (e->ordered && i < r->n)
            got = labels_eq(r->series[i].labels, e->series[i].labels)
                      ? &r->series[i]
                      : NULL;
        if (got && compare_points(e, &e->series[i], got, range))
            continue;
        buf_puts(why, got ? "wrong: " : "missing: ");
        labels_print(why, e->series[i].labels);
        buf_puts(why, "; ");
        put_got(why, r);
        return false;
    }
    if (wanted == r->n)
        return true;
    buf_printf(why, "%zu series instead of %zu; ", r->n, wanted);
    put_got(why, r);
    return false;
}

static bool compare_text(const struct expected *e,
                         const struct promql_result *r, struct buf *why)
{
    for (size_t i = 0; i < e->n_expects; i++) {
        struct buf want;
        size_t at;
        if (e->expects[i].kind != EXPECT_STRING)
            continue;
        buf_init(&want, 1 << 20);
        bool same = e->expects[i].text.n >= 2 &&
                    string_unquote(e->expects[i].text, &want, &at) &&
                    str_eq(buf_str(&want), r->text);
        buf_fini(&want);
        if (same)
            return true;
    }
    buf_printf(why, "got the string '" STR_FMT "'", STR_ARG(r->text));
    return false;
}

bool compare_result(const struct expected *e, const struct promql_result *r,
                    bool range, struct buf *why)
{
    if (e->fails) {
        buf_puts(why, "it did not fail; ");
        put_got(why, r);
        return false;
    }
    if (!compare_notes(e, r, why))
        return false;
    if (r->type == PROMQL_STRING)
        return compare_text(e, r, why);
    if (e->scalar != (r->type == PROMQL_SCALAR) &&
        !(e->scalar && e->n == 1 && r->n == 1 && range)) {
        buf_printf(why, "got a %s", promql_type_text(r->type));
        return false;
    }
    return compare_series(e, r, range || r->type == PROMQL_MATRIX, why);
}

bool compare_failure(const struct expected *e, const char *message,
                     struct buf *why)
{
    for (size_t i = 0; i < e->n_expects; i++) {
        if (e->expects[i].kind != EXPECT_FAIL ||
            text_fits(&e->expects[i], str_from_cstr(message)))
            continue;
        buf_printf(why, ", which is not '" STR_FMT "'",
                   STR_ARG(e->expects[i].text));
        return false;
    }
    return true;
}

bool compare_middle(const struct expected *e, const struct promql_result *r,
                    int64_t at, struct buf *why)
{
    struct promql_result middle = {.type = PROMQL_VECTOR};

    middle.series = calloc(r->n + 1, sizeof(*middle.series));
    for (size_t i = 0; middle.series && i < r->n; i++)
        for (size_t k = 0; k < r->series[i].n; k++)
            if (r->series[i].points[k].t == at)
                middle.series[middle.n++] = (struct promql_series){
                    r->series[i].labels, &r->series[i].points[k], 1};
    bool ok = compare_series(e, &middle, false, why);
    if (!ok)
        buf_puts(why, "\n    in the middle of a range");
    free(middle.series);
    return ok;
}
