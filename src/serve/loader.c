#include "serve/loader.h"

#include <stdlib.h>
#include <string.h>

#include "http/server.h"

struct job {
    struct task task; /* home */
    struct job *next;
    struct http_request *http;
    char *model;
    bool load;
    enum errc rc;
    struct err err;
};

struct loader {
    struct registry *registry;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job *first, **last;
    bool stopped;
};

/* The protocol's words for it: unknown models are 400 to Triton's clients,
 * which only look at the text; the others follow the error table. */
static void go_home(struct task *t)
{
    struct job *j = (struct job *)t;

    if (j->rc)
        http_reply_error(j->http, errc_http_status(j->rc), "%s", j->err.msg);
    else
        http_reply(j->http, 200, "application/json");
    free(j->model);
    free(j);
}

static void *run(void *arg)
{
    struct loader *l = arg;

    pthread_mutex_lock(&l->lock);
    for (;;) {
        while (!l->first && !l->stopped)
            pthread_cond_wait(&l->work, &l->lock);
        struct job *j = l->first;
        if (!j || l->stopped)
            break;
        l->first = j->next;
        if (!l->first)
            l->last = &l->first;
        pthread_mutex_unlock(&l->lock);
        j->rc = j->load ? registry_load(l->registry, j->model, &j->err)
                        : registry_unload(l->registry, j->model, &j->err);
        j->task.run = go_home;
        loop_post(&j->http->loop->loop, &j->task);
        pthread_mutex_lock(&l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

enum errc loader_new(struct registry *r, struct loader **out, struct err *err)
{
    struct loader *l = calloc(1, sizeof(*l));

    if (!l)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->registry = r;
    l->last = &l->first;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    int rc = pthread_create(&l->thread, NULL, run, l);
    if (rc) {
        free(l);
        return err_set(err, ERR_IO, "cannot start a thread: %s", strerror(rc));
    }
    *out = l;
    return ERR_OK;
}

void loader_free(struct loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stopped = true;
    pthread_cond_signal(&l->work);
    pthread_mutex_unlock(&l->lock);
    (void)pthread_join(l->thread, NULL);
    while (l->first) {
        struct job *j = l->first;
        l->first = j->next;
        free(j->model);
        free(j);
    }
    pthread_cond_destroy(&l->work);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

void loader_submit(struct loader *l, struct http_request *r, const char *model,
                   bool load)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j)
        j->model = strdup(model);
    if (!j || !j->model) {
        free(j);
        http_reply_error(r, 503, "out of memory");
        return;
    }
    j->http = r;
    j->load = load;
    pthread_mutex_lock(&l->lock);
    *l->last = j;
    l->last = &j->next;
    pthread_cond_signal(&l->work);
    pthread_mutex_unlock(&l->lock);
}
