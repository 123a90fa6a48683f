/* process.h - the process_* metrics that every Prometheus client has. */
#ifndef METRIC_PROCESS_H
#define METRIC_PROCESS_H

#include "metric/metric.h"

/* Adds them to m; values are read from /proc when m is exposed. NULL if out of
 * memory. Free behind the registry. */
struct process_metrics *process_metrics_new(struct metrics *m);
void process_metrics_free(struct process_metrics *p);

#endif
