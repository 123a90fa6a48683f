#include "serve/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "metric/process.h"
#include "serve/loader.h"
#include "serve/routes.h"
#include "serve/serve_metrics.h"

static const struct metric_family share_family = {
    "stoker_event_loop_connections", "Open connections of each event loop.",
    METRIC_GAUGE, NULL, 0};
static const struct metric_family connection_family = {
    "stoker_open_connections", "Open client connections.", METRIC_GAUGE, NULL,
    0};
static const struct metric_family loop_family = {
    "stoker_event_loops_active", "Event loops in use.", METRIC_GAUGE, NULL, 0};
static const struct metric_family accept_family = {
    "stoker_accept_failures_total",
    "Times a connection had to wait for a free file descriptor.",
    METRIC_COUNTER, NULL, 0};
static const struct metric_family info_family = {
    "stoker_build_info", "Version of Stoker and of its runtime; always 1.",
    METRIC_GAUGE, NULL, 0};

struct service *service_of(const struct http_request *r)
{
    return r->loop->server->hooks.ctx;
}

struct snapshot *service_snapshot(struct http_loop *l)
{
    struct service *s = l->server->hooks.ctx;
    unsigned now = registry_generation(s->registry);
    struct snapshot **mine = &s->snapshots[l->index];

    if (!*mine || s->generations[l->index] != now) {
        snapshot_unref(*mine);
        *mine = registry_snapshot(s->registry);
        s->generations[l->index] = now;
    }
    return *mine;
}

bool service_ready(struct http_request *r)
{
    struct service *s = service_of(r);

    return atomic_load(&s->loaded) && !atomic_load(&s->stopping) &&
           service_snapshot(r->loop)->all_ready;
}

static void on_done(void *ctx, struct http_request *r)
{
    struct service *s = ctx;
    int64_t took = clock_mono_ns() - r->start_ns;

    http_metrics_count(s->http_metrics[r->loop->index], r, (double)took * 1e-9);
    if (s->access)
        access_log_write(s->access, r, took);
}

static void on_gone(void *ctx, struct http_request *r)
{
    struct service *s = ctx;

    if (r->user)
        executor_cancel(s->executor, r->user);
}

static void on_turn_end(void *ctx, struct http_loop *l)
{
    struct service *s = ctx;

    executor_turn_end(s->executor, l);
}

static void on_tick(void *ctx, struct http_loop *l)
{
    struct service *s = ctx;
    unsigned index = l->index;

    executor_tick(s->executor, l);
    /* An idle loop must not keep an unloaded model alive. */
    if (s->snapshots[index])
        (void)service_snapshot(l);
}

static void refresh(void *ctx)
{
    struct service *s = ctx;

    metric_set(metrics_series(s->metrics, &connection_family, ""),
               http_server_connections(s->http));
    metric_set(metrics_series(s->metrics, &loop_family, ""),
               atomic_load(&s->http->n_active));
    for (unsigned i = 0; i < s->http->n_loops; i++) {
        char label[24];
        (void)snprintf(label, sizeof(label), "loop=\"%u\"", i);
        metric_set(metrics_series(s->metrics, &share_family, label),
                   atomic_load(&s->http->loops[i].connections));
    }
    metric_set(metrics_series(s->metrics, &accept_family, ""),
               (double)atomic_load(&s->http->accept_failures));
}

static void build_info(struct service *s)
{
    struct buf b;

    buf_init(&b, 1024);
    metric_label(&b, "version", STR(STOKER_VERSION));
    metric_label(&b, "onnxruntime",
                 str_from_cstr(registry_runtime_version(s->registry)));
    metric_label(&b, "device", str_from_cstr(registry_device(s->registry)));
    buf_putc(&b, '\0');
    if (!b.failed)
        metric_set(metrics_series(s->metrics, &info_family, b.p), 1);
    buf_fini(&b);
}

static enum errc make_http(struct service *s, struct err *err)
{
    size_t n;
    const struct http_route *table = serve_routes(&n);
    enum errc rc = http_server_new(table, n, s->options.threads,
                                   s->options.fixed_loops, &s->http, err);

    if (rc)
        return rc;
    s->http->limits = s->options.limits;
    s->http->hooks = (struct http_hooks){.done = on_done,
                                         .gone = on_gone,
                                         .turn_end = on_turn_end,
                                         .tick = on_tick,
                                         .ctx = s};
    for (unsigned i = 0; i < s->http->n_loops; i++) {
        s->http->loops[i].user = turn_new();
        s->http_metrics[i] = http_metrics_new(s->metrics, i, n);
        if (!s->http->loops[i].user || !s->http_metrics[i])
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    metrics_hook(s->metrics, refresh, s);
    return ERR_OK;
}

enum errc service_new(const struct service_options *options,
                      struct service **out, struct err *err)
{
    struct service *s = calloc(1, sizeof(*s));
    enum errc rc;

    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->options = *options;
    s->started_ms = clock_wall_ms();
    s->metrics = metrics_new(options->threads * 2);
    s->process = s->metrics ? process_metrics_new(s->metrics) : NULL;
    rc = s->process ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = registry_new(&options->registry, s->metrics, &s->registry, err);
    if (!rc)
        rc = registry_prepare(s->registry, err);
    if (!rc)
        rc = make_http(s, err);
    if (rc) {
        service_free(s);
        return rc;
    }
    build_info(s);
    *out = s;
    return ERR_OK;
}

enum errc service_start(struct service *s, const int *fds, unsigned n,
                        struct err *err)
{
    struct executor_options options = {
        .workers = s->options.threads,
        .loops = s->options.threads,
        .queue = s->options.queue,
        .timeout_ns = s->options.timeout_ns,
    };
    enum errc rc = ERR_OK;

    if (strcmp(s->options.access_log, "off") != 0)
        rc = access_log_open(s->options.access_log, s->http->n_loops,
                             &s->access, err);
    if (!rc)
        rc = executor_new(&options, &s->executor, err);
    if (!rc)
        rc = loader_new(s->registry, &s->loader, err);
    if (!rc)
        rc = http_server_start(s->http, fds, n, err);
    if (!rc)
        rc = registry_load_all(s->registry, err);
    if (rc)
        return rc;
    atomic_store(&s->loaded, true);
    http_server_open(s->http);
    return ERR_OK;
}

void service_lame_duck(struct service *s)
{
    atomic_store(&s->stopping, true);
}

bool service_drain(struct service *s, int64_t linger_ns, int64_t timeout_ns)
{
    int64_t until = clock_mono_ns() + timeout_ns;
    struct timespec pause = {0, 5 * 1000 * 1000};

    http_server_drain(s->http, linger_ns);
    while (http_server_connections(s->http) || executor_pending(s->executor)) {
        if (clock_mono_ns() >= until)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

void service_free(struct service *s)
{
    if (!s)
        return;
    loader_free(s->loader);
    /* Loops first: then nothing is submitted any more, and what the workers
     * still post stays in the queues. */
    if (s->http && s->http->loops[0].thread)
        http_server_stop(s->http);
    executor_free(s->executor);
    for (unsigned i = 0; s->http && i < s->http->n_loops; i++) {
        turn_free(s->http->loops[i].user);
        http_metrics_free(s->http_metrics[i]);
        snapshot_unref(s->snapshots[i]);
    }
    access_log_close(s->access);
    http_server_free(s->http);
    registry_free(s->registry);
    metrics_free(s->metrics);
    process_metrics_free(s->process);
    free(s);
}
