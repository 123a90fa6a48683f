#include "web/control.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/api.h"
#include "web/console.h"
#include "web/stream.h"

enum { QUERY_THREADS = 2, QUERIES_MAX = 20, QUERY_TIMEOUT_MS = 120000 };

struct stat {
    struct metric_family family;
    size_t field; /* a uint64_t of what is shown */
};

#define STAT(of, name, help, kind, field)                       \
    {                                                           \
        {name, help, kind, NULL, 0}, offsetof(struct of, field) \
    }

static const struct stat rule_stats[] = {
    STAT(engine_stats, "stoker_rule_evaluations_total", "Rules evaluated.",
         METRIC_COUNTER, evaluations),
    STAT(engine_stats, "stoker_rule_failures_total", "Evaluations that failed.",
         METRIC_COUNTER, failures),
    STAT(engine_stats, "stoker_rule_missed_total",
         "Evaluations of groups that were due and did not take place.",
         METRIC_COUNTER, missed),
    STAT(engine_stats, "stoker_alerts_sent_total",
         "Alerts that an Alertmanager took.", METRIC_COUNTER, sent),
    STAT(engine_stats, "stoker_alerts_dropped_total",
         "Alerts that were not sent because too many waited.", METRIC_COUNTER,
         dropped),
    STAT(engine_stats, "stoker_alerts_send_failures_total",
         "Requests with alerts that failed.", METRIC_COUNTER, errors),
};

static const struct stat store_stats[] = {
    STAT(tsdb_stats, "stoker_tsdb_head_series", "Series that are known.",
         METRIC_GAUGE, series),
    STAT(tsdb_stats, "stoker_tsdb_head_samples", "Samples in memory.",
         METRIC_GAUGE, samples),
    STAT(tsdb_stats, "stoker_tsdb_head_chunk_bytes",
         "Bytes of the packed samples in memory.", METRIC_GAUGE, bytes),
    STAT(tsdb_stats, "stoker_tsdb_segments", "Files of older samples.",
         METRIC_GAUGE, segments),
    STAT(tsdb_stats, "stoker_tsdb_segment_samples", "Samples in files.",
         METRIC_GAUGE, segment_samples),
    STAT(tsdb_stats, "stoker_tsdb_segment_bytes", "Bytes of these files.",
         METRIC_GAUGE, segment_bytes),
    STAT(tsdb_stats, "stoker_tsdb_wal_bytes",
         "Bytes of the log since the last snapshot of the head.", METRIC_GAUGE,
         wal_bytes),
    STAT(tsdb_stats, "stoker_tsdb_snapshot_bytes", "Bytes of that snapshot.",
         METRIC_GAUGE, snapshot_bytes),
    STAT(tsdb_stats, "stoker_tsdb_pending_bytes",
         "Bytes that wait for the disk.", METRIC_GAUGE, pending_bytes),
    STAT(tsdb_stats, "stoker_tsdb_write_failing",
         "1 while the log cannot be written: the disk is full or broken.",
         METRIC_GAUGE, failing),
    STAT(tsdb_stats, "stoker_tsdb_write_failures_total",
         "Times that the log could not be written.", METRIC_COUNTER,
         flush_failures),
};

static const struct stat log_stats[] = {
    STAT(logs_stats, "stoker_logs_seen_total",
         "Lines of logs that the monitor has seen.", METRIC_COUNTER, seen),
    STAT(logs_stats, "stoker_logs_sent_total",
         "Lines that an Elasticsearch or a Loki took.", METRIC_COUNTER, sent),
    STAT(logs_stats, "stoker_logs_refused_total",
         "Lines that it refused for good.", METRIC_COUNTER, failed),
    STAT(logs_stats, "stoker_logs_dropped_total",
         "Lines that there was no room to keep for it.", METRIC_COUNTER,
         dropped),
    STAT(logs_stats, "stoker_logs_queue_bytes",
         "Bytes of lines that wait to be sent.", METRIC_GAUGE, queue_bytes),
};

