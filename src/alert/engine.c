/* engine.c - see engine.h. */
#include "alert/engine.h"

#include <glob.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/push.h"
#include "base/clock.h"
#include "codec/percent.h"
#include "io/pool.h"
#include "io/worker.h"

enum { THREADS = 2, TOLD_MAX = 1 << 20 };

struct entry {
    struct pool_job job; /* first: a job is its entry */
    struct engine *engine;
    struct group group;
    int64_t offset, due; /* ms, wall clock */
    _Atomic bool busy;
    bool kept; /* it had alerts when it was saved last */
};

struct engine {
    struct engine_options options;
    struct alert_db *db;
    struct push *push;
    struct pool *pool;
    struct worker worker; /* its lock: of what follows */
    bool paused;          /* nothing is begun: the rules are changing */
    struct rules rules;
    struct entry *entries;
    size_t n;
    _Atomic uint64_t evaluations, failures, missed;
};

static void say(struct engine *e, bool bad, const char *event, const char *text)
{
    if (e->options.say)
        e->options.say(e->options.ctx, bad, event, text);
}

/* ---- an evaluation ------------------------------------------------------ */

/* URL of a page with the rule's expression. */
static void rule_source(const struct rule *rule, struct str external_url,
                        struct buf *out)
{
    struct buf query;

    buf_init(&query, TOLD_MAX);
    promql_print(rule->expr->root, &query);
    buf_put(out, external_url);
    buf_puts(out, "/graph?g0.expr=");
    percent_encode_form(out, buf_str(&query));
    buf_puts(out, "&g0.tab=1");
    buf_fini(&query);
}

static void send_one(void *ctx, const struct rule *rule, const struct alert *a,
                     int64_t until)
{
    struct engine *e = ctx;
    struct engine_alert told = {.annotations = a->annotations,
                                .starts_at = a->fired_at,
                                .ends_at = until};
    struct arena arena;
    struct buf source;

    arena_init(&arena, TOLD_MAX);
    buf_init(&source, TOLD_MAX);
    told.labels = labels_with(&arena, a->labels, e->options.env.external);
    rule_source(rule, e->options.env.external_url, &source);
    told.source = buf_str(&source);
    bool wanted = told.labels.v && !source.failed;
    if (wanted && e->options.relabel)
        wanted = e->options.relabel(e->options.teller, &told.labels, &arena);
    if (wanted) {
        if (e->push)
            push_alert(e->push, &told);
        if (e->options.tell)
            e->options.tell(e->options.teller, &told);
    }
    buf_fini(&source);
    arena_fini(&arena);
}

static bool has_alerts(const struct group *g)
{
    for (size_t i = 0; i < g->how->n; i++)
        if (g->runs[i].n)
            return true;
    return false;
}

static void save(struct engine *e, struct entry *entry)
{
    struct err err = {0};
    enum errc rc = ERR_OK;

    pthread_mutex_lock(&entry->group.lock);
    bool has = has_alerts(&entry->group);
    if (e->db && (has || entry->kept))
        rc = alert_db_save(e->db, &entry->group, &err);
    pthread_mutex_unlock(&entry->group.lock);
    entry->kept = has;
    if (rc)
        say(e, true, "alert.save_failed", err.msg);
}

static void evaluate(struct pool_job *job)
{
    struct entry *entry = (struct entry *)job;
    struct engine *e = entry->engine;
    struct group *g = &entry->group;

    group_eval(g, &e->options.env, entry->due);
    group_send(g, &e->options.env, entry->due, send_one, e);
    save(e, entry);
    e->evaluations += g->how->n;
    for (size_t i = 0; i < g->how->n; i++)
        e->failures += g->runs[i].health == RULE_ERROR;
    worker_lock(&e->worker);
    entry->busy = false;
    worker_wake(&e->worker); /* a reload may wait for it */
    worker_unlock(&e->worker);
}

/* ---- the schedule ------------------------------------------------------- */

/* The last moment of the group's grid that is not after now. */
static int64_t grid(const struct entry *entry, int64_t now)
{
    int64_t interval = entry->group.interval;

    return (now - entry->offset) / interval * interval + entry->offset;
}

