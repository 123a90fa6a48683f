/* scrape.c - see scrape.h.
 *
 * The thread looks which target is due, and hands it to a few workers, because
 * a target that hangs must not keep the others waiting. A target that is still
 * being asked when it is due again misses that turn. */
#include "collect/scrape.h"

#include <stdlib.h>

#include "base/clock.h"
#include "collect/target.h"
#include "io/worker.h"

enum { WORKERS = 4, TARGETS_MAX = 100000 };

struct scraper {
    struct scrape_options options;
    struct tsdb *db;
    struct pool *pool;
    struct worker worker; /* its lock: of what follows */
    struct target *targets;
};

/* ---- one scrape --------------------------------------------------------- */

/* Ended, and freed. Nobody scrapes it, and it is in no list. */
static void bury(struct scraper *s, struct target *t)
{
    target_end(t, s->db, clock_wall_ms());
    target_free(t);
}

static void scrape(struct pool_job *job)
{
    struct target *t = (struct target *)job;
    struct scraper *s = t->scraper;

    target_scrape(t, s->db, &s->options);
    pthread_mutex_lock(&t->lock);
    t->busy = false;
    bool gone = t->gone;
    pthread_mutex_unlock(&t->lock);
    if (gone)
        bury(s, t);
}

/* ---- the schedule ------------------------------------------------------- */

/* Begins it if it is due; ms until it is. With the lock of the scraper. */
static int64_t begin(struct scraper *s, struct target *t, int64_t now)
{
    pthread_mutex_lock(&t->lock);
    int64_t interval = t->def->how.interval_ms, next = t->due_ms + interval;
    bool due = !t->busy && now >= next;
    if (due) {
        /* The last moment of its grid that is not after now. */
        t->due_ms = (now - t->offset_ms) / interval * interval + t->offset_ms;
        t->busy = true;
        t->job.run = scrape;
        if (!pool_submit(s->pool, &t->job))
            t->busy = false;
        next = t->due_ms + interval;
    }
    pthread_mutex_unlock(&t->lock);
    return next - now;
}

static void *run(void *arg)
{
    struct scraper *s = arg;

    worker_lock(&s->worker);
    while (!s->worker.stopped) {
        int64_t now = clock_wall_ms(), least = 1000; /* the clock may be set */
        for (struct target *t = s->targets; t; t = t->next) {
            int64_t left = begin(s, t, now);
            least = left < least ? left : least;
        }
        worker_wait(&s->worker, least);
    }
    worker_unlock(&s->worker);
    return NULL;
}

/* ---- targets ------------------------------------------------------------ */

static struct target *find(struct scraper *s, const struct target_def *d)
{
    struct target *t = s->targets;

    while (t && (t->fixed || !target_is(t, d)))
        t = t->next;
    return t;
}

/* A target with this definition, new or known. False: out of memory. */
static bool want(struct scraper *s, const struct scrape_target *how, bool fixed)
{
    struct target_def *d = target_def_new(how, &s->options);
    struct target *t = d && !fixed ? find(s, d) : NULL;

    if (!d)
        return false;
    if (t && t->wanted) { /* found twice */
        target_def_release(d);
        return true;
    }
    if (t) {
        target_redefine(t, d, clock_wall_ms());
        t->wanted = true;
        return true;
    }
    t = target_new(s, d, clock_wall_ms());
    if (!t) {
        target_def_release(d);
        return false;
    }
    t->fixed = fixed;
    t->wanted = true;
    t->next = s->targets;
    s->targets = t;
    return true;
}

/* Takes those that nobody wants out of the list; returns them. */
static struct target *take_unwanted(struct scraper *s)
{
    struct target **link = &s->targets, *out = NULL;

    while (*link) {
        struct target *t = *link;
        if (t->fixed || t->wanted) {
            link = &t->next;
            continue;
        }
        *link = t->next;
        t->next = out;
        out = t;
    }
    return out;
}

enum errc scraper_set(struct scraper *s, const struct scrape_target *targets,
                      size_t n, struct err *err)
{
    bool ok = n <= TARGETS_MAX;

    worker_lock(&s->worker);
    for (struct target *t = s->targets; t; t = t->next)
        t->wanted = false;
    for (size_t i = 0; i < n && ok; i++)
        ok = want(s, &targets[i], false);
    struct target *gone = ok ? take_unwanted(s) : NULL;
    worker_wake(&s->worker);
    worker_unlock(&s->worker);
    while (gone) {
        struct target *t = gone;
        gone = t->next;
        pthread_mutex_lock(&t->lock);
        bool busy = t->busy;
        t->gone = true; /* whoever scrapes it buries it */
        pthread_mutex_unlock(&t->lock);
        if (!busy)
            bury(s, t);
    }
    return ok ? ERR_OK
              : err_set(err, n > TARGETS_MAX ? ERR_LIMIT : ERR_NOMEM, "%s",
                        n > TARGETS_MAX ? "too many targets" : "out of memory");
}

/* ---- making and ending -------------------------------------------------- */

enum errc scraper_new(struct tsdb *db, const struct scrape_options *options,
                      struct scraper **out, struct err *err)
{
    struct scraper *s = calloc(1, sizeof(*s));

    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->db = db;
    s->options = *options;
    worker_init(&s->worker);
    enum errc rc = pool_new(WORKERS, TARGETS_MAX, &s->pool, err);
    for (size_t i = 0; !rc && i < options->n; i++)
        if (!want(s, &options->targets[i], true))
            rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = worker_start(&s->worker, run, s, err);
    if (rc) {
        scraper_free(s);
        return rc;
    }
    *out = s;
    return ERR_OK;
}

void scraper_free(struct scraper *s)
{
    if (!s)
        return;
    worker_stop(&s->worker);
    pool_free(s->pool);
    while (s->targets) {
        struct target *t = s->targets;
        s->targets = t->next;
        target_free(t);
    }
    worker_fini(&s->worker);
    free(s);
}

void scraper_each(struct scraper *s,
                  void (*each)(void *ctx, const struct scrape_state *state),
                  void *ctx)
{
    worker_lock(&s->worker);
    for (struct target *t = s->targets; t; t = t->next) {
        pthread_mutex_lock(&t->lock);
        const struct scrape_target *how = &t->def->how;
        struct scrape_state state = {.job = how->job,
                                     .url = how->url,
                                     .labels = how->labels,
                                     .discovered = how->discovered,
                                     .asked = t->asked,
                                     .up = t->up,
                                     .error = t->error,
                                     .last_ms = t->last_ms,
                                     .seconds = t->seconds,
                                     .interval_ms = how->interval_ms,
                                     .timeout_ms = how->timeout_ms};
        each(ctx, &state);
        pthread_mutex_unlock(&t->lock);
    }
    worker_unlock(&s->worker);
}
