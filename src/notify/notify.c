#include "notify/notify.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "io/pool.h"
#include "io/worker.h"

enum { SENDERS = 4, TESTS_MAX = 64 };

struct notify {
    struct notify_options options;
    struct notify_store *store;
    struct pool *pool;
    struct worker worker; /* its lock: of what follows */
    struct dispatch d;
};

/* ---- sending ------------------------------------------------------------ */

struct job {
    struct pool_job job; /* first: a job is its job */
    struct notify *n;
    struct delivery *v;
};

static void deliver(struct pool_job *pool_job)
{
    struct job *job = (struct job *)pool_job;
    struct notify *n = job->n;
    struct told told = {.again = false};
    struct err err = {0};

    enum errc rc = job->v->n.how->type->send(&job->v->n, &told, &err);
    worker_lock(&n->worker);
    dispatch_done(&n->d, job->v, rc, &told, err.msg, clock_wall_ms());
    worker_wake(&n->worker);
    worker_unlock(&n->worker);
    free(job);
}

/* With the lock. */
static void hand_out(struct notify *n)
{
    static const struct told later = {.again = true};
    struct delivery *v;

    while ((v = dispatch_take(&n->d, clock_wall_ms()))) {
        struct job *job = calloc(1, sizeof(*job));
        if (job) {
            job->job.run = deliver;
            job->n = n;
            job->v = v;
        }
        if (!job || !pool_submit(n->pool, &job->job)) {
            dispatch_done(&n->d, v, ERR_BUSY, &later, "too much to send",
                          clock_wall_ms());
            free(job);
        }
    }
}

static void *run(void *arg)
{
    struct notify *n = arg;

    worker_lock(&n->worker);
    while (!n->worker.stopped) {
        int64_t now = clock_wall_ms(), next = dispatch_step(&n->d, now);
        hand_out(n);
        next = next - now > 1000 ? 1000 : next - now; /* the clock may be set */
        if (next > 0)
            worker_wait(&n->worker, next);
    }
    worker_unlock(&n->worker);
    return NULL;
}

/* ---- configuration ------------------------------------------------------ */

static enum errc load(const struct notify *n, struct config_held **out,
                      struct err *err)
{
    struct config_held *c = calloc(1, sizeof(*c));

    *out = NULL;
    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc =
        notify_config_load(&c->c, n->options.config, NULL, NULL, err);
    if (rc)
        free(c);
    else
        *out = config_hold(c);
    return rc;
}

enum errc notify_reload(struct notify *n, struct err *err)
{
    struct config_held *c = NULL;
    enum errc rc = n->options.config ? load(n, &c, err) : ERR_OK;

    if (rc || !c)
        return rc;
    worker_lock(&n->worker);
    dispatch_configure(&n->d, c, clock_wall_ms());
    worker_wake(&n->worker);
    worker_unlock(&n->worker);
    return ERR_OK;
}

/* ---- making and ending -------------------------------------------------- */

enum errc notify_new(const struct notify_options *options, struct notify **out,
                     struct err *err)
{
    struct notify *n = calloc(1, sizeof(*n));

    if (!n)
        return err_set(err, ERR_NOMEM, "out of memory");
    n->options = *options;
    worker_init(&n->worker);
    enum errc rc = notify_store_open(options->state, &n->store, err);
    if (!rc)
        rc = dispatch_init(&n->d, n->store, options->external_url, err);
    n->d.say = options->say;
    n->d.ctx = options->ctx;
    if (!rc)
        rc = notify_reload(n, err);
    if (rc) {
        notify_free(n);
        return rc;
    }
    *out = n;
    return ERR_OK;
}

enum errc notify_start(struct notify *n, struct err *err)
{
    enum errc rc = pool_new(SENDERS, 1 << 16, &n->pool, err);

    if (!rc)
        rc = worker_start(&n->worker, run, n, err);
    return rc;
}

