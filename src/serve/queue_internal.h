/* queue_internal.h - the models' queues and the ring of those with work; for
 * the executor, whose lock is held in every call. */
#ifndef SERVE_QUEUE_INTERNAL_H
#define SERVE_QUEUE_INTERNAL_H

#include "serve/infer.h"

/* The models with waiting requests, no others. */
struct ready {
    struct served *first, *last;
};

/* Puts r into its model's queue, in the order of priorities. */
void queue_link(struct ready *x, struct infer *r);
void queue_unlink(struct ready *x, struct infer *r);

/* The first model that may run now, out of the ring, and how many rows of it;
 * or NULL and the time until one may. */
struct served *queue_pick(struct ready *x, size_t *rows, int64_t *due_ns);

/* Takes up to `rows` requests from m's queue; m goes back into the ring if
 * more are left. */
struct infer *queue_take(struct ready *x, struct served *m, size_t rows);

#endif
