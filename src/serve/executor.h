/* executor.h - where and when requests run.
 *
 * A cheap model runs on the event loop that received the request: requests of
 * one turn are put together at its end. A dear one goes through a bounded
 * queue to a pool of threads. Which it is, is decided by the measured cost of
 * the model and, for JSON, the size of the body.
 *
 * Threads: submit, cancel, turn_end and tick on the request's loop.
 */
#ifndef SERVE_EXECUTOR_H
#define SERVE_EXECUTOR_H

#include "http/server.h"
#include "serve/infer.h"

struct executor;

struct executor_options {
    unsigned workers;
    unsigned loops;     /* metric shards in front of the workers' own */
    size_t queue;       /* waiting requests per model */
    int64_t timeout_ns; /* of a request, unless it asks for less */
};

MUST_CHECK enum errc executor_new(const struct executor_options *options,
                                  struct executor **out, struct err *err);
/* Ends the threads; queued requests must be gone. */
void executor_free(struct executor *x);

/* Takes over r. Every request is answered, by this call or later. */
void executor_submit(struct executor *x, struct infer *r);

/* The client has left. */
void executor_cancel(struct executor *x, struct infer *r);

/* One per loop; NULL if out of memory. */
struct turn *turn_new(void);
void turn_free(struct turn *t);
void executor_turn_end(struct executor *x, struct http_loop *l);
void executor_tick(struct executor *x, struct http_loop *l);

/* Requests queued or running in the pool. */
size_t executor_pending(struct executor *x);

#endif