static const struct stat remote_stats[] = {
    STAT(remote_out_stats, "stoker_remote_write_samples_total",
         "Samples that other stores took.", METRIC_COUNTER, sent),
    STAT(remote_out_stats, "stoker_remote_write_failed_total",
         "Samples that they refused.", METRIC_COUNTER, failed),
    STAT(remote_out_stats, "stoker_remote_write_dropped_total",
         "Samples that there was no room to keep for them.", METRIC_COUNTER,
         dropped),
    STAT(remote_out_stats, "stoker_remote_write_waiting",
         "Samples that wait to be sent.", METRIC_GAUGE, waiting),
};

struct control *control_of(const struct http_request *r)
{
    return r->loop->server->hooks.ctx;
}

/* ---- plain answers ------------------------------------------------------ */

static void healthy(struct http_request *r)
{
    buf_puts(http_out(r), "Prometheus Server is Healthy.\n");
    http_reply(r, 200, "text/plain; charset=utf-8");
}

static void ready(struct http_request *r)
{
    buf_puts(http_out(r), "Prometheus Server is Ready.\n");
    http_reply(r, 200, "text/plain; charset=utf-8");
}

static void metrics(struct http_request *r)
{
    bool open = http_accepts(r, "application/openmetrics-text");

    if (control_of(r)->options.pass_on) {
        api_pass_on(r);
        return;
    }
    metrics_expose(control_of(r)->metrics, open, http_out(r));
    r->stream = true;
    http_reply(r, 200, metrics_content_type(open));
}

/* clang-format off */
#define BOTH (HTTP_GET | HTTP_POST)

static const struct http_route routes[] = {
    {HTTP_GET, "/", console_page, 0},
    /* Prometheus' pages, as links in alerts have them. */
    {HTTP_GET, "/alerts", console_page, 0},
    {HTTP_GET, "/graph", console_page, 0},
    {HTTP_GET, "/query", console_page, 0},
    {HTTP_GET, "/rules", console_page, 0},
    {HTTP_GET, "/targets", console_page, 0},
    {HTTP_GET, "/console/dashboard/{name}", console_dashboard, 0},
    {HTTP_GET, "/console/functions", console_functions, 0},
    {HTTP_GET, "/console/numbers", console_numbers, 0},
    {HTTP_GET, "/console/{file}", console_asset, 0},
    {HTTP_GET, "/api/v1/live", api_live, 0},
    {HTTP_GET, "/api/v1/logs", api_logs, 0},
    {HTTP_GET, "/-/healthy", healthy, 0},
    {HTTP_GET, "/-/ready", ready, 0},
    {HTTP_POST, "/-/reload", api_reload, 0},
    {HTTP_GET, "/metrics", metrics, 0},
    {HTTP_GET, "/federate", api_federate, 0},
    {HTTP_POST, "/api/v1/write", api_write, 0},
    {BOTH,     "/api/v1/query", api_query, 0},
    {BOTH,     "/api/v1/query_range", api_query_range, 0},
    {BOTH,     "/api/v1/query_exemplars", api_query_exemplars, 0},
    {BOTH,     "/api/v1/format_query", api_format_query, 0},
    {BOTH,     "/api/v1/series", api_series, 0},
    {BOTH,     "/api/v1/labels", api_labels, 0},
    {HTTP_GET, "/api/v1/label/{name}/values", api_label_values, 0},
    {HTTP_GET, "/api/v1/metadata", api_metadata, 0},
    {HTTP_GET, "/api/v1/targets", api_targets, 0},
    {HTTP_GET, "/api/v1/rules", api_rules, 0},
    {HTTP_GET, "/api/v1/alerts", api_alerts, 0},
    {HTTP_GET, "/api/v2/alerts", api_v2_alerts, 0},
    {HTTP_POST, "/api/v2/alerts", api_v2_post_alerts, 0},
    {HTTP_GET, "/api/v2/alerts/groups", api_v2_groups, 0},
    {HTTP_GET, "/api/v2/receivers", api_v2_receivers, 0},
    {HTTP_GET, "/api/v2/status", api_v2_status, 0},
    {HTTP_GET, "/api/v2/silences", api_v2_silences, 0},
    {HTTP_POST, "/api/v2/silences", api_v2_post_silence, 0},
    {HTTP_GET, "/api/v2/silence/{id}", api_v2_silence, 0},
    {HTTP_DELETE, "/api/v2/silence/{id}", api_v2_expire, 0},
    {HTTP_POST, "/api/v1/alerts/test", api_test_alert, 0},
    {HTTP_GET, "/api/v1/status/buildinfo", api_buildinfo, 0},
    {HTTP_GET, "/api/v1/status/tsdb", api_tsdb, 0},
    {HTTP_GET, "/api/v1/status/config", api_config, 0},
    {HTTP_GET, "/api/v1/status/runtimeinfo", api_runtime, 0},
    {HTTP_GET, "/api/v1/status/flags", api_flags, 0},
    {HTTP_GET, "/api/v1/status/walreplay", api_wal_replay, 0},
    {HTTP_GET, "/api/v1/alertmanagers", api_alertmanagers, 0},
    {HTTP_GET, "/api/v1/scrape_pools", api_scrape_pools, 0},
};
/* clang-format on */

