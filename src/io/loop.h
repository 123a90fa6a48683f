/* loop.h - one thread, one epoll, many descriptors.
 *
 *     wait -> every ready watch -> posted tasks -> turn_end -> wait ...
 *
 * "Turn" is one round: what one epoll_wait() found ready. Work that gains from
 * company (a model run) is collected during the turn and done at its end.
 *
 * Threads: everything belongs to the loop's own thread, except loop_post() and
 * loop_stop().
 */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Something to be told about. Embed it; it must outlive its registration. */
struct watch {
    int fd;
    void (*ready)(struct watch *w, uint32_t events); /* EPOLLIN, ... */
};

/* A message from another thread. Embed it; free when run() is called. */
struct task {
    struct task *next;
    void (*run)(struct task *t);
};

struct loop {
    int epoll_fd, event_fd;
    struct watch wake;
    pthread_mutex_t lock;
    struct task *posted, **posted_tail;
    bool stopped;

    void (*turn_end)(void *ctx); /* may be NULL */
    void (*tick)(void *ctx);     /* every LOOP_TICK_MS or earlier, see below;
                                    may be NULL */
    void *ctx;

    int64_t now_ns; /* of the last return from epoll_wait */
    int64_t last_tick_ns;
    int64_t next_tick_ns;
    _Atomic int64_t busy_ns; /* time spent not waiting; any thread may read */
};

enum { LOOP_TICK_MS = 100 };

MUST_CHECK enum errc loop_init(struct loop *l, struct err *err);
void loop_fini(struct loop *l);

/* Runs until loop_stop(). */
void loop_run(struct loop *l);

MUST_CHECK enum errc loop_add(struct loop *l, struct watch *w, uint32_t events,
                              struct err *err);
void loop_change(struct loop *l, struct watch *w, uint32_t events);
void loop_remove(struct loop *l, struct watch *w);

/* Asks for a tick at that moment (monotonic), once, if none is due earlier. */
void loop_tick_at(struct loop *l, int64_t ns);

/* Any thread. */
void loop_post(struct loop *l, struct task *t);
void loop_stop(struct loop *l);

#endif