/* Begins what is due; returns ms until something else is. With the lock. */
static int64_t begin_due(struct engine *e, int64_t now)
{
    int64_t least = 1000;

    for (size_t i = 0; i < e->n && !e->paused; i++) {
        struct entry *entry = &e->entries[i];
        int64_t due = grid(entry, now), next = due + entry->group.interval;
        if (due > entry->due && !entry->busy) {
            int64_t skipped = (due - entry->due) / entry->group.interval - 1;
            if (entry->due && skipped > 0)
                e->missed += (uint64_t)skipped;
            entry->due = due;
            entry->busy = true;
            entry->job.run = evaluate;
            if (!pool_submit(e->pool, &entry->job))
                entry->busy = false;
        }
        least = next - now < least ? next - now : least;
    }
    return least < 1 ? 1 : least;
}

static void *run(void *arg)
{
    struct engine *e = arg;

    worker_lock(&e->worker);
    while (!e->worker.stopped)
        worker_wait(&e->worker, begin_due(e, clock_wall_ms()));
    worker_unlock(&e->worker);
    return NULL;
}

/* ---- rules -------------------------------------------------------------- */

static enum errc load_pattern(struct rules *rules, const char *pattern,
                              struct err *err)
{
    glob_t found;
    enum errc rc = ERR_OK;

    if (glob(pattern, 0, NULL, &found) != 0)
        return err_set(err, ERR_NOT_FOUND, "there is no rule file '%s'",
                       pattern);
    for (size_t i = 0; i < found.gl_pathc && !rc; i++)
        rc = rules_load(rules, found.gl_pathv[i], NULL, NULL, err);
    globfree(&found);
    return rc;
}

static enum errc load(struct engine *e, const char *const *files, size_t n,
                      struct rules *rules, struct err *err)
{
    enum errc rc = ERR_OK;

    rules_init(rules);
    if (e->options.built_in.n)
        rc =
            rules_read(rules, "built-in", e->options.built_in, NULL, NULL, err);
    for (size_t i = 0; i < n && !rc; i++)
        rc = load_pattern(rules, files[i], err);
    if (rc)
        rules_fini(rules);
    return rc;
}

static void entries_free(struct entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        group_fini(&entries[i].group);
    free(entries);
}

static uint64_t hash_of(const struct rule_group *g)
{
    struct label v[] = {{STR("file"), g->file}, {STR("name"), g->name}};

    return labels_hash((struct labels){v, COUNT(v)});
}

/* With the alerts that were kept. */
static enum errc make_entries(struct engine *e, const struct rules *rules,
                              struct entry **out, struct err *err)
{
    struct entry *entries = calloc(rules->n + 1, sizeof(*entries));
    enum errc rc = ERR_OK;
    size_t n = 0;

    if (!entries)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (; n < rules->n && !rc; n++) {
        struct entry *entry = &entries[n];
        entry->engine = e;
        rc = group_init(&entry->group, &rules->groups[n], e->options.interval,
                        e->options.offset, err);
        if (!rc && e->db)
            rc = alert_db_load(e->db, &entry->group, err);
        entry->kept = !rc && has_alerts(&entry->group);
        entry->offset = (int64_t)(hash_of(&rules->groups[n]) %
                                  (uint64_t)entry->group.interval);
    }
    if (rc) {
        entries_free(entries, n);
        return rc;
    }
    *out = entries;
    return ERR_OK;
}

/* Nothing is evaluated until resume(). With the lock. */
static void pause_all(struct engine *e)
{
    bool busy = true;

    e->paused = true;
    while (busy) {
        busy = false;
        for (size_t i = 0; i < e->n; i++)
            busy = busy || e->entries[i].busy;
        if (busy)
            worker_wait(&e->worker, 100);
    }
}

/* Moves what a rule had in memory to the same rule of the new set: what
 * was written, so that it ends when it is gone, and alerts when there is no
 * file. */
static void move_run(struct rule_run *from, struct rule_run *to, bool alerts)
{
    to->series = from->series;
    to->n_series = from->n_series;
    from->series = NULL;
    from->n_series = 0;
    if (!alerts)
        return;
    to->alerts = from->alerts;
    to->n = from->n;
    to->cap = from->cap;
    from->alerts = NULL;
    from->n = from->cap = 0;
}

