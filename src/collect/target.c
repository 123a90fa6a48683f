#include "collect/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/fetch.h"

enum { DEF_BYTES_MAX = 4 << 20 };

static const char accepted[] =
    "application/openmetrics-text;version=1.0.0;q=0.6,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/* ---- what it is --------------------------------------------------------- */

/* job and instance, from the URL or as it is said. */
static struct labels usual_labels(struct arena *a,
                                  const struct scrape_target *t)
{
    const char *host = strstr(t->url, "://");
    struct label *v = arena_new(a, struct label, 2);
    struct str instance;

    host = host ? host + 3 : t->url;
    instance = t->instance ? str_from_cstr(t->instance)
                           : (struct str){host, strcspn(host, "/?")};
    const char *copy = arena_cstr(a, instance);
    if (!v || !copy)
        return (struct labels){NULL, 0};
    v[0] = (struct label){STR("instance"), {copy, instance.n}};
    v[1] = (struct label){STR("job"), str_from_cstr(t->job)};
    return (struct labels){v, 2};
}

static struct labels usual_discovered(struct arena *a,
                                      const struct target_def *d)
{
    struct label *v = arena_new(a, struct label, 2);

    if (!v)
        return (struct labels){NULL, 0};
    v[0] = (struct label){STR("__address__"),
                          labels_get(d->how.labels, STR("instance"))};
    v[1] = (struct label){STR("job"), str_from_cstr(d->how.job)};
    return (struct labels){v, 2};
}

struct target_def *target_def_new(const struct scrape_target *how,
                                  const struct scrape_options *options)
{
    struct target_def *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    arena_init(&d->arena, DEF_BYTES_MAX);
    d->users = 1;
    d->how = *how;
    d->how.config = how->config ? prom_config_hold(how->config) : NULL;
    d->how.job = arena_cstr(&d->arena, str_from_cstr(how->job));
    d->how.url = arena_cstr(&d->arena, str_from_cstr(how->url));
    if (!how->interval_ms)
        d->how.interval_ms = options->interval_ms;
    if (!how->timeout_ms)
        d->how.timeout_ms = options->timeout_ms;
    if (d->how.job && d->how.url) {
        d->how.labels = how->labels.n ? labels_copy(&d->arena, how->labels)
                                      : usual_labels(&d->arena, &d->how);
        d->how.discovered = how->discovered.n
                                ? labels_copy(&d->arena, how->discovered)
                                : usual_discovered(&d->arena, d);
    }
    if (d->how.labels.v && d->how.discovered.v)
        return d;
    target_def_release(d);
    return NULL;
}

/* Under the lock of the target that has it. */
void target_def_release(struct target_def *d)
{
    if (!d || --d->users)
        return;
    prom_config_release(d->how.config);
    arena_fini(&d->arena);
    free(d);
}

/* ---- a target ----------------------------------------------------------- */

/* The next time on the target's grid that is not before now. */
static int64_t next_due(const struct target *t, int64_t now)
{
    int64_t interval = t->def->how.interval_ms;

    return (now - t->offset_ms + interval - 1) / interval * interval +
           t->offset_ms;
}

/* The load is spread, and the same after a restart. */
static void place(struct target *t)
{
    t->offset_ms = (int64_t)(labels_hash(t->def->how.labels) %
                             (uint64_t)t->def->how.interval_ms);
}

struct target *target_new(struct scraper *s, struct target_def *def,
                          int64_t now)
{
    struct target *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->scraper = s;
    t->def = def;
    pthread_mutex_init(&t->lock, NULL);
    place(t);
    /* The first scrape comes at once, with the time of the turn before. */
    t->due_ms = next_due(t, now) - 2 * def->how.interval_ms;
    return t;
}

void target_redefine(struct target *t, struct target_def *d, int64_t now)
{
    pthread_mutex_lock(&t->lock);
    bool same = t->def->how.interval_ms == d->how.interval_ms;
    target_def_release(t->def);
    t->def = d;
    if (!same) {
        place(t);
        t->due_ms = next_due(t, now) - d->how.interval_ms;
    }
    pthread_mutex_unlock(&t->lock);
}

bool target_is(const struct target *t, const struct target_def *d)
{
    return strcmp(t->def->how.job, d->how.job) == 0 &&
           strcmp(t->def->how.url, d->how.url) == 0 &&
           labels_eq(t->def->how.labels, d->how.labels);
}

