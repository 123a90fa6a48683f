/* alerts.c - what the elements of a result do to the alerts of a rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/group.h"

enum {
    RESOLVED_KEPT_MS = 15 * 60 * 1000, /* so that it is told, and again */
    ALERT_BYTES_MAX = 4 << 20,
    QUERY_MEMORY = 64 << 20
};

void alert_free(struct alert *a)
{
    if (!a)
        return;
    arena_fini(&a->arena);
    free(a);
}

static bool room(struct rule_run *run)
{
    if (run->n < run->cap)
        return true;
    size_t cap = run->cap ? run->cap * 2 : 4;
    struct alert **v = realloc(run->alerts, cap * sizeof(struct alert *));
    if (!v)
        return false;
    run->alerts = v;
    run->cap = cap;
    return true;
}

/* ---- texts -------------------------------------------------------------- */

struct asking {
    const struct rule_env *env;
    int64_t now;
};

/* A query within a template; the result moves to the arena. */
static enum errc ask(void *ctx, struct str text, struct arena *a,
                     struct promql_series **out, size_t *n, struct err *err)
{
    const struct asking *q = ctx;
    struct promql_how how = {.db = q->env->db,
                             .start = q->now,
                             .end = q->now,
                             .timeout = q->env->timeout_ms,
                             .lookback = q->env->lookback,
                             .max_memory = QUERY_MEMORY};
    struct promql_expr *x;
    struct promql_result r;
    enum errc rc = promql_parse(text, &x, err);

    if (rc)
        return rc;
    rc = promql_query(x, &how, &r, err);
    if (rc) {
        promql_free(x);
        return rc;
    }
    bool vector = r.type == PROMQL_VECTOR || r.type == PROMQL_SCALAR;
    struct promql_series *v = arena_new(a, struct promql_series, r.n + 1);
    struct promql_point *points = arena_new(a, struct promql_point, r.n + 1);
    *n = vector ? r.n : 0;
    for (size_t i = 0; v && points && i < *n && !rc; i++) {
        points[i] = r.series[i].points[0];
        v[i] = (struct promql_series){labels_copy(a, r.series[i].labels),
                                      &points[i], 1};
        rc = v[i].labels.v ? ERR_OK : ERR_NOMEM;
    }
    *out = v;
    promql_result_fini(&r);
    promql_free(x);
    return v && points && !rc ? ERR_OK
                              : err_set(err, ERR_NOMEM, "out of memory");
}

/* A template's text in the arena; what cannot be made says so itself, and the
 * alert goes on. */
static struct str expand(const struct rule_text *t,
                         const struct template_data *data, struct arena *a)
{
    struct err why = {0};
    struct buf b;

    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    if (template_run(t->text, data, &b, &why)) {
        buf_clear(&b);
        buf_printf(&b, "<error expanding template: %s>", why.msg);
    }
    const char *copy = arena_cstr(a, buf_str(&b));
    struct str text = {copy, copy ? b.n : 0};
    buf_fini(&b);
    return text;
}

static bool make_labels(struct alert *a, const struct rule *rule,
                        const struct promql_series *s,
                        const struct template_data *data)
{
    struct labels_builder b;

    labels_build(&b, &a->arena, labels_unnamed(&a->arena, s->labels));
    for (size_t i = 0; i < rule->n_labels; i++)
        labels_set(&b, rule->labels[i].name,
                   expand(&rule->labels[i], data, &a->arena));
    labels_set(&b, STR("alertname"), rule->name);
    struct labels made;
    if (!labels_built(&b, &made))
        return false;
    a->labels = labels_copy(&a->arena, made); /* the store's texts may go */
    a->hash = labels_hash(a->labels);
    return a->labels.v != NULL;
}

static bool make_annotations(struct alert *a, const struct rule *rule,
                             const struct template_data *data)
{
    struct labels_builder b;
    struct labels made;

    labels_build(&b, &a->arena, labels_none());
    for (size_t i = 0; i < rule->n_annotations; i++)
        labels_set(&b, rule->annotations[i].name,
                   expand(&rule->annotations[i], data, &a->arena));
    if (!labels_built(&b, &made))
        return false;
    a->annotations = labels_copy(&a->arena, made);
    return a->annotations.v != NULL;
}

static struct alert *make(const struct rule *rule,
                          const struct promql_series *s,
                          const struct rule_env *env, int64_t now)
{
    struct asking asking = {env, now};
    struct template_data data = {.labels = s->labels,
                                 .external = env->external,
                                 .external_url = env->external_url,
                                 .value = s->points[0].v,
                                 .query = ask,
                                 .ctx = &asking};
    struct alert *a = calloc(1, sizeof(*a));

    if (!a)
        return NULL;
    arena_init(&a->arena, ALERT_BYTES_MAX);
    a->state = ALERT_PENDING;
    a->value = s->points[0].v;
    a->active_at = now;
    if (!make_labels(a, rule, s, &data) || !make_annotations(a, rule, &data)) {
        alert_free(a);
        return NULL;
    }
    return a;
}

