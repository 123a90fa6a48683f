/* window.h - the samples of one series in one range, and what is made of them.
 */
#ifndef PROMQL_WINDOW_H
#define PROMQL_WINDOW_H

#include "promql/eval.h"

struct window {
    const int64_t *t; /* ms, rising */
    const double *v;
    size_t n;           /* at least one */
    int64_t start, end; /* of the range, ms */
    int64_t now;        /* the moment of evaluation, without @ and offset */
    double param;       /* the scalar argument at that moment */
    bool old_rates;     /* as Prometheus 2 extrapolated */
    double *room;       /* n doubles to work in */
};

double window_rate(const struct window *w);
double window_increase(const struct window *w);
double window_delta(const struct window *w);
double window_irate(const struct window *w);
double window_idelta(const struct window *w);
double window_deriv(const struct window *w);
double window_predict_linear(const struct window *w);
double window_changes(const struct window *w);
double window_resets(const struct window *w);
double window_avg(const struct window *w);
double window_sum(const struct window *w);
double window_min(const struct window *w);
double window_max(const struct window *w);
double window_count(const struct window *w);
double window_first(const struct window *w);
double window_last(const struct window *w);
double window_present(const struct window *w);
double window_stddev(const struct window *w);
double window_stdvar(const struct window *w);
double window_quantile(const struct window *w);

/* The q-quantile of n values, which are sorted: NaN first. */
double quantile_of(double q, double *v, size_t n);

#endif
