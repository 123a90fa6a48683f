#include "collect/discover.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs.h"
#include "collect/gather.h"
#include "io/worker.h"

enum {
    LOOK_MS = 2000, /* how often files are looked at */
    SOURCE_BYTES_MAX = 64 << 20,
    FILE_MAX = 16 << 20,
    ASK_MS = 10000
};

/* Groups that came from one file or one server. */
struct source {
    struct source *next;
    char *name; /* path or URL */
    const struct scrape_pool *pool;
    const struct sd_http *http; /* NULL: a file */
    bool seen;                  /* the pattern still finds it */
    struct timespec changed;
    int64_t due_ns;
    struct arena arena;
    struct target_groups groups;
    bool failing;
};

struct discover {
    struct discover_options options;
    struct source *sources; /* the thread's */
    struct worker worker;   /* its lock: of what follows */
    bool fresh;             /* fresh: the configuration is another one */
    struct prom_config *config;
    struct arena dropped_arena;
    struct dropped *dropped;
};

static void say(struct discover *d, bool bad, const char *event,
                const char *text)
{
    if (d->options.say)
        d->options.say(d->options.ctx, bad, event, text);
}

/* ---- sources ------------------------------------------------------------ */

static void source_free(struct source *s)
{
    arena_fini(&s->arena);
    free(s->name);
    free(s);
}

static void drop_sources(struct discover *d, bool all)
{
    struct source **link = &d->sources;

    while (*link) {
        struct source *s = *link;
        if (all || (!s->http && !s->seen)) {
            *link = s->next;
            source_free(s);
        } else {
            link = &s->next;
        }
    }
}

static struct source *source_of(struct discover *d, const struct scrape_pool *p,
                                const struct sd_http *http, const char *name)
{
    for (struct source *s = d->sources; s; s = s->next)
        if (s->pool == p && s->http == http && strcmp(s->name, name) == 0)
            return s;
    struct source *s = calloc(1, sizeof(*s));
    if (!s || !(s->name = strdup(name))) {
        free(s);
        return NULL;
    }
    s->pool = p;
    s->http = http;
    arena_init(&s->arena, SOURCE_BYTES_MAX);
    s->next = d->sources;
    d->sources = s;
    return s;
}

/* Takes the text's groups, or keeps those it had. JSON is YAML. */
static void take(struct discover *d, struct source *s, struct str text)
{
    struct target_groups groups = {.v = NULL};
    const struct yaml *root = NULL;
    struct err err = {0};
    struct arena arena;
    struct yaml_form f = {.file = s->name, .arena = &arena, .err = &err};

    arena_init(&arena, SOURCE_BYTES_MAX);
    enum errc rc = yaml_read(text, &arena, &root, &err);
    if (!rc && root && root->kind != YAML_LIST)
        rc = err_set(&err, ERR_INVALID, "%s: a list of groups is due", s->name);
    if (!rc && root)
        target_groups_take(&f, root, &groups);
    rc = rc ? rc : f.rc;
    if (rc) {
        arena_fini(&arena);
        if (!s->failing)
            say(d, true, "discovery.failed", err.msg);
    } else {
        arena_fini(&s->arena);
        s->arena = arena;
        s->groups = groups;
    }
    s->failing = rc != ERR_OK;
}

/* ---- files -------------------------------------------------------------- */

/* True: it is new, or changed. */
static bool look_at_file(struct discover *d, struct source *s)
{
    struct stat st;
    struct err err = {0};
    struct buf b;

    s->seen = true;
    if (stat(s->name, &st) != 0 || (st.st_mtim.tv_sec == s->changed.tv_sec &&
                                    st.st_mtim.tv_nsec == s->changed.tv_nsec))
        return false;
    s->changed = st.st_mtim;
    buf_init(&b, FILE_MAX);
    if (fs_read(s->name, &b, &err))
        say(d, true, "discovery.failed", err.msg);
    else
        take(d, s, buf_str(&b));
    buf_fini(&b);
    return true;
}

static bool look_at_files(struct discover *d, const struct scrape_pool *p)
{
    bool news = false;
    glob_t found;

    for (size_t i = 0; i < p->n_files; i++)
        for (size_t k = 0; k < p->files[i].files.n; k++) {
            if (glob(p->files[i].files.v[k].p, 0, NULL, &found) != 0)
                continue;
            for (size_t m = 0; m < found.gl_pathc; m++) {
                struct source *s = source_of(d, p, NULL, found.gl_pathv[m]);
                news = (s && look_at_file(d, s)) || news;
            }
            globfree(&found);
        }
    return news;
}

/* ---- servers ------------------------------------------------------------ */

static enum errc ask(const struct sd_http *http, struct buf *body,
                     struct err *err)
{
    struct fetch_auth auth;
    char interval[80];
    const char *const headers[] = {interval, NULL};
    struct fetch f = {.accept = "application/json",
                      .headers = headers,
                      .timeout_ms = ASK_MS,
                      .auth = &auth};
    struct arena arena;
    struct buf url;

