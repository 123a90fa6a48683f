/* service.h - the data plane: models behind HTTP, put together.
 *
 * Threads: new, prepare, start, drain and free from the main thread.
 */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include "http/server.h"
#include "serve/access_log.h"
#include "serve/executor.h"
#include "serve/registry.h"

struct service_options {
    struct registry_options registry;
    struct http_limits limits;
    unsigned threads; /* event loops at most, and pool threads */
    bool fixed_loops; /* use all loops always */
    size_t queue;
    int64_t timeout_ns;
    const char *access_log; /* path, "-" for standard output, "off" */
};

/* Of each event loop. */
struct loop_state {
    struct turn *turn;
};

struct service {
    struct service_options options;
    struct http_server *http;
    struct metrics *metrics;
    struct process_metrics *process;
    struct http_metrics *http_metrics[HTTP_MAX_LOOPS];
    struct snapshot *snapshots[HTTP_MAX_LOOPS];
    unsigned generations[HTTP_MAX_LOOPS];
    struct registry *registry;
    struct executor *executor;
    struct access_log *access;
    struct loader *loader;
    _Atomic bool loaded;   /* the first load is over */
    _Atomic bool stopping; /* readiness is withdrawn */
    int64_t started_ms;
};

/* Opens the runtime and checks the models in child processes. Must come before
 * any thread. */
MUST_CHECK enum errc service_new(const struct service_options *options,
                                 struct service **out, struct err *err);
void service_free(struct service *s);

/* Takes over the listening sockets, answers, and loads the models. Returns
 * when they are loaded; health is answered meanwhile. */
MUST_CHECK enum errc service_start(struct service *s, const int *fds,
                                   unsigned n, struct err *err);

/* Readiness false; requests are still served. */
void service_lame_duck(struct service *s);

/* Accepts no more and waits for what is under way, at most so long, and until
 * every connection was idle for linger_ns: a request may be on its way. True
 * when nothing was left. */
bool service_drain(struct service *s, int64_t linger_ns, int64_t timeout_ns);

/* The models as this loop sees them: borrowed, until the end of the call that
 * the loop is in. */
struct snapshot *service_snapshot(struct http_loop *l);

struct service *service_of(const struct http_request *r);

/* Every model can be called. */
bool service_ready(struct http_request *r);

#endif
