/* group.c - see group.h. */
#include "alert/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sort.h"

enum { RESEND_MS = 60000, WRITE_MEMORY = 64 << 20 };

enum errc group_init(struct group *g, const struct rule_group *how,
                     int64_t usual_interval, int64_t usual_offset,
                     struct err *err)
{
    *g = (struct group){
        .how = how,
        .interval = how->interval ? how->interval : usual_interval,
        .offset = how->offset >= 0 ? how->offset : usual_offset};
    pthread_mutex_init(&g->lock, NULL);
    g->runs = calloc(how->n + 1, sizeof(*g->runs));
    if (!g->runs)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < how->n; i++)
        g->runs[i].rule = &how->rules[i];
    return ERR_OK;
}

void group_fini(struct group *g)
{
    for (size_t i = 0; g->runs && i < g->how->n; i++) {
        for (size_t k = 0; k < g->runs[i].n; k++)
            alert_free(g->runs[i].alerts[k]);
        free(g->runs[i].alerts);
        free(g->runs[i].series);
    }
    free(g->runs);
    g->runs = NULL;
    pthread_mutex_destroy(&g->lock);
}

/* ---- writing series ----------------------------------------------------- */

/* What a rule says at one moment: series with a value each. */
struct written {
    struct labels *labels;
    double *v;
    size_t n, cap_labels, cap_v;
    struct arena arena;
};

static enum errc note(struct written *w, struct labels l, double v,
                      struct err *err)
{
    if (!l.v ||
        !arena_grow(&w->arena, &w->labels, w->n, &w->cap_labels,
                    sizeof(*w->labels)) ||
        !arena_grow(&w->arena, &w->v, w->n, &w->cap_v, sizeof(*w->v)))
        return err_set(err, ERR_NOMEM, "out of memory");
    w->labels[w->n] = l;
    w->v[w->n++] = v;
    return ERR_OK;
}

static struct labels recorded(const struct rule *rule, struct labels from,
                              struct arena *a)
{
    struct labels_builder b;
    struct labels l = {NULL, 0};

    labels_build(&b, a, from);
    labels_set(&b, LABEL_NAME, rule->name);
    for (size_t i = 0; i < rule->n_labels; i++)
        labels_set(&b, rule->labels[i].name, rule->labels[i].source);
    return labels_built(&b, &l) ? l : (struct labels){NULL, 0};
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(*(const struct labels *)a, *(const struct labels *)b);
}

static enum errc check_twins(struct written *w, struct err *err)
{
    struct labels *sorted = arena_new(&w->arena, struct labels, w->n + 1);

    if (!sorted)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (w->n)
        memcpy(sorted, w->labels, w->n * sizeof(*sorted));
    sort_items(sorted, w->n, sizeof(*sorted), by_labels);
    for (size_t i = 1; i < w->n; i++)
        if (labels_eq(sorted[i - 1], sorted[i]))
            return err_set(err, ERR_INVALID,
                           "vector contains metrics with the same labelset "
                           "after applying rule labels");
    return ERR_OK;
}

static enum errc record(struct written *w, const struct rule *rule,
                        const struct promql_result *r, uint64_t limit,
                        struct err *err)
{
    enum errc rc = ERR_OK;

    if (limit && r->n > limit)
        return err_set(err, ERR_LIMIT, "exceeded limit of %llu with %zu series",
                       (unsigned long long)limit, r->n);
    for (size_t i = 0; i < r->n && !rc; i++)
        rc = note(w, recorded(rule, r->series[i].labels, &w->arena),
                  r->series[i].points[0].v, err);
    return rc ? rc : check_twins(w, err);
}

static struct labels synthetic(const struct alert *a, const char *name,
                               const char *state, struct arena *arena)
{
    struct labels_builder b;
    struct labels l = {NULL, 0};

    labels_build(&b, arena, a->labels);
    labels_set(&b, LABEL_NAME, str_from_cstr(name));
    if (state)
        labels_set(&b, STR("alertstate"), str_from_cstr(state));
    return labels_built(&b, &l) ? l : (struct labels){NULL, 0};
}

/* ALERTS and ALERTS_FOR_STATE. */
static enum errc write_alerts(struct written *w, const struct rule_run *run,
                              struct err *err)
{
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < run->n && !rc; i++) {
        const struct alert *a = run->alerts[i];
        if (a->state == ALERT_RESOLVED)
            continue;
        rc = note(w,
                  synthetic(a, "ALERTS",
                            a->state == ALERT_FIRING ? "firing" : "pending",
                            &w->arena),
                  1, err);
        if (!rc)
            rc = note(w, synthetic(a, "ALERTS_FOR_STATE", NULL, &w->arena),
                      (double)(a->active_at / 1000), err);
    }
    return rc;
}

/* Appends all of it; what the rule wrote the last time and not now, ends. */
static enum errc store(struct rule_run *run, const struct written *w,
                       struct tsdb *db, int64_t t, struct err *err)
{
    uint32_t *series = calloc(w->n + 1, sizeof(*series));
    size_t n = 0;
    enum errc rc = ERR_OK;