/* ---- making and ending -------------------------------------------------- */

/* A page of another site that somebody has open may not change anything here.
 * Browsers tell, on https and to loopback (W3C Fetch Metadata); others are not
 * browsers. */
static int authorise(void *ctx, struct http_request *r)
{
    struct str site = r->head.known[HTTP_FETCH_SITE];

    (void)ctx;
    if (!(r->method & (HTTP_POST | HTTP_DELETE)) || !site.n)
        return 0;
    return str_eq(site, STR("same-origin")) || str_eq(site, STR("none")) ? 0
                                                                         : 403;
}

static void on_done(void *ctx, struct http_request *r)
{
    (void)ctx;
    (void)r;
}

static void on_gone(void *ctx, struct http_request *r)
{
    (void)ctx;
    api_cancel(r);
}

static void on_tick(void *ctx, struct http_loop *l)
{
    streams_tick(ctx, l->loop.last_tick_ns);
}

static void show(struct control *c, const struct stat *rows, size_t n,
                 const void *values)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t v;
        memcpy(&v, (const char *)values + rows[i].field, sizeof(v));
        metric_set(metrics_series(c->metrics, &rows[i].family, ""), (double)v);
    }
}

static void refresh(void *ctx)
{
    struct control *c = ctx;
    struct engine_stats rules;
    struct remote_out_stats remote;
    struct tsdb_stats store;
    struct logs_stats logs;

    engine_stats(c->engine, &rules);
    show(c, rule_stats, COUNT(rule_stats), &rules);
    control_remote_stats(c, &remote);
    show(c, remote_stats, COUNT(remote_stats), &remote);
    tsdb_stats(c->db, &store);
    show(c, store_stats, COUNT(store_stats), &store);
    logs_stats(c->logs, &logs);
    show(c, log_stats, COUNT(log_stats), &logs);
}

static enum errc make_http(struct control *c, struct err *err)
{
    enum errc rc =
        http_server_new(routes, COUNT(routes), 1, true, &c->http, err);

    if (rc)
        return rc;
    c->http->limits = c->options.limits;
    c->http->hooks = (struct http_hooks){.authorise = authorise,
                                         .done = on_done,
                                         .gone = on_gone,
                                         .tick = on_tick,
                                         .ctx = c};
    return ERR_OK;
}

static void own_metrics(void *ctx, struct buf *out)
{
    struct control *c = ctx;

    metrics_expose(c->metrics, false, out);
}

/* Not over HTTP: what is handed on is not its own. */
static enum errc add_self(struct control *c, struct err *err)
{
    struct scrape_options *s = &c->options.scrape;

