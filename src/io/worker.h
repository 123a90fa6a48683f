/* worker.h - a thread that works until it is told to end, with the lock of what
 * it shares and a bell to wake it.
 *
 *     static void *run(void *arg)
 *     {
 *         worker_lock(w);
 *         while (!w->stopped)
 *             worker_wait(w, do_what_is_due());
 *         worker_unlock(w);
 *         return NULL;
 *     }
 *
 * Threads: init, start, stop and fini from one; the others from any.
 */
#ifndef IO_WORKER_H
#define IO_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct worker {
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* also of `stopped` */
    pthread_cond_t wake;
    bool stopped;
};

void worker_init(struct worker *w);
MUST_CHECK enum errc worker_start(struct worker *w, void *(*run)(void *arg),
                                  void *arg, struct err *err);

/* Tells it to end, and waits until it has; nothing if it was not started. */
void worker_stop(struct worker *w);
void worker_fini(struct worker *w);

void worker_lock(struct worker *w);
void worker_unlock(struct worker *w);

/* Wakes whoever waits. */
void worker_wake(struct worker *w);

/* With the lock, which is given away meanwhile: until it is woken, or ms have
 * passed, or at once when it is to end. */
void worker_wait(struct worker *w, int64_t ms);

/* The same without the lock. False: it is to end. */
bool worker_rest(struct worker *w, int64_t ms);

#endif
