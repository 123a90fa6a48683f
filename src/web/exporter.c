#include "web/exporter.h"

#include <stdlib.h>
#include <unistd.h>

struct exporter {
    struct gpus *gpus;
    struct http_server *http;
    bool started;
};

static void metrics(struct http_request *r)
{
    struct exporter *e = r->loop->server->hooks.ctx;

    gpus_last(e->gpus, http_out(r));
    http_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8");
}

static void health(struct http_request *r)
{
    buf_puts(http_out(r), "OK\n");
    http_reply(r, 200, "text/plain; charset=utf-8");
}

static void nothing(void *ctx, struct http_request *r)
{
    (void)ctx;
    (void)r;
}

static const struct http_route routes[] = {
    {HTTP_GET, "/metrics", metrics, 0},
    {HTTP_GET, "/health", health, 0},
};

enum errc exporter_start(struct gpus *gpus, int fd,
                         const struct http_limits *limits,
                         struct exporter **out, struct err *err)
{
    struct exporter *e = calloc(1, sizeof(*e));
    enum errc rc = e ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");

    if (!rc)
        rc = http_server_new(routes, COUNT(routes), 1, true, &e->http, err);
    if (rc) {
        (void)close(fd);
        exporter_free(e);
        return rc;
    }
    e->gpus = gpus;
    e->http->limits = *limits;
    e->http->hooks =
        (struct http_hooks){.done = nothing, .gone = nothing, .ctx = e};
    rc = http_server_start(e->http, &fd, 1, err);
    e->started = !rc;
    if (rc) {
        exporter_free(e);
        return rc;
    }
    http_server_open(e->http);
    *out = e;
    return ERR_OK;
}

void exporter_free(struct exporter *e)
{
    if (!e)
        return;
    if (e->started)
        http_server_stop(e->http);
    http_server_free(e->http);
    free(e);
}
