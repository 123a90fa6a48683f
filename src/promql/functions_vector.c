/* functions_vector.c - functions that change values by scalar arguments. */
#include <math.h>

#include "promql/functions.h"
#include "promql/rows.h"

/* Two scalar arguments, a value for each moment. */
struct changer {
    struct sink sink;
    struct eval *e;
    struct sink *out;
    double *a, *b;
    double (*change)(double v, double a, double b);
};

static bool push_changed(struct sink *sink, struct row *row)
{
    struct changer *c = (struct changer *)sink;
    bool any = false;

    for (size_t i = 0; i < c->e->n; i++) {
        if (!has_value(row->v[i]))
            continue;
        row->v[i] = c->change(row->v[i], c->a[i], c->b[i]);
        any = any || has_value(row->v[i]);
    }
    return !any || (eval_unname(c->e, row) && c->out->push(c->out, row));
}

static bool change(struct eval *e, const struct node *n,
                   double (*fn)(double, double, double), struct sink *out)
{
    const struct call *call = &n->u.call;
    struct changer c = {{push_changed}, e, out, eval_values(e),
                        eval_values(e), fn};
    struct rows rows;

    if (!c.a || !c.b || (call->n > 1 && !eval_scalar(e, call->args[1], c.a)) ||
        (call->n > 2 && !eval_scalar(e, call->args[2], c.b)))
        return false;
    if (call->n == 1) /* round() to whole numbers */
        for (size_t i = 0; i < e->n; i++)
            c.a[i] = 1;
    c.out = rows_unnamed(&rows, e, call->args[0], out);
    return eval_vector(e, call->args[0], &c.sink) && rows_push(&rows, out);
}

/* NaN if one of them is; unlike fmin(). */
static double lesser(double a, double b)
{
    if (isnan(a) || isnan(b))
        return sample_nan();
    return a < b ? a : b;
}

static double greater(double a, double b)
{
    if (isnan(a) || isnan(b))
        return sample_nan();
    return a > b ? a : b;
}

static double clamp(double v, double low, double high)
{
    return high < low ? NO_VALUE : greater(low, lesser(high, v));
}

static double clamp_low(double v, double low, double unused)
{
    (void)unused;
    return greater(low, v);
}

static double clamp_high(double v, double high, double unused)
{
    (void)unused;
    return lesser(high, v);
}

static double round_to(double v, double nearest, double unused)
{
    double inverse = 1 / nearest;

    (void)unused;
    return sample_plain(floor(v * inverse + 0.5) / inverse);
}

bool function_clamp(struct eval *e, const struct node *n, struct sink *out)
{
    return change(e, n, clamp, out);
}

bool function_clamp_min(struct eval *e, const struct node *n, struct sink *out)
{
    return change(e, n, clamp_low, out);
}

bool function_clamp_max(struct eval *e, const struct node *n, struct sink *out)
{
    return change(e, n, clamp_high, out);
}

bool function_round(struct eval *e, const struct node *n, struct sink *out)
{
    return change(e, n, round_to, out);
}

bool function_vector(struct eval *e, const struct node *n, struct sink *out)
{
    struct row row = {.labels = labels_none(), .v = eval_values(e)};

    return row.v && eval_scalar(e, n->u.call.args[0], row.v) &&
           out->push(out, &row);
}

/* The moments themselves, where there is a value. */
struct clocked {
    struct sink sink;
    struct eval *e;
    struct sink *out;
    bool times; /* the values are times already */
};

static bool push_times(struct sink *sink, struct row *row)
{
    struct clocked *c = (struct clocked *)sink;

    for (size_t i = 0; i < c->e->n && !c->times; i++)
        if (has_value(row->v[i]))
            row->v[i] = (double)eval_time(c->e, i) / 1000;
    return eval_unname(c->e, row) && c->out->push(c->out, row);
}

bool function_timestamp(struct eval *e, const struct node *n, struct sink *out)
{
    const struct node *of = node_bare(n->u.call.args[0]);
    struct clocked c = {{push_times}, e, out, of->kind == NODE_SELECTOR};
    struct rows rows;

    c.out = rows_unnamed(&rows, e, of, out);
    bool ok = c.times ? eval_selector(e, of, true, &c.sink)
                      : eval_vector(e, of, &c.sink);
    return ok && rows_push(&rows, out);
}

/* Functions of native histograms, of which there are none here. */
static bool drop(struct sink *sink, struct row *row)
{
    (void)sink;
    (void)row;
    return true;
}

bool function_nothing(struct eval *e, const struct node *n, struct sink *out)
{
    struct sink dropped = {drop};

    (void)out;
    return eval_vector(e, n->u.call.args[0], &dropped);
}