/* ---- states ------------------------------------------------------------- */

static struct alert **find(struct alert **v, size_t n, const struct alert *a)
{
    for (size_t i = 0; i < n; i++)
        if (v[i]->hash == a->hash && labels_eq(v[i]->labels, a->labels))
            return &v[i];
    return NULL;
}

/* What goes on keeps its times and gets the new texts and value. */
static void continue_with(struct alert **there, struct alert *now)
{
    struct alert *before = *there;

    if (before->state != ALERT_RESOLVED) {
        now->state = before->state;
        now->active_at = before->active_at;
        now->fired_at = before->fired_at;
        now->resolved_at = before->resolved_at;
        now->sent_at = before->sent_at;
    }
    *there = now;
    alert_free(before);
}

static enum errc merge(struct rule_run *run, struct alert **v, size_t n,
                       struct err *err)
{
    for (size_t i = 0; i < run->n; i++)
        run->alerts[i]->seen = false;
    for (size_t i = 0; i < n; i++) {
        struct alert **there = find(run->alerts, run->n, v[i]);
        if (!there && !room(run))
            return err_set(err, ERR_NOMEM, "out of memory");
        v[i]->seen = true;
        if (there)
            continue_with(there, v[i]);
        else
            run->alerts[run->n++] = v[i];
        v[i] = NULL;
    }
    return ERR_OK;
}

/* False: it is forgotten. */
static bool step_unseen(struct alert *a, const struct rule *rule, int64_t now)
{
    if (a->state == ALERT_FIRING && rule->keep_firing) {
        if (!a->keep_since)
            a->keep_since = now;
        if (now - a->keep_since < rule->keep_firing)
            return true;
    }
    if (a->state == ALERT_PENDING)
        return false;
    if (a->state == ALERT_RESOLVED)
        return now - a->resolved_at <= RESOLVED_KEPT_MS;
    a->state = ALERT_RESOLVED;
    a->resolved_at = now;
    return true;
}

static size_t step(struct rule_run *run, int64_t now)
{
    size_t kept = 0, active = 0;

    for (size_t i = 0; i < run->n; i++) {
        struct alert *a = run->alerts[i];
        if (a->seen) {
            a->keep_since = 0;
        } else if (!step_unseen(a, run->rule, now)) {
            alert_free(a);
            continue;
        }
        if (a->state == ALERT_PENDING &&
            now - a->active_at >= run->rule->hold) {
            a->state = ALERT_FIRING;
            a->fired_at = now;
        }
        active += a->state != ALERT_RESOLVED;
        run->alerts[kept++] = a;
    }
    run->n = kept;
    return active;
}

/* ---- the whole ---------------------------------------------------------- */

static enum errc make_all(struct alert **v, size_t *made,
                          const struct rule_run *run,
                          const struct promql_result *result,
                          const struct rule_env *env, int64_t now,
                          struct err *err)
{
    for (size_t i = 0; i < result->n; i++) {
        struct alert *a = make(run->rule, &result->series[i], env, now);
        if (!a)
            return err_set(err, ERR_NOMEM, "out of memory");
        if (find(v, *made, a)) {
            alert_free(a);
            return err_set(err, ERR_INVALID,
                           "vector contains metrics with the same labelset "
                           "after applying alert labels");
        }
        v[(*made)++] = a;
    }
    return ERR_OK;
}

enum errc alerts_take(struct rule_run *run, const struct promql_result *result,
                      const struct rule_env *env, int64_t now, uint64_t limit,
                      struct err *err)
{
    struct alert **v = calloc(result->n + 1, sizeof(struct alert *));
    size_t made = 0;

    if (!v)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = make_all(v, &made, run, result, env, now, err);
    if (!rc)
        rc = merge(run, v, made, err);
    for (size_t i = 0; i < made; i++)
        alert_free(v[i]);
    free(v);
    if (rc)
        return rc;
    size_t active = step(run, now);
    if (limit == 0 || active <= limit)
        return ERR_OK;
    for (size_t i = 0; i < run->n; i++)
        alert_free(run->alerts[i]);
    run->n = 0;
    return err_set(err, ERR_LIMIT, "exceeded limit of %llu with %zu alerts",
                   (unsigned long long)limit, active);
}

struct alert *alerts_restore(struct rule_run *run, struct labels labels,
                             struct labels annotations)
{
    struct alert *a = room(run) ? calloc(1, sizeof(*a)) : NULL;

    if (!a)
        return NULL;
    arena_init(&a->arena, ALERT_BYTES_MAX);
    a->labels = labels_copy(&a->arena, labels);
    a->annotations = labels_copy(&a->arena, annotations);
    if (!a->labels.v || !a->annotations.v) {
        alert_free(a);
        return NULL;
    }
    a->hash = labels_hash(a->labels);
    run->alerts[run->n++] = a;
    return a;
}