void target_free(struct target *t)
{
    target_def_release(t->def);
    ingest_fini(&t->memory);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* ---- one scrape --------------------------------------------------------- */

static enum errc collect(const struct scrape_target *how,
                         const struct scrape_options *o, struct ingest *in,
                         struct err *err)
{
    struct buf text;

    buf_init(&text, o->max_body);
    how->collect(how->ctx, &text);
    enum errc rc = ERR_OK;
    if (text.failed)
        rc = err_set(err, ERR_LIMIT, "too many metrics");
    if (!rc)
        rc = ingest_text(in, buf_str(&text), EXPOSITION_TEXT, err);
    buf_fini(&text);
    return rc;
}

static enum errc ask(const struct scrape_target *how,
                     const struct scrape_options *o, struct ingest *in,
                     struct err *err)
{
    const struct scrape_pool *pool = how->pool;
    struct fetch_auth auth = {.username = NULL};
    char patience[80];
    const char *const headers[] = {patience, NULL};
    struct fetch f = {.url = how->url,
                      .auth = &auth,
                      .accept = accepted,
                      .headers = headers,
                      .timeout_ms = how->timeout_ms};
    enum errc rc = ERR_OK;
    struct arena arena;
    struct buf body;

    /* For exporters that ask others first, as blackbox_exporter does. */
    (void)snprintf(patience, sizeof(patience),
                   "X-Prometheus-Scrape-Timeout-Seconds: %.15g",
                   (double)how->timeout_ms / 1000);
    arena_init(&arena, DEF_BYTES_MAX);
    buf_init(&body, pool && pool->limits.body ? (size_t)pool->limits.body
                                              : o->max_body);
    if (pool)
        rc = fetch_auth_make(&pool->http, &arena, &auth, err);
    if (!rc)
        rc = fetch_run(&f, &body, err);
    if (!rc && f.status != 200)
        rc = err_set(err, ERR_UNAVAIL, "server returned HTTP status %d",
                     f.status);
    bool open =
        strncmp(f.content_type, "application/openmetrics-text", 28) == 0;
    if (!rc)
        rc = ingest_text(in, buf_str(&body),
                         open ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT, err);
    buf_fini(&body);
    arena_fini(&arena);
    return rc;
}

static void note(struct target *t, const struct ingest *in, enum errc rc,
                 const struct err *err, double seconds)
{
    t->asked = true;
    t->up = !rc;
    t->last_ms = in->now;
    t->seconds = seconds;
    (void)snprintf(t->error, sizeof(t->error), "%s", rc ? err->msg : "");
}

static void set_limits(struct ingest *in, const struct scrape_pool *p)
{
    in->honor_labels = p->honor_labels;
    in->ignore_times = !p->honor_timestamps;
    in->relabel = p->metric_relabel.n ? &p->metric_relabel : NULL;
    in->max_kept = (size_t)p->limits.samples;
    in->max_labels = (size_t)p->limits.labels;
    in->max_name = (size_t)p->limits.label_name;
    in->max_value = (size_t)p->limits.label_value;
}

void target_scrape(struct target *t, struct tsdb *db,
                   const struct scrape_options *options)
{
    struct err err = {0};

    pthread_mutex_lock(&t->lock);
    struct target_def *def = t->def;
    def->users++;
    struct ingest in = {.db = db,
                        .target = def->how.labels,
                        .now = t->due_ms,
                        .max_samples = options->max_samples,
                        .memory = &t->memory,
                        .metadata = options->metadata};
    pthread_mutex_unlock(&t->lock);
    if (def->how.pool)
        set_limits(&in, def->how.pool);
    int64_t start = clock_mono_ns();
    enum errc rc = def->how.collect ? collect(&def->how, options, &in, &err)
                                    : ask(&def->how, options, &in, &err);
    double seconds = (double)(clock_mono_ns() - start) * 1e-9;
    if (rc)
        ingest_nothing(&in);
    ingest_own(&in, "up", rc ? 0 : 1);
    ingest_own(&in, "scrape_duration_seconds", seconds);
    ingest_own(&in, "scrape_samples_scraped", (double)in.samples);
    ingest_own(&in, "scrape_samples_post_metric_relabeling", (double)in.kept);
    ingest_own(&in, "scrape_series_added", (double)in.added);
    pthread_mutex_lock(&t->lock);
    note(t, &in, rc, &err, seconds);
    target_def_release(def);
    pthread_mutex_unlock(&t->lock);
}

void target_end(struct target *t, struct tsdb *db, int64_t now)
{
    static const char *const own[] = {
        "up", "scrape_duration_seconds", "scrape_samples_scraped",
        "scrape_samples_post_metric_relabeling", "scrape_series_added"};
    struct ingest in = {.db = db,
                        .target = t->def->how.labels,
                        .now = now,
                        .memory = &t->memory};

    ingest_nothing(&in);
    for (size_t i = 0; i < COUNT(own) && t->asked; i++)
        ingest_own(&in, own[i], sample_stale());
}