    (void)snprintf(interval, sizeof(interval),
                   "X-Prometheus-Refresh-Interval-Seconds: %.15g",
                   (double)http->refresh_ms / 1000);
    arena_init(&arena, SOURCE_BYTES_MAX);
    buf_init(&url, FILE_MAX);
    enum errc rc = secret_get(&http->url, &url, err);
    buf_putc(&url, '\0');
    f.url = url.p;
    if (!rc)
        rc = fetch_auth_make(&http->http, &arena, &auth, err);
    if (!rc)
        rc = fetch_run(&f, body, err);
    if (!rc && f.status != 200)
        rc = err_set(err, ERR_UNAVAIL, "%s: HTTP status %d", url.p, f.status);
    buf_fini(&url);
    arena_fini(&arena);
    return rc;
}

static bool look_at_servers(struct discover *d, const struct scrape_pool *p)
{
    bool news = false;

    for (size_t i = 0; i < p->n_https; i++) {
        const struct sd_http *http = &p->https[i];
        struct source *s = source_of(d, p, http, http->url.value.p);
        struct err err = {0};
        struct buf body;
        if (!s || clock_mono_ns() < s->due_ns)
            continue;
        s->due_ns = clock_mono_ns() + http->refresh_ms * 1000000;
        buf_init(&body, FILE_MAX);
        if (ask(http, &body, &err) == ERR_OK) {
            take(d, s, buf_str(&body));
            news = true;
        } else if (!s->failing) {
            say(d, true, "discovery.failed", err.msg);
            s->failing = true;
        }
        buf_fini(&body);
    }
    return news;
}

/* ---- targets ------------------------------------------------------------ */

static void complain(void *ctx, const char *text)
{
    say(ctx, true, "discovery.target", text);
}

static void publish(struct discover *d, struct prom_config *c)
{
    struct gathering g;
    struct err err = {0};

    gather_begin(&g, c, complain, d);
    for (size_t i = 0; i < c->n_pools; i++) {
        const struct scrape_pool *p = &c->pools[i];
        size_t before = g.n;
        gather_groups(&g, p, &p->groups, (struct label){STR(""), STR("")});
        for (const struct source *s = d->sources; s; s = s->next)
            if (s->pool == p)
                gather_groups(&g, p, &s->groups,
                              (struct label){s->http ? STR("__meta_url")
                                                     : STR("__meta_filepath"),
                                             str_from_cstr(s->name)});
        gather_limit(&g, p, before);
    }
    if (g.failed)
        say(d, true, "discovery.failed", "out of memory");
    else if (scraper_set(d->options.scraper, g.v, g.n, &err))
        say(d, true, "discovery.failed", err.msg);
    worker_lock(&d->worker);
    arena_fini(&d->dropped_arena);
    d->dropped_arena = g.dropped_arena;
    d->dropped = g.dropped;
    worker_unlock(&d->worker);
    gather_end(&g);
}

/* ---- the thread --------------------------------------------------------- */

/* Looks everywhere; true: something is new. */
static bool look(struct discover *d, struct prom_config *c)
{
    bool news = false;

    for (struct source *s = d->sources; s; s = s->next)
        s->seen = false;
    for (size_t i = 0; i < c->n_pools; i++) {
        news = look_at_files(d, &c->pools[i]) || news;
        news = look_at_servers(d, &c->pools[i]) || news;
    }
    for (const struct source *s = d->sources; s; s = s->next)
        news = news || (!s->http && !s->seen);
    drop_sources(d, false);
    return news;
}

static void *run(void *arg)
{
    struct discover *d = arg;
    struct prom_config *c = NULL;

    worker_lock(&d->worker);
    while (!d->worker.stopped) {
        bool fresh = d->fresh;
        if (fresh) {
            drop_sources(d, true); /* they belong to the one before */
            prom_config_release(c);
            c = d->config ? prom_config_hold(d->config) : NULL;
        }
        d->fresh = false;
        worker_unlock(&d->worker);
        if (c && (look(d, c) || fresh))
            publish(d, c);
        worker_lock(&d->worker);
        if (!d->fresh)
            worker_wait(&d->worker, LOOK_MS);
    }
    worker_unlock(&d->worker);
    drop_sources(d, true);
    prom_config_release(c);
    return NULL;
}

enum errc discover_new(const struct discover_options *options,
                       struct prom_config *config, struct discover **out,
                       struct err *err)
{
    struct discover *d = calloc(1, sizeof(*d));

    if (!d)
        return err_set(err, ERR_NOMEM, "out of memory");
    d->options = *options;
    worker_init(&d->worker);
    arena_init(&d->dropped_arena, SOURCE_BYTES_MAX);
    d->config = config ? prom_config_hold(config) : NULL;
    d->fresh = true;
    enum errc rc = worker_start(&d->worker, run, d, err);
    if (rc)
        discover_free(d);
    else
        *out = d;
    return rc;
}

void discover_set(struct discover *d, struct prom_config *config)
{
    worker_lock(&d->worker);
    prom_config_release(d->config);
    d->config = prom_config_hold(config);
    d->fresh = true;
    worker_wake(&d->worker);
    worker_unlock(&d->worker);
}

void discover_free(struct discover *d)
{
    if (!d)
        return;
    worker_stop(&d->worker);
    prom_config_release(d->config);
    arena_fini(&d->dropped_arena);
    worker_fini(&d->worker);
    free(d);
}

void discover_each_dropped(struct discover *d,
                           void (*each)(void *ctx, const char *job,
                                        struct labels discovered),
                           void *ctx)
{
    worker_lock(&d->worker);
    for (const struct dropped *p = d->dropped; p; p = p->next)
        each(ctx, p->job, p->labels);
    worker_unlock(&d->worker);
}