static bool is_same(const struct rule *a, const struct rule *b)
{
    struct buf x, y;

    buf_init(&x, RULES_MAX_BYTES);
    buf_init(&y, RULES_MAX_BYTES);
    bool same = a->alerting == b->alerting && rule_key(a, &x) &&
                rule_key(b, &y) && str_eq(buf_str(&x), buf_str(&y));
    buf_fini(&x);
    buf_fini(&y);
    return same;
}

static void move_group(struct entry *from, struct entry *to, bool alerts)
{
    to->due = from->due;
    for (size_t i = 0; i < to->group.how->n; i++) {
        for (size_t k = 0; k < from->group.how->n; k++) {
            struct rule_run *old = &from->group.runs[k];
            struct rule_run *now = &to->group.runs[i];
            if (!now->series && is_same(old->rule, now->rule)) {
                move_run(old, now, alerts);
                break;
            }
        }
    }
}

enum errc engine_reload(struct engine *e, struct err *err)
{
    return engine_reload_files(e, e->options.files, e->options.n_files, err);
}

enum errc engine_reload_files(struct engine *e, const char *const *files,
                              size_t n, struct err *err)
{
    struct rules rules;
    struct entry *entries;
    enum errc rc = load(e, files, n, &rules, err);

    if (rc)
        return rc;
    worker_lock(&e->worker);
    pause_all(e);
    rc = make_entries(e, &rules, &entries, err);
    if (rc) {
        rules_fini(&rules);
    } else {
        for (size_t i = 0; i < rules.n; i++)
            for (size_t k = 0; k < e->n; k++)
                if (str_eq(rules.groups[i].name,
                           e->entries[k].group.how->name) &&
                    str_eq(rules.groups[i].file, e->entries[k].group.how->file))
                    move_group(&e->entries[k], &entries[i], !e->db);
        for (size_t k = 0; k < e->n; k++)
            group_end_series(&e->entries[k].group, e->options.env.db,
                             clock_wall_ms());
        entries_free(e->entries, e->n);
        rules_fini(&e->rules);
        e->rules = rules;
        e->entries = entries;
        e->n = rules.n;
        e->options.files = files;
        e->options.n_files = n;
    }
    e->paused = false;
    worker_wake(&e->worker);
    worker_unlock(&e->worker);
    return rc;
}

/* ---- making and ending -------------------------------------------------- */

enum errc engine_new(const struct engine_options *options, struct engine **out,
                     struct err *err)
{
    struct engine *e = calloc(1, sizeof(*e));

    if (!e)
        return err_set(err, ERR_NOMEM, "out of memory");
    e->options = *options;
    worker_init(&e->worker);
    enum errc rc =
        options->state ? alert_db_open(options->state, &e->db, err) : ERR_OK;
    if (!rc)
        rc = load(e, options->files, options->n_files, &e->rules, err);
    if (!rc)
        rc = make_entries(e, &e->rules, &e->entries, err);
    if (!rc)
        e->n = e->rules.n;
    if (!rc && options->n_alertmanagers)
        rc = push_new(&(struct push_options){options->alertmanagers,
                                             options->n_alertmanagers,
                                             options->say, options->ctx},
                      &e->push, err);
    if (rc) {
        engine_free(e);
        return rc;
    }
    *out = e;
    return ERR_OK;
}

enum errc engine_start(struct engine *e, struct err *err)
{
    enum errc rc = pool_new(THREADS, 1 << 20, &e->pool, err);

    if (!rc)
        rc = worker_start(&e->worker, run, e, err);
    return rc;
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    worker_stop(&e->worker);
    pool_free(e->pool);
    push_free(e->push);
    entries_free(e->entries, e->n);
    rules_fini(&e->rules);
    alert_db_close(e->db);
    worker_fini(&e->worker);
    free(e);
}

void engine_each(struct engine *e, void (*each)(void *ctx, struct group *g),
                 void *ctx)
{
    worker_lock(&e->worker);
    for (size_t i = 0; i < e->n; i++) {
        struct group *g = &e->entries[i].group;
        pthread_mutex_lock(&g->lock);
        each(ctx, g);
        pthread_mutex_unlock(&g->lock);
    }
    worker_unlock(&e->worker);
}

void engine_stats(struct engine *e, struct engine_stats *out)
{
    *out = (struct engine_stats){.evaluations = e->evaluations,
                                 .failures = e->failures,
                                 .missed = e->missed};
    if (e->push)
        push_stats(e->push, &out->sent, &out->dropped, &out->errors);
}
