#include "io/worker.h"

#include "base/clock.h"

void worker_init(struct worker *w)
{
    *w = (struct worker){.started = false};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
}

enum errc worker_start(struct worker *w, void *(*run)(void *arg), void *arg,
                       struct err *err)
{
    w->started = pthread_create(&w->thread, NULL, run, arg) == 0;
    if (w->started)
        return ERR_OK;
    return err_set(err, ERR_IO, "cannot start a thread");
}

void worker_stop(struct worker *w)
{
    worker_lock(w);
    w->stopped = true;
    worker_wake(w);
    worker_unlock(w);
    if (w->started)
        pthread_join(w->thread, NULL);
    w->started = false;
}

void worker_fini(struct worker *w)
{
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
}

void worker_lock(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
}

void worker_unlock(struct worker *w)
{
    pthread_mutex_unlock(&w->lock);
}

void worker_wake(struct worker *w)
{
    pthread_cond_broadcast(&w->wake);
}

void worker_wait(struct worker *w, int64_t ms)
{
    struct timespec until;

    if (w->stopped)
        return;
    clock_deadline(ms < 1 ? 1 : ms, &until);
    (void)pthread_cond_timedwait(&w->wake, &w->lock, &until);
}

bool worker_rest(struct worker *w, int64_t ms)
{
    worker_lock(w);
    worker_wait(w, ms);
    bool on = !w->stopped;
    worker_unlock(w);
    return on;
}
