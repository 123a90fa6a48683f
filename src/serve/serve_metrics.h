/* serve_metrics.h - the families that the data plane counts in. */
#ifndef SERVE_SERVE_METRICS_H
#define SERVE_SERVE_METRICS_H

#include "http/request.h"
#include "serve/served.h"

/* Makes the series of a model. */
void serve_metrics_model(struct metrics *m, struct served *model);

/* Per HTTP request, with the names of prometheus-fastapi-instrumentator. One
 * cache per loop. */
struct http_metrics;

struct http_metrics *http_metrics_new(struct metrics *m, unsigned shard,
                                      size_t routes);
void http_metrics_free(struct http_metrics *h);
void http_metrics_count(struct http_metrics *h, const struct http_request *r,
                        double seconds);

#endif
