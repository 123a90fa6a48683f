#include "io/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct pool {
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t work;
    struct pool_job *first, **last;
    unsigned waiting, max_waiting, n_threads;
    bool stopped;
    pthread_t threads[];
};

static void *run(void *arg)
{
    struct pool *p = arg;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->first && !p->stopped)
            pthread_cond_wait(&p->work, &p->lock);
        struct pool_job *job = p->first;
        if (!job)
            break; /* stopped, and all is done */
        p->first = job->next;
        if (!p->first)
            p->last = &p->first;
        p->waiting--;
        pthread_mutex_unlock(&p->lock);
        job->run(job);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

enum errc pool_new(unsigned threads, unsigned max_waiting, struct pool **out,
                   struct err *err)
{
    struct pool *p = calloc(1, sizeof(*p) + threads * sizeof(pthread_t));

    if (!p)
        return err_set(err, ERR_NOMEM, "out of memory");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    p->last = &p->first;
    p->max_waiting = max_waiting;
    for (; p->n_threads < threads; p->n_threads++) {
        int rc = pthread_create(&p->threads[p->n_threads], NULL, run, p);
        if (rc) {
            pool_free(p);
            return err_set(err, ERR_IO, "cannot start a thread: %s",
                           strerror(rc));
        }
    }
    *out = p;
    return ERR_OK;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopped = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

bool pool_submit(struct pool *p, struct pool_job *job)
{
    pthread_mutex_lock(&p->lock);
    bool room = p->waiting < p->max_waiting && !p->stopped;
    if (room) {
        job->next = NULL;
        *p->last = job;
        p->last = &job->next;
        p->waiting++;
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
    return room;
}