void notify_free(struct notify *n)
{
    if (!n)
        return;
    worker_stop(&n->worker);
    pool_free(n->pool); /* what is being sent is sent */
    dispatch_fini(&n->d);
    notify_store_close(n->store);
    worker_fini(&n->worker);
    free(n);
}

/* ---- what others do with it --------------------------------------------- */

enum errc notify_alert(struct notify *n, const struct incoming *in,
                       struct err *err)
{
    worker_lock(&n->worker);
    enum errc rc = dispatch_alert(&n->d, in, clock_wall_ms(), err);
    worker_wake(&n->worker);
    worker_unlock(&n->worker);
    return rc;
}

void notify_look(struct notify *n,
                 void (*look)(void *ctx, struct dispatch *d, int64_t now),
                 void *ctx)
{
    worker_lock(&n->worker);
    look(ctx, &n->d, clock_wall_ms());
    worker_unlock(&n->worker);
}

enum errc notify_silence(struct notify *n, const struct new_silence *silence,
                         char id[SILENCE_ID], struct err *err)
{
    worker_lock(&n->worker);
    enum errc rc =
        silences_put(&n->d.silences, silence, clock_wall_ms(), id, err);
    worker_unlock(&n->worker);
    return rc;
}

enum errc notify_expire(struct notify *n, struct str id, struct err *err)
{
    worker_lock(&n->worker);
    enum errc rc = silences_expire(&n->d.silences, id, clock_wall_ms(), err);
    worker_unlock(&n->worker);
    return rc;
}

/* ---- a test ------------------------------------------------------------- */

struct testing {
    struct dispatch *d;
    struct active_alert alert;
    struct delivery *v[TESTS_MAX];
    size_t n;
    bool failed;
    int64_t now;
};

static void make_test(void *ctx, const struct route *r)
{
    struct testing *t = ctx;
    struct active_alert *alert = &t->alert;

    for (size_t i = 0; i < r->receiver->n && t->n < TESTS_MAX; i++) {
        struct labels l = labels_pick(&alert->arena, alert->labels,
                                      r->group_by.v, r->group_by.n, true);
        t->v[t->n] =
            delivery_new(t->d, &r->receiver->v[i], l.v ? l : labels_none(),
                         r->key, &alert, 1, t->now);
        if (t->v[t->n])
            t->n++;
        else
            t->failed = true;
    }
}

enum errc notify_test(struct notify *n, const struct incoming *in,
                      void (*each)(void *ctx, const struct tested *t),
                      void *ctx, struct err *err)
{
    struct testing t = {.d = &n->d, .now = clock_wall_ms()};
    enum errc rc = ERR_OK;

    t.alert = (struct active_alert){.labels = in->labels,
                                    .annotations = in->annotations,
                                    .generator_url = in->generator_url,
                                    .hash = labels_hash(in->labels),
                                    .starts_at = t.now,
                                    .ends_at = INT64_MAX};
    arena_init(&t.alert.arena, 1 << 20);
    worker_lock(&n->worker);
    if (n->d.config)
        route_match(n->d.config->c.root, in->labels, make_test, &t);
    else
        rc = err_set(err, ERR_NOT_FOUND,
                     "nobody is told: the monitor has no --notify FILE");
    worker_unlock(&n->worker);
    if (t.failed)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < t.n; i++) {
        const struct integration *how = t.v[i]->n.how;
        struct told told = {.again = false};
        struct err why = {0};
        struct tested one = {.receiver = how->receiver->name,
                             .type = how->type->name,
                             .index = how->index};
        one.rc = how->type->send(&t.v[i]->n, &told, &why);
        one.why = one.rc ? why.msg : "";
        each(ctx, &one);
        worker_lock(&n->worker);
        delivery_free(t.v[i]); /* its configuration is counted under the lock */
        worker_unlock(&n->worker);
    }
    arena_fini(&t.alert.arena);
    return rc;
}
