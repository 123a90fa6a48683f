/* metric.h - counters, gauges and histograms, and their text.
 *
 * Every series has one cell (or row of cells) per shard, and every thread that
 * counts has a shard of its own: adding is a plain load, add and store, with
 * no lock and no shared cache line. Readers add the shards up. Families and
 * series are made under a lock and live as long as the registry, so a hot path
 * looks a series up once and keeps the pointer.
 *
 * Text: Prometheus 0.0.4 and OpenMetrics 1.0.
 */
#ifndef METRIC_METRIC_H
#define METRIC_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum metric_type {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_HISTOGRAM,
    METRIC_SUMMARY, /* sum and count, no quantiles */
};

struct metrics;
struct metric; /* one series */

struct metric_family {
    const char *name, *help;
    enum metric_type type;
    const double *bounds; /* of a histogram, ascending, without +Inf */
    size_t n_bounds;
};

/* NULL if out of memory. */
struct metrics *metrics_new(unsigned shards);
void metrics_free(struct metrics *m);
unsigned metrics_shards(const struct metrics *m);

/* The series of a family with these labels, rendered: `model="m",version="1"`
 * or "". Made on first use; family must live as long as the registry. Any
 * thread. NULL if out of memory: all calls below take NULL and do nothing. */
struct metric *metrics_series(struct metrics *m,
                              const struct metric_family *family,
                              const char *labels);

/* Before exposing, each hook is called to set gauges that are read on demand.
 * They run in the order they were added. */
void metrics_hook(struct metrics *m, void (*hook)(void *ctx), void *ctx);

/* The shard must be the caller's own. */
void metric_add(struct metric *s, unsigned shard, double v);
void metric_observe(struct metric *s, unsigned shard, double v);

/* The same for n observations that are all v. */
void metric_observe_n(struct metric *s, unsigned shard, double v, uint64_t n);

/* Gauges and counters kept elsewhere: the value as a whole, any one thread. */
void metric_set(struct metric *s, double v);

/* The sum over the shards; of a histogram or summary the sum of observations
 * and, in *count, their number. */
double metric_value(const struct metric *s, uint64_t *count);

void metrics_expose(struct metrics *m, bool openmetrics, struct buf *out);

/* The Content-Type of what it wrote. */
const char *metrics_content_type(bool openmetrics);

/* Appends name="value" to labels being rendered, escaped, with a comma if
 * something is there already. */
void metric_label(struct buf *labels, const char *name, struct str value);

#endif
