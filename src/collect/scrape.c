/* scrape.c - see scrape.h.
 *
 * The thread looks which target is due, and hands it to a few workers, because
 * a target that hangs must not keep the others waiting. A target that is still
 * being asked when it is due again misses that turn. */
#include "collect/scrape.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collect/ingest.h"
#include "http/fetch.h"
#include "io/pool.h"

enum { WORKERS = 4 };

static const char accepted[] =
    "application/openmetrics-text;version=1.0.0;q=0.6,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

struct target {
    struct pool_job job; /* first: a job is its target */
    struct scraper *scraper;
    struct scrape_target how;
    char instance[280];
    struct label labels[2];
    struct ingest_memory memory;
    int64_t offset_ms; /* within the interval */
    int64_t due_ms;    /* wall clock */
    _Atomic bool busy;
    pthread_mutex_t lock; /* of what follows */
    bool asked, up;
    char error[sizeof(((struct err *)0)->msg)];
    int64_t last_ms;
    double seconds;
};

struct scraper {
    struct scrape_options options;
    struct tsdb *db;
    struct pool *pool;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopped;
    struct target *targets;
};

/* ---- one scrape --------------------------------------------------------- */

static enum errc collect(struct target *t, struct ingest *in, struct err *err)
{
    struct buf text;

    buf_init(&text, t->scraper->options.max_body);
    t->how.collect(t->how.ctx, &text);
    enum errc rc = ERR_OK;
    if (text.failed)
        rc = err_set(err, ERR_LIMIT, "too many metrics");
    if (!rc)
        rc = ingest_text(in, buf_str(&text), EXPOSITION_TEXT, err);
    buf_fini(&text);
    return rc;
}

static enum errc ask(struct target *t, struct ingest *in, struct err *err)
{
    const struct scrape_options *o = &t->scraper->options;
    struct fetch f = {
        .url = t->how.url, .accept = accepted, .timeout_ms = o->timeout_ms};
    struct buf body;

    buf_init(&body, o->max_body);
    enum errc rc = fetch_run(&f, &body, err);
    if (!rc && f.status != 200)
        rc = err_set(err, ERR_UNAVAIL, "server returned HTTP status %d",
                     f.status);
    bool open =
        strncmp(f.content_type, "application/openmetrics-text", 28) == 0;
    if (!rc)
        rc = ingest_text(in, buf_str(&body),
                         open ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT, err);
    buf_fini(&body);
    return rc;
}

static void note(struct target *t, const struct ingest *in, enum errc rc,
                 const struct err *err, double seconds)
{
    pthread_mutex_lock(&t->lock);
    t->asked = true;
    t->up = !rc;
    t->last_ms = in->now;
    t->seconds = seconds;
    (void)snprintf(t->error, sizeof(t->error), "%s", rc ? err->msg : "");
    pthread_mutex_unlock(&t->lock);
}

static void scrape(struct pool_job *job)
{
    struct target *t = (struct target *)job;
    struct ingest in = {.db = t->scraper->db,
                        .target = {t->labels, 2},
                        .now = t->due_ms,
                        .max_samples = t->scraper->options.max_samples,
                        .memory = &t->memory,
                        .metadata = t->scraper->options.metadata};
    struct err err = {0};
    int64_t start = clock_mono_ns();

    enum errc rc = t->how.collect ? collect(t, &in, &err) : ask(t, &in, &err);
    double seconds = (double)(clock_mono_ns() - start) * 1e-9;
    if (rc)
        ingest_nothing(&in);
    ingest_own(&in, "up", rc ? 0 : 1);
    ingest_own(&in, "scrape_duration_seconds", seconds);
    ingest_own(&in, "scrape_samples_scraped", (double)in.samples);
    ingest_own(&in, "scrape_samples_post_metric_relabeling",
               (double)in.samples);
    ingest_own(&in, "scrape_series_added", (double)in.added);
    note(t, &in, rc, &err, seconds);
    atomic_store(&t->busy, false);
}

/* ---- the schedule ------------------------------------------------------- */

static int64_t wall_ms(void)
{
    return clock_wall_ns() / 1000000;
}

/* The next time on the target's grid that is not before now. */
static int64_t next_due(const struct target *t, int64_t now)
{
    int64_t interval = t->scraper->options.interval_ms;

    return (now - t->offset_ms + interval - 1) / interval * interval +
           t->offset_ms;
}

