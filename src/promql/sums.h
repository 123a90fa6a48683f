/* sums.h - sums that keep what rounding would lose (Kahan, in Neumaier's form),
 * and means that do not overflow. The same operations in the same order as
 * Prometheus 3, so that results agree.
 *
 * https://en.wikipedia.org/wiki/Kahan_summation_algorithm
 */
#ifndef PROMQL_SUMS_H
#define PROMQL_SUMS_H

#include <math.h>
#include <stdbool.h>

static inline void sum_add(double *sum, double *rest, double v)
{
    double t = *sum + v;

    if (isinf(t))
        *rest = 0;
    else if (fabs(*sum) >= fabs(v))
        *rest += (*sum - t) + v;
    else
        *rest += (v - t) + *sum;
    *sum = t;
}

/* The sum so far, or the mean once the sum would be infinite. */
struct mean {
    double sum, rest, count;
    bool stepwise;
};

static inline struct mean mean_start(double v)
{
    return (struct mean){.sum = v, .count = 1};
}

static inline void mean_add(struct mean *m, double v)
{
    double sum = m->sum, rest = m->rest;

    m->count++;
    if (!m->stepwise) {
        sum_add(&sum, &rest, v);
        if (!isinf(sum)) {
            m->sum = sum;
            m->rest = rest;
            return;
        }
        m->stepwise = true;
        m->sum /= m->count - 1;
        m->rest /= m->count - 1;
    }
    double share = (m->count - 1) / m->count;
    m->sum *= share;
    m->rest *= share;
    sum_add(&m->sum, &m->rest, v / m->count);
}

static inline double mean_value(const struct mean *m)
{
    return m->stepwise ? m->sum + m->rest
                       : m->sum / m->count + m->rest / m->count;
}

#endif
