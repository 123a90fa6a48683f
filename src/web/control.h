/* control.h - the control plane: what is asked for on the monitor's port.
 *
 * Prometheus' HTTP API (/api/v1/...), health and metrics. Queries run on a few
 * threads of their own, so that a dear one keeps neither the event loop nor
 * the scrapes waiting; one that nobody waits for any more is canceled.
 *
 * https://prometheus.io/docs/prometheus/latest/querying/api/
 */
#ifndef WEB_CONTROL_H
#define WEB_CONTROL_H

#include <pthread.h>

#include "alert/engine.h"
#include "collect/metadata.h"
#include "collect/scrape.h"
#include "http/server.h"
#include "io/pool.h"
#include "metric/metric.h"
#include "metric/process.h"
#include "notify/notify.h"
#include "tsdb/tsdb.h"

struct control_options {
    struct scrape_options scrape;
    /* URL of its metrics, which are then a target as well; NULL: they are
     * not. Kept as it is. */
    const char *self;
    /* URL of metrics that /metrics hands on beside its own: those of the
     * service, for who expects them on this port; NULL: none. */
    const char *pass_on;
    struct tsdb_options store;
    struct engine_options rules; /* env.db is the control plane's */
    struct notify_options notify;
    struct http_limits limits;
    unsigned query_threads; /* 0: 2 */
    unsigned max_queries;   /* waiting; 0: 20 */
    int64_t query_timeout_ms;
};

struct control {
    struct control_options options;
    struct tsdb *db;
    struct scrape_target *targets; /* those of the options and itself */
    struct scraper *scraper;
    struct engine *engine;
    struct notify *notify;
    struct metadata *metadata;
    struct http_server *http;
    struct pool *queries;
    struct metrics *metrics;
    struct process_metrics *process;
    int64_t started_ms;       /* wall clock */
    pthread_mutex_t lock;     /* of what follows */
    struct api_call *running; /* queries that a thread works on */
    bool stopping;
};

MUST_CHECK enum errc control_new(const struct control_options *options,
                                 struct control **out, struct err *err);

/* Takes over the listening socket and answers. */
MUST_CHECK enum errc control_start(struct control *c, int fd, struct err *err);
void control_free(struct control *c); /* NULL is fine */

struct control *control_of(const struct http_request *r);

#endif