    if (!series)
        return err_set(err, ERR_NOMEM, "out of memory");
    tsdb_write_begin(db);
    for (size_t i = 0; i < w->n && !rc; i++) {
        rc = tsdb_series(db, w->labels[i], &series[n], err);
        if (!rc)
            (void)!tsdb_append(db, series[n++], t, w->v[i]);
    }
    sort_items(series, n, sizeof(*series), sort_u32);
    for (size_t i = 0; i < run->n_series; i++)
        if (!bsearch(&run->series[i], series, n, sizeof(*series), sort_u32))
            (void)!tsdb_append(db, run->series[i], t, sample_stale());
    tsdb_write_end(db);
    free(run->series);
    run->series = series;
    run->n_series = n;
    return rc;
}

void group_end_series(struct group *g, struct tsdb *db, int64_t now)
{
    tsdb_write_begin(db);
    for (size_t i = 0; i < g->how->n; i++)
        for (size_t k = 0; g->runs[i].series && k < g->runs[i].n_series; k++)
            (void)!tsdb_append(db, g->runs[i].series[k], now, sample_stale());
    tsdb_write_end(db);
}

/* ---- one rule ----------------------------------------------------------- */

static enum errc take_result(struct group *g, struct rule_run *run,
                             const struct promql_result *result,
                             const struct rule_env *env, int64_t now,
                             struct err *err)
{
    struct written w = {0};
    enum errc rc;

    arena_init(&w.arena, WRITE_MEMORY);
    if (run->rule->alerting) {
        rc = alerts_take(run, result, env, now, g->how->limit, err);
        if (!rc || rc == ERR_LIMIT) {
            enum errc wrote = write_alerts(&w, run, err);
            rc = rc ? rc : wrote;
        }
    } else {
        rc = record(&w, run->rule, result, g->how->limit, err);
    }
    if (!rc || rc == ERR_LIMIT) {
        enum errc stored =
            store(run, &w, env->db, now - g->offset, rc ? NULL : err);
        rc = rc ? rc : stored;
    }
    arena_fini(&w.arena);
    return rc;
}

static enum errc eval(struct group *g, struct rule_run *run,
                      const struct rule_env *env, int64_t now, struct err *err)
{
    struct promql_how how = {.db = env->db,
                             .start = now - g->offset,
                             .end = now - g->offset,
                             .lookback = env->lookback,
                             .timeout = env->timeout_ms};
    struct promql_result result;
    enum errc rc = promql_query(run->rule->expr, &how, &result, err);

    if (rc)
        return rc;
    pthread_mutex_lock(&g->lock);
    if (result.type == PROMQL_VECTOR || result.type == PROMQL_SCALAR)
        rc = take_result(g, run, &result, env, now, err);
    else
        rc = err_set(err, ERR_INVALID, "rule result is not a vector or scalar");
    pthread_mutex_unlock(&g->lock);
    promql_result_fini(&result);
    return rc;
}

void group_eval(struct group *g, const struct rule_env *env, int64_t now)
{
    int64_t begin = clock_mono_ns();

    for (size_t i = 0; i < g->how->n; i++) {
        struct rule_run *run = &g->runs[i];
        struct err err = {0};
        int64_t start = clock_mono_ns();
        enum errc rc = eval(g, run, env, now, &err);
        pthread_mutex_lock(&g->lock);
        run->health = rc ? RULE_ERROR : RULE_OK;
        (void)snprintf(run->error, sizeof(run->error), "%.299s",
                       rc ? err.msg : "");
        run->last_ms = now;
        run->seconds = (double)(clock_mono_ns() - start) * 1e-9;
        pthread_mutex_unlock(&g->lock);
    }
    pthread_mutex_lock(&g->lock);
    g->last_ms = now;
    g->seconds = (double)(clock_mono_ns() - begin) * 1e-9;
    pthread_mutex_unlock(&g->lock);
}

/* ---- telling ------------------------------------------------------------ */

static bool is_due(const struct alert *a, int64_t now, int64_t resend)
{
    if (a->state == ALERT_PENDING)
        return false;
    if (a->resolved_at > a->sent_at)
        return true;
    return a->sent_at + resend < now;
}

void group_send(struct group *g, const struct rule_env *env, int64_t now,
                void (*each)(void *ctx, const struct rule *rule,
                             const struct alert *a, int64_t until),
                void *ctx)
{
    int64_t resend = env->resend_ms ? env->resend_ms : RESEND_MS;
    int64_t delta = resend > g->interval ? resend : g->interval;

    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < g->how->n; i++) {
        for (size_t k = 0; k < g->runs[i].n; k++) {
            struct alert *a = g->runs[i].alerts[k];
            if (!is_due(a, now, resend))
                continue;
            a->sent_at = now;
            each(ctx, g->runs[i].rule, a,
                 a->state == ALERT_RESOLVED ? a->resolved_at : now + 4 * delta);
        }
    }
    pthread_mutex_unlock(&g->lock);
}