static void start_due(struct scraper *s, int64_t now)
{
    for (size_t i = 0; i < s->options.n; i++) {
        struct target *t = &s->targets[i];
        if (atomic_load(&t->busy) || now < t->due_ms + s->options.interval_ms)
            continue;
        t->due_ms = next_due(t, now - s->options.interval_ms + 1);
        atomic_store(&t->busy, true);
        t->job.run = scrape;
        if (!pool_submit(s->pool, &t->job))
            atomic_store(&t->busy, false);
    }
}

/* Sleeps a while; false: it is time to end. */
static bool rest(struct scraper *s, int64_t ms)
{
    struct timespec until;

    clock_deadline(ms, &until);
    pthread_mutex_lock(&s->lock);
    if (!s->stopped)
        (void)pthread_cond_timedwait(&s->wake, &s->lock, &until);
    bool more = !s->stopped;
    pthread_mutex_unlock(&s->lock);
    return more;
}

/* ms until something is due, at most a second: the clock may be set. */
static int64_t time_left(struct scraper *s, int64_t now)
{
    int64_t least = 1000;

    for (size_t i = 0; i < s->options.n; i++) {
        int64_t left = s->targets[i].due_ms + s->options.interval_ms - now;
        least = left < least ? left : least;
    }
    return least < 1 ? 1 : least;
}

static void *run(void *arg)
{
    struct scraper *s = arg;

    do
        start_due(s, wall_ms());
    while (rest(s, time_left(s, wall_ms())));
    return NULL;
}

/* ---- making and ending -------------------------------------------------- */

static void target_init(struct scraper *s, struct target *t,
                        const struct scrape_target *how)
{
    const char *host = strstr(how->url, "://");

    t->scraper = s;
    t->how = *how;
    host = host ? host + 3 : how->url;
    if (how->instance)
        (void)snprintf(t->instance, sizeof(t->instance), "%.270s",
                       how->instance);
    else
        (void)snprintf(t->instance, sizeof(t->instance), "%.*s",
                       (int)strcspn(host, "/?"), host);
    t->labels[0] = (struct label){STR("instance"), str_from_cstr(t->instance)};
    t->labels[1] = (struct label){STR("job"), str_from_cstr(how->job)};
    pthread_mutex_init(&t->lock, NULL);
    /* The load is spread, and the same after a restart. */
    t->offset_ms =
        (int64_t)(labels_hash((struct labels){t->labels, COUNT(t->labels)}) %
                  (uint64_t)s->options.interval_ms);
    /* The first scrape comes at once, with the time of the turn before. */
    t->due_ms = next_due(t, wall_ms()) - 2 * s->options.interval_ms;
}

enum errc scraper_new(struct tsdb *db, const struct scrape_options *options,
                      struct scraper **out, struct err *err)
{
    struct scraper *s = calloc(1, sizeof(*s));

    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->db = db;
    s->options = *options;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    s->targets = calloc(options->n + 1, sizeof(*s->targets));
    enum errc rc = ERR_OK;
    if (!s->targets)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = pool_new(WORKERS, (unsigned)options->n + 1, &s->pool, err);
    for (size_t i = 0; !rc && i < options->n; i++)
        target_init(s, &s->targets[i], &options->targets[i]);
    if (!rc && pthread_create(&s->thread, NULL, run, s) != 0)
        rc = err_set(err, ERR_IO, "cannot start a thread");
    s->started = !rc;
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
    pthread_mutex_lock(&s->lock);
    s->stopped = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    if (s->started)
        pthread_join(s->thread, NULL);
    pool_free(s->pool);
    for (size_t i = 0; s->started && i < s->options.n; i++) {
        ingest_fini(&s->targets[i].memory);
        pthread_mutex_destroy(&s->targets[i].lock);
    }
    free(s->targets);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void scraper_each(struct scraper *s,
                  void (*each)(void *ctx, const struct scrape_state *state),
                  void *ctx)
{
    for (size_t i = 0; i < s->options.n; i++) {
        struct target *t = &s->targets[i];
        pthread_mutex_lock(&t->lock);
        struct scrape_state state = {.job = t->how.job,
                                     .url = t->how.url,
                                     .instance = t->instance,
                                     .asked = t->asked,
                                     .up = t->up,
                                     .error = t->error,
                                     .last_ms = t->last_ms,
                                     .seconds = t->seconds,
                                     .interval_ms = s->options.interval_ms,
                                     .timeout_ms = s->options.timeout_ms};
        each(ctx, &state);
        pthread_mutex_unlock(&t->lock);
    }
}
