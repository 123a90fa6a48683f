/* server.h - event loops that speak HTTP/1.1.
 *
 * There is a loop per processor. Loop 0 accepts and hands connections out to
 * the loops in use, always to the one with the fewest. How many are in use
 * follows the load: one to begin with; one more when those in use are busy and
 * the machine has an idle processor to give; one less when there is little to
 * do. On two cores shared with the clients, one loop that answers in large
 * turns beats two that take the cores from the clients (docs/benchmarks.md).
 *
 * Threads: new, free, start and stop from one thread; http_server_drain() and
 * the counters from any.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "http/request.h"
#include "http/router.h"
#include "io/loop.h"

enum { HTTP_MAX_LOOPS = 64, HTTP_MAX_LISTENERS = 4 };

struct http_limits {
    size_t max_body;       /* bytes, also after unpacking */
    int header_timeout_ms; /* from the first byte to the end of the head */
    int body_timeout_ms;   /* for a stalled or trickling body */
    int idle_timeout_ms;   /* between requests */
    int write_timeout_ms;  /* without a byte taken by the client */
};

/* What the module above does with requests. All but authorise are called on
 * the request's loop. */
struct http_hooks {
    /* Before a request is routed to its handler: 0, or a status to refuse it
     * with. The one place for it. May be NULL. */
    int (*authorise)(void *ctx, struct http_request *r);
    /* Behind the last byte: for metrics and the access log. */
    void (*done)(void *ctx, struct http_request *r);
    /* The client of a request under way has left. */
    void (*gone)(void *ctx, struct http_request *r);
    /* The end of a turn, and about every 100 ms. */
    void (*turn_end)(void *ctx, struct http_loop *l);
    void (*tick)(void *ctx, struct http_loop *l);
    void *ctx;
};

struct conn_list {
    struct conn *first, *last;
};

struct http_loop {
    struct loop loop;
    struct http_server *server;
    unsigned index; /* also the metric shard */
    pthread_t thread;
    struct conn_list idle; /* between requests, longest idle first */
    struct conn_list busy;
    _Atomic unsigned connections;
    struct conn *advancing; /* on the stack of conn_advance() */
    struct inbuf *free_in;
    struct http_request *free_requests;
    size_t n_free_in, n_free_requests;
    int64_t busy_seen_ns; /* for the decision how many loops to use */
    int64_t date_s;
    char date[32];
    uint64_t ids; /* to make request ids from */
    void *user;   /* of the module above, one per loop */
};

struct listener {
    struct watch watch;
    struct http_loop *loop;
    bool paused;  /* not listened to: asked again at the next tick */
    bool starved; /* because no descriptor was left */
};

struct http_server {
    struct router *router;
    struct http_limits limits;
    struct http_hooks hooks;
    struct listener listeners[HTTP_MAX_LISTENERS];
    unsigned n_listeners;
    struct http_loop loops[HTTP_MAX_LOOPS];
    unsigned n_loops; /* threads */
    bool fixed;       /* all loops always in use */
    _Atomic unsigned n_active;
    _Atomic bool draining;     /* answer, then close */
    _Atomic int64_t linger_ns; /* how long a connection may be idle then */
    _Atomic bool accepting;
    _Atomic bool open; /* the first connection may be taken */
    struct task opening;
    int64_t started_ns;
    int64_t idle_seen_ns, decided_ns;
    unsigned calm; /* decisions in a row that found little to do */
    _Atomic uint64_t accept_failures;
};

/* `loops`: how many at most. The table must outlive the server. */
MUST_CHECK enum errc http_server_new(const struct http_route *table, size_t n,
                                     unsigned loops, bool fixed,
                                     struct http_server **out, struct err *err);
void http_server_free(struct http_server *s);

/* Takes over the listening sockets and starts the threads. Connections wait in
 * the sockets' queues until http_server_open(), or for a second: after a
 * restart a client notices a short delay, and a slow start still answers. */
MUST_CHECK enum errc http_server_start(struct http_server *s, const int *fds,
                                       unsigned n, struct err *err);

void http_server_open(struct http_server *s);

/* Accepts no more, closes connections that were idle for linger_ns, and lets
 * the others finish. */
void http_server_drain(struct http_server *s, int64_t linger_ns);

/* Open connections, all loops together. */
unsigned http_server_connections(const struct http_server *s);

/* Ends the threads; what is open is closed. */
void http_server_stop(struct http_server *s);

#endif
