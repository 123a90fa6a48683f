/* pool.h - a few threads that do what would keep an event loop too long.
 *
 * Threads: pool_submit() from any; jobs run in the order they came, several at
 * once. */
#ifndef IO_POOL_H
#define IO_POOL_H

#include <stdbool.h>

#include "base/err.h"

/* Embed it; it is the pool's until run() is called. */
struct pool_job {
    struct pool_job *next;
    void (*run)(struct pool_job *job);
};

struct pool;

MUST_CHECK enum errc pool_new(unsigned threads, unsigned max_waiting,
                              struct pool **out, struct err *err);

/* Runs what waits, and returns when all is done. Nothing may be submitted any
 * more. */
void pool_free(struct pool *p); /* NULL is fine */

/* False: max_waiting jobs wait already. */
bool pool_submit(struct pool *p, struct pool_job *job);

#endif
