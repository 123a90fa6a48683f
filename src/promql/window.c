/* window.c - what can be said of the samples in a range. Formulas as
 * documented at
 * https://prometheus.io/docs/prometheus/latest/querying/functions/ and, for
 * what is not documented, as Prometheus 3 computes them. */
#include "promql/window.h"

#include <math.h>
#include <string.h>

#include "base/sort.h"
#include "promql/sums.h"

/* ---- rates -------------------------------------------------------------- */

static double seconds(int64_t ms)
{
    return (double)ms / 1000;
}

/* The part of the gap before the first (after the last) sample over which the
 * trend is taken to go on. */
static double gap_used(double gap, double between)
{
    return gap >= between * 1.1 ? between / 2 : gap;
}

static double extrapolated(const struct window *w, bool counter, bool rate)
{
    if (w->n < 2)
        return NO_VALUE;
    double change = w->v[w->n - 1] - w->v[0];
    for (size_t i = 1; counter && i < w->n; i++)
        if (w->v[i] < w->v[i - 1])
            change += w->v[i - 1];
    double to_start = seconds(w->t[0] - w->start);
    double to_end = seconds(w->end - w->t[w->n - 1]);
    double sampled = seconds(w->t[w->n - 1] - w->t[0]);
    double between = sampled / (double)(w->n - 1);
    if (!w->old_rates)
        to_start = gap_used(to_start, between);
    if (counter && change > 0 && w->v[0] >= 0) {
        /* A counter was not below zero before its first sample. */
        double to_zero = sampled * (w->v[0] / change);
        to_start = to_zero < to_start ? to_zero : to_start;
    }
    if (w->old_rates)
        to_start = gap_used(to_start, between);
    double factor = (sampled + to_start + gap_used(to_end, between)) / sampled;
    if (rate)
        factor /= seconds(w->end - w->start);
    return change * factor;
}

double window_rate(const struct window *w)
{
    return extrapolated(w, true, true);
}

double window_increase(const struct window *w)
{
    return extrapolated(w, true, false);
}

double window_delta(const struct window *w)
{
    return extrapolated(w, false, false);
}

static double last_two(const struct window *w, bool rate)
{
    if (w->n < 2)
        return NO_VALUE;
    double last = w->v[w->n - 1], before = w->v[w->n - 2];
    double change = rate && last < before ? last : last - before;
    int64_t between = w->t[w->n - 1] - w->t[w->n - 2];
    if (between == 0)
        return NO_VALUE;
    return rate ? change / seconds(between) : change;
}

double window_irate(const struct window *w)
{
    return last_two(w, true);
}

double window_idelta(const struct window *w)
{
    return last_two(w, false);
}

/* ---- straight lines ----------------------------------------------------- */

struct line {
    double slope, at_zero;
};

/* Least squares; zero is the time `zero`. */
static struct line fit(const struct window *w, int64_t zero)
{
    double n = (double)w->n, x = 0, y = 0, xy = 0, xx = 0;
    double rest_x = 0, rest_y = 0, rest_xy = 0, rest_xx = 0;
    bool flat = true;

    for (size_t i = 0; i < w->n; i++) {
        double at = seconds(w->t[i] - zero);
        flat = flat && w->v[i] == w->v[0];
        sum_add(&x, &rest_x, at);
        sum_add(&y, &rest_y, w->v[i]);
        sum_add(&xy, &rest_xy, at * w->v[i]);
        sum_add(&xx, &rest_xx, at * at);
    }
    if (flat && isinf(w->v[0]))
        return (struct line){sample_nan(), sample_nan()};
    if (flat)
        return (struct line){0, w->v[0]};
    x += rest_x;
    y += rest_y;
    xy += rest_xy;
    xx += rest_xx;
    double slope = (xy - x * y / n) / (xx - x * x / n);
    return (struct line){slope, y / n - slope * x / n};
}

double window_deriv(const struct window *w)
{
    return w->n < 2 ? NO_VALUE : fit(w, w->t[0]).slope;
}

double window_predict_linear(const struct window *w)
{
    if (w->n < 2)
        return NO_VALUE;
    struct line line = fit(w, w->now);
    return line.slope * w->param + line.at_zero;
}

/* ---- counts ------------------------------------------------------------- */

double window_changes(const struct window *w)
{
    size_t n = 0;

    for (size_t i = 1; i < w->n; i++)
        n += w->v[i] != w->v[i - 1] && !(isnan(w->v[i]) && isnan(w->v[i - 1]));
    return (double)n;
}

double window_resets(const struct window *w)
{
    size_t n = 0;

    for (size_t i = 1; i < w->n; i++)
        n += w->v[i] < w->v[i - 1];
    return (double)n;
}

double window_count(const struct window *w)
{
    return (double)w->n;
}

double window_present(const struct window *w)
{
    (void)w;
    return 1;
}

double window_first(const struct window *w)
{
    return w->v[0];
}

double window_last(const struct window *w)
{
    return w->v[w->n - 1];
}

/* ---- sums and spreads --------------------------------------------------- */

double window_avg(const struct window *w)
{
    struct mean m = mean_start(w->v[0]);

    for (size_t i = 1; i < w->n; i++)
        mean_add(&m, w->v[i]);
    return mean_value(&m);
}

double window_sum(const struct window *w)
{
    double sum = 0, rest = 0;

    for (size_t i = 0; i < w->n; i++)
        sum_add(&sum, &rest, w->v[i]);
    return isinf(sum) ? sum : sum + rest;
}

double window_min(const struct window *w)
{
    double least = w->v[0];

    for (size_t i = 1; i < w->n; i++)
        if (w->v[i] < least || isnan(least))
            least = w->v[i];
    return least;
}

double window_max(const struct window *w)
{
    double most = w->v[0];

    for (size_t i = 1; i < w->n; i++)
        if (w->v[i] > most || isnan(most))
            most = w->v[i];
    return most;
}

/* Welford's method. */
double window_stdvar(const struct window *w)
{
    double mean = 0, mean_rest = 0, sum = 0, rest = 0;

    for (size_t i = 0; i < w->n; i++) {
        double delta = w->v[i] - (mean + mean_rest);
        sum_add(&mean, &mean_rest, delta / (double)(i + 1));
        sum_add(&sum, &rest, delta * (w->v[i] - (mean + mean_rest)));
    }
    return (sum + rest) / (double)w->n;
}

double window_stddev(const struct window *w)
{
    return sqrt(window_stdvar(w));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    if (isnan(x) || isnan(y))
        return isnan(y) - isnan(x);
    return x < y ? -1 : x > y;
}

double quantile_of(double q, double *v, size_t n)
{
    if (n == 0 || isnan(q))
        return sample_nan();
    if (q < 0 || q > 1)
        return q < 0 ? -(double)INFINITY : (double)INFINITY;
    sort_items(v, n, sizeof(*v), by_value);
    double rank = q * (double)(n - 1);
    size_t low = (size_t)floor(rank), high = low + 1 < n ? low + 1 : n - 1;
    double weight = rank - floor(rank);
    return v[low] * (1 - weight) + v[high] * weight;
}

double window_quantile(const struct window *w)
{
    memcpy(w->room, w->v, w->n * sizeof(*w->v));
    return quantile_of(w->param, w->room, w->n);
}