    c->targets = calloc(s->n + 1, sizeof(*c->targets));
    if (!c->targets)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (s->n)
        memcpy(c->targets, s->targets, s->n * sizeof(*c->targets));
    c->targets[s->n++] = (struct scrape_target){.job = "monitor",
                                                .url = c->options.self,
                                                .collect = own_metrics,
                                                .ctx = c};
    s->targets = c->targets;
    return ERR_OK;
}

/* From the engine to those who tell people. */
static void tell(void *ctx, const struct engine_alert *a)
{
    struct control *c = ctx;
    const struct incoming in = {.labels = a->labels,
                                .annotations = a->annotations,
                                .generator_url = a->source,
                                .starts_at = a->starts_at,
                                .ends_at = a->ends_at};

    (void)!notify_alert(c->notify, &in, NULL); /* it is told again soon */
}

static void take_defaults(struct control_options *o)
{
    o->query_threads = o->query_threads ? o->query_threads : QUERY_THREADS;
    o->max_queries = o->max_queries ? o->max_queries : QUERIES_MAX;
    if (!o->query_timeout_ms)
        o->query_timeout_ms = QUERY_TIMEOUT_MS;
}

enum errc control_new(const struct control_options *options,
                      struct control **out, struct err *err)
{
    struct control *c = calloc(1, sizeof(*c));

    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    pthread_mutex_init(&c->lock, NULL);
    c->options = *options;
    take_defaults(&c->options);
    c->started_ms = clock_wall_ms();
    c->metrics = metrics_new(1);
    c->process = c->metrics ? process_metrics_new(c->metrics) : NULL;
    enum errc rc =
        c->process ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = control_config_load(c, err); /* has options of the store */
    if (!rc)
        rc = tsdb_open(&c->options.store, &c->db, err);
    if (!rc && options->self)
        rc = add_self(c, err);
    if (!rc)
        rc = notify_new(&options->notify, &c->notify, err);
    if (!rc)
        rc = logs_new(&options->logs, &c->logs, err);
    if (!rc) {
        c->options.rules.env.db = c->db;
        c->options.rules.tell = tell;
        c->options.rules.relabel = control_config_relabel;
        c->options.rules.teller = c;
        rc = engine_new(&c->options.rules, &c->engine, err);
    }
    if (!rc)
        rc = metadata_new(&c->metadata, err);
    c->options.scrape.metadata = c->metadata;
    if (!rc)
        rc = make_http(c, err);
    if (rc) {
        control_free(c);
        return rc;
    }
    metrics_hook(c->metrics, refresh, c);
    *out = c;
    return ERR_OK;
}

enum errc control_start(struct control *c, int fd, struct err *err)
{
    enum errc rc = pool_new(c->options.query_threads, c->options.max_queries,
                            &c->queries, err);

    if (!rc)
        rc = control_remote_start(c, err);
    if (!rc)
        rc = scraper_new(c->db, &c->options.scrape, &c->scraper, err);
    if (!rc)
        rc = control_config_start(c, err);
    if (!rc)
        rc = notify_start(c->notify, err);
    if (!rc)
        rc = logs_start(c->logs, err);
    if (!rc)
        rc = engine_start(c->engine, err);
    if (!rc)
        rc = http_server_start(c->http, &fd, 1, err);
    if (!rc)
        http_server_open(c->http);
    return rc;
}

void control_free(struct control *c)
{
    if (!c)
        return;
    /* Queries end, are answered by the loop, and then the loop ends. */
    api_cancel_all(c);
    pool_free(c->queries);
    if (c->http && c->http->loops[0].thread)
        http_server_stop(c->http);
    http_server_free(c->http);
    control_config_fini(c);
    scraper_free(c->scraper); /* it asks all the others for their numbers */
    free(c->targets);
    engine_free(c->engine);
    notify_free(c->notify);
    logs_free(c->logs);
    control_remote_fini(c);
    prom_config_release(c->config);
    prom_config_release(c->first_config);
    free(c->files);
    free(c->urls);
    metadata_free(c->metadata);
    tsdb_close(c->db);
    metrics_free(c->metrics);
    process_metrics_free(c->process);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
