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
#include "collect/discover.h"
#include "collect/metadata.h"
#include "collect/remote_out.h"
#include "collect/scrape.h"
#include "http/server.h"
#include "io/pool.h"
#include "logs/logs.h"
#include "metric/metric.h"
#include "metric/process.h"
#include "notify/notify.h"
#include "tsdb/tsdb.h"

struct control_options {
    const char *config; /* Prometheus' file; NULL: none. Kept as it is. */
    struct scrape_options scrape;
    /* URL of its metrics, which are then a target as well; NULL: they are
     * not. Kept as it is. */
    const char *self;
    /* URL of metrics that /metrics hands on beside its own: those of the
     * service, for who expects them on this port; NULL: none. */
    const char *pass_on;
    bool take_remote; /* others may write into the store */
    /* URLs that every sample is sent to, beside those of the file. */
    const char *const *remotes;
    size_t n_remotes;
    struct tsdb_options store;
    struct engine_options rules; /* env.db is the control plane's */
    struct notify_options notify;
    struct logs_options logs;
    struct http_limits limits;
    unsigned query_threads; /* 0: 2 */
    unsigned max_queries;   /* waiting; 0: 20 */
    int64_t query_timeout_ms;
};

struct stream;

struct control {
    struct control_options options;
    struct tsdb *db;
    struct scrape_target *targets; /* those of the options and itself */
    struct scraper *scraper;
    struct discover *discover;        /* NULL: there is no configuration */
    struct prom_config *config;       /* the one in use: lock of what follows */
    struct prom_config *first_config; /* external labels are of this one */
    const char **files, **urls; /* of rules, of Alertmanagers: all together */
    const char *const *given_files; /* of the options */
    size_t n_given_files;
    struct remote_out **remotes; /* all that samples are sent to */
    size_t n_remotes;
    struct remote *usual_remotes; /* of the options */
    struct engine *engine;
    struct notify *notify;
    struct logs *logs;
    struct metadata *metadata;
    struct http_server *http;
    struct pool *queries;
    struct stream *streams; /* of the loop's thread */
    size_t n_streams;
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

/* control_config.c: reads the configuration, and takes its rules beside those
 * of the options. */
MUST_CHECK enum errc control_config_load(struct control *c, struct err *err);
MUST_CHECK enum errc control_config_start(struct control *c, struct err *err);

/* alert_relabel_configs, see struct engine_options. */
bool control_config_relabel(void *control, struct labels *labels,
                            struct arena *a);

/* Reads everything anew: configuration, rules, who is told. After a mistake
 * everything is as before. */
MUST_CHECK enum errc control_reload(struct control *c, struct err *err);
void control_config_fini(struct control *c);

/* control_remote.c */
MUST_CHECK enum errc control_remote_start(struct control *c, struct err *err);
void control_remote_fini(struct control *c); /* the store is still open */
void control_remote_stats(struct control *c, struct remote_out_stats *out);

struct control *control_of(const struct http_request *r);

#endif
