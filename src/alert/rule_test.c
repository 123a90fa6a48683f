/* rule_test.c - see rule_test.h. */
#include "alert/rule_test.h"

#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/group.h"
#include "base/fs.h"
#include "base/sort.h"
#include "codec/go_float.h"
#include "codec/yaml.h"
#include "promql/notation.h"
#include "series/duration.h"

enum { FILE_MAX = 16 << 20, MEMORY_MAX = 512 << 20, TEXT_MAX = 1 << 20 };
enum { MINUTE = 60000, STEPS_MAX = 1000000 };

struct suite {
    const char *path;
    struct arena arena;
    struct rules rules;
    int64_t eval_interval;
    rule_test_report *report;
    void *ctx;
    struct rule_test_counts *counts;
    struct err *err;
};

/* One of the tests while it runs. */
struct trial {
    struct suite *s;
    const struct yaml *node;
    struct str name;
    struct tsdb *db;
    struct group *groups;
    size_t n_groups;
    struct rule_env env;
    int64_t interval;
};

static enum errc wrong(struct suite *s, const struct yaml *n, const char *what)
{
    return err_set(s->err, ERR_INVALID, "%s:%u:%u: %s", s->path,
                   n ? n->line : 1, n ? n->column : 1, what);
}

static enum errc check_keys(struct suite *s, const struct yaml *map,
                            const char *const *known, size_t n)
{
    if (map && map->kind != YAML_MAP)
        return wrong(s, map, "this must be a map");
    const struct yaml *c = yaml_stranger(map, NULL, known, n);
    return c ? err_set(s->err, ERR_INVALID,
                       "%s:%u:%u: there is no field \"" STR_FMT "\" here",
                       s->path, c->key_line, c->key_column, STR_ARG(c->key))
             : ERR_OK;
}

static struct str text_of(const struct yaml *map, const char *key)
{
    const struct yaml *n = yaml_get(map, key);

    return n && n->kind == YAML_TEXT ? n->text : STR("");
}

static enum errc time_of(struct suite *s, const struct yaml *map,
                         const char *key, int64_t usual, int64_t *out)
{
    struct str text = text_of(map, key);

    *out = usual;
    if (text.n == 0 || duration_parse(text, out))
        return ERR_OK;
    if (str_eq(text, STR("0"))) {
        *out = 0;
        return ERR_OK;
    }
    return wrong(s, yaml_get(map, key), "not a valid duration");
}

/* ---- labels ------------------------------------------------------------- */

/* A map of texts as a set, with one more label unless it is empty. */
static enum errc labels_of(struct suite *s, const struct yaml *map,
                           const char *extra, struct str value,
                           struct labels *out)
{
    struct labels_builder b;

    labels_build(&b, &s->arena, labels_none());
    for (const struct yaml *c = map ? map->first : NULL; c; c = c->next)
        labels_set(&b, c->key, c->kind == YAML_TEXT ? c->text : STR(""));
    if (value.n)
        labels_set(&b, str_from_cstr(extra), value);
    return labels_built(&b, out) ? ERR_OK
                                 : err_set(s->err, ERR_NOMEM, "out of memory");
}

/* ---- comparing ---------------------------------------------------------- */

struct lines { /* what is compared: sorted texts */
    struct str *v;
    size_t n, cap;
};

static enum errc add_line(struct suite *s, struct lines *l, struct buf *b)
{
    char *copy = arena_cstr(&s->arena, buf_str(b));

    if (!copy || !arena_grow(&s->arena, &l->v, l->n, &l->cap, sizeof(*l->v))) {
        buf_fini(b);
        return err_set(s->err, ERR_NOMEM, "out of memory");
    }
    l->v[l->n++] = (struct str){copy, b->n};
    buf_fini(b);
    return ERR_OK;
}

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static void put_lines(struct buf *b, const char *title, const struct lines *l)
{
    buf_printf(b, "    %s:%s\n", title, l->n ? "" : " nothing");
    for (size_t i = 0; i < l->n; i++)
        buf_printf(b, "      " STR_FMT "\n", STR_ARG(l->v[i]));
}

static void compare(struct trial *t, struct str what, int64_t time,
                    struct lines *want, struct lines *got)
{
    bool same = want->n == got->n;
    struct buf b;

    sort_items(want->v, want->n, sizeof(*want->v), by_text);
    sort_items(got->v, got->n, sizeof(*got->v), by_text);
    for (size_t i = 0; same && i < want->n; i++)
        same = str_eq(want->v[i], got->v[i]);
    t->s->counts->checks++;
    if (same)
        return;
    t->s->counts->failed++;
    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "%s:%u: " STR_FMT "%s" STR_FMT " at ", t->s->path,
               t->node->line, STR_ARG(t->name), t->name.n ? ": " : "",
               STR_ARG(what));
    duration_print(&b, time);
    buf_putc(&b, '\n');
    put_lines(&b, "expected", want);
    put_lines(&b, "got", got);
    buf_putc(&b, '\0');
    if (!b.failed)
        t->s->report(t->s->ctx, b.p);
    buf_fini(&b);
}

static enum errc add_alert(struct suite *s, struct lines *l,
                           struct labels labels, struct labels annotations)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    labels_print(&b, labels);
    buf_puts(&b, " annotations ");
    labels_print(&b, annotations);
    return add_line(s, l, &b);
}

static enum errc add_value(struct suite *s, struct lines *l,
                           struct labels labels, double v)
{
    char text[GO_FLOAT_MAX];
    struct buf b;

    buf_init(&b, TEXT_MAX);
    labels_print(&b, labels);
    buf_putc(&b, ' ');
    buf_put(&b, (struct str){text, go_float(text, 'g', v)});
    return add_line(s, l, &b);
}

/* ---- checks ------------------------------------------------------------- */

static enum errc expected_alerts(struct suite *s, const struct yaml *check,
                                 struct str name, struct lines *want)
{
    static const char *const known[] = {"exp_labels", "exp_annotations"};
    const struct yaml *list = yaml_get(check, "exp_alerts");
    enum errc rc = ERR_OK;

    for (const struct yaml *c = list ? list->first : NULL; c && !rc;
         c = c->next) {
        struct labels labels, annotations;
        rc = check_keys(s, c, known, COUNT(known));
        if (!rc)
            rc = labels_of(s, yaml_get(c, "exp_labels"), "alertname", name,
                           &labels);
        if (!rc)
            rc = labels_of(s, yaml_get(c, "exp_annotations"), "", STR(""),
                           &annotations);
        if (!rc)
            rc = add_alert(s, want, labels, annotations);
    }
    return rc;
}

static enum errc check_alerts(struct trial *t, const struct yaml *check,
                              int64_t time)
{
    struct str name = text_of(check, "alertname");
    struct lines want = {0}, got = {0};
    enum errc rc = expected_alerts(t->s, check, name, &want);
    bool known = false;

    for (size_t i = 0; i < t->n_groups; i++) {
        const struct group *g = &t->groups[i];
        for (size_t k = 0; k < g->how->n; k++) {
            const struct rule_run *run = &g->runs[k];
            if (!run->rule->alerting || !str_eq(run->rule->name, name))
                continue;
            known = true;
            for (size_t j = 0; j < run->n && !rc; j++)
                if (run->alerts[j]->state == ALERT_FIRING)
                    rc = add_alert(t->s, &got, run->alerts[j]->labels,
                                   run->alerts[j]->annotations);
        }
    }
    if (!rc && !known && want.n)
        rc = wrong(t->s, check, "no rule has this alertname");
    if (!rc)
        compare(t, name, time, &want, &got);
    return rc;
}

static enum errc expected_values(struct suite *s, const struct yaml *check,
                                 struct lines *want)
{
    static const char *const known[] = {"labels", "value", "histogram"};
    const struct yaml *list = yaml_get(check, "exp_samples");
    enum errc rc = ERR_OK;

    for (const struct yaml *c = list ? list->first : NULL; c && !rc;
         c = c->next) {
        struct labels labels = labels_none();
        struct str value = yaml_number(text_of(c, "value")),
                   text = text_of(c, "labels");
        struct notation n = {0};
        rc = check_keys(s, c, known, COUNT(known));
        if (!rc && yaml_get(c, "histogram"))
            rc = wrong(s, c, "native histograms are not supported");
        if (!rc && text.n && notation_labels(text, &s->arena, &labels, NULL))
            rc = wrong(s, c, "these are no labels");
        if (!rc && notation_values(value, &s->arena, &n, NULL))
            rc = wrong(s, c, "this is no value");
        if (!rc)
            rc = add_value(s, want, labels, n.n ? n.v[0].v : 0);
    }
    return rc;
}

static enum errc check_values(struct trial *t, const struct yaml *check,
                              int64_t time)
{
    struct str text = text_of(check, "expr");
    struct promql_how how = {.db = t->db, .start = time, .end = time};
    struct lines want = {0}, got = {0};
    struct promql_expr *x;
    struct promql_result r;
    struct err why = {0};
    enum errc rc = expected_values(t->s, check, &want);

    if (rc)
        return rc;
    if (promql_parse(text, &x, &why))
        return wrong(t->s, yaml_get(check, "expr"), why.msg);
    rc = promql_query(x, &how, &r, &why);
    if (rc) {
        promql_free(x);
        return wrong(t->s, yaml_get(check, "expr"), why.msg);
    }
    for (size_t i = 0; i < r.n && !rc; i++)
        rc = add_value(t->s, &got, r.series[i].labels, r.series[i].points[0].v);
    promql_result_fini(&r);
    promql_free(x);
    if (!rc)
        compare(t, text, time, &want, &got);
    return rc;
}

/* Those of a list that are due: from <= eval_time < to. */
static enum errc run_checks(struct trial *t, const char *list, int64_t from,
                            int64_t to,
                            enum errc (*run)(struct trial *,
                                             const struct yaml *, int64_t))
{
    const struct yaml *l = yaml_get(t->node, list);
    enum errc rc = ERR_OK;

    for (const struct yaml *c = l ? l->first : NULL; c && !rc; c = c->next) {
        int64_t at;
        rc = time_of(t->s, c, "eval_time", 0, &at);
        if (!rc && at >= from && at < to)
            rc = run(t, c, at);
    }
    return rc;
}

/* ---- a test ------------------------------------------------------------- */

static enum errc load_one(struct trial *t, const struct yaml *c)
{
    static const char *const known[] = {"series", "values"};
    struct suite *s = t->s;
    struct notation n = {0};
    struct labels labels;
    struct err why = {0};
    uint32_t series;
    enum errc rc = check_keys(s, c, known, COUNT(known));

    if (rc)
        return rc;
    if (notation_labels(text_of(c, "series"), &s->arena, &labels, &why) ||
        notation_values(text_of(c, "values"), &s->arena, &n, &why))
        return wrong(s, c, why.msg);
    if (n.native)
        return wrong(s, c, "native histograms are not supported");
    tsdb_write_begin(t->db);
    rc = tsdb_series(t->db, labels, &series, s->err);
    for (size_t i = 0; i < n.n && !rc; i++)
        if (!n.v[i].omitted)
            rc = tsdb_append(t->db, series, (int64_t)i * t->interval, n.v[i].v);
    tsdb_write_end(t->db);
    return rc ? wrong(s, c, "these samples cannot be stored") : ERR_OK;
}

static enum errc last_time(struct trial *t, int64_t *out)
{
    static const char *const lists[] = {"alert_rule_test", "promql_expr_test"};
    static const char *const known[] = {"eval_time", "alertname", "exp_alerts",
                                        "expr", "exp_samples"};
    enum errc rc = ERR_OK;

    *out = 0;
    for (size_t i = 0; i < COUNT(lists); i++) {
        const struct yaml *l = yaml_get(t->node, lists[i]);
        for (const struct yaml *c = l ? l->first : NULL; c && !rc;
             c = c->next) {
            int64_t at = 0;
            rc = check_keys(t->s, c, known, COUNT(known));
            if (!rc)
                rc = time_of(t->s, c, "eval_time", 0, &at);
            *out = at > *out ? at : *out;
        }
    }
    return rc;
}

static enum errc pass_time(struct trial *t)
{
    int64_t last, step = t->s->eval_interval;
    enum errc rc = last_time(t, &last);

    if (!rc && last / step > STEPS_MAX)
        rc = wrong(t->s, t->node, "too many evaluations");
    for (int64_t now = 0; now <= last && !rc; now += step) {
        for (size_t i = 0; i < t->n_groups; i++)
            group_eval(&t->groups[i], &t->env, now);
        rc = run_checks(t, "alert_rule_test", now, now + step, check_alerts);
    }
    if (!rc)
        rc = run_checks(t, "promql_expr_test", 0, INT64_MAX, check_values);
    return rc;
}

static enum errc prepare(struct trial *t)
{
    struct suite *s = t->s;
    const struct tsdb_options o = {.out_of_order = INT64_MAX / 4};
    const struct yaml *list = yaml_get(t->node, "input_series");
    enum errc rc = tsdb_open(&o, &t->db, s->err);

    if (rc)
        return rc;
    t->env.db = t->db;
    for (const struct yaml *c = list ? list->first : NULL; c && !rc;
         c = c->next)
        rc = load_one(t, c);
    t->groups = calloc(s->rules.n + 1, sizeof(*t->groups));
    if (!t->groups)
        return err_set(s->err, ERR_NOMEM, "out of memory");
    for (; t->n_groups < s->rules.n && !rc; t->n_groups++)
        rc = group_init(&t->groups[t->n_groups], &s->rules.groups[t->n_groups],
                        t->interval, 0, s->err);
    return rc;
}

static enum errc run_test(struct suite *s, const struct yaml *n)
{
    static const char *const known[] = {"interval",        "name",
                                        "input_series",    "external_labels",
                                        "external_url",    "start_timestamp",
                                        "alert_rule_test", "promql_expr_test"};
    struct trial t = {.s = s, .node = n, .name = text_of(n, "name")};
    enum errc rc = check_keys(s, n, known, COUNT(known));

    if (!rc)
        rc = time_of(s, n, "interval", MINUTE, &t.interval);
    if (!rc && t.interval <= 0)
        rc = wrong(s, n, "interval must be above 0");
    if (!rc)
        rc = labels_of(s, yaml_get(n, "external_labels"), "", STR(""),
                       &t.env.external);
    t.env.external_url = text_of(n, "external_url");
    s->counts->groups++;
    if (!rc)
        rc = prepare(&t);
    if (!rc)
        rc = pass_time(&t);
    for (size_t i = 0; i < t.n_groups; i++)
        group_fini(&t.groups[i]);
    free(t.groups);
    tsdb_close(t.db);
    return rc;
}

/* ---- the file ----------------------------------------------------------- */

/* A rule file's name is looked for beside the test file. */
static enum errc load_rules(struct suite *s, const struct yaml *n)
{
    char pattern[4200];
    const char *slash = strrchr(s->path, '/');
    glob_t found;
    enum errc rc = ERR_OK;

    (void)snprintf(pattern, sizeof(pattern), "%.*s" STR_FMT,
                   slash && n->text.p[0] != '/' ? (int)(slash - s->path) + 1
                                                : 0,
                   s->path, STR_ARG(n->text));
    if (glob(pattern, 0, NULL, &found) != 0)
        return wrong(s, n, "there is no such rule file");
    for (size_t i = 0; i < found.gl_pathc && !rc; i++)
        rc = rules_load(&s->rules, found.gl_pathv[i], NULL, NULL, s->err);
    globfree(&found);
    return rc;
}

static enum errc run_file(struct suite *s, struct str text)
{
    static const char *const known[] = {"rule_files", "evaluation_interval",
                                        "group_eval_order", "tests",
                                        "fuzzy_compare"};
    const struct yaml *root = NULL, *list;
    struct err why = {0};

    if (yaml_read(text, &s->arena, &root, &why))
        return err_set(s->err, ERR_INVALID, "%s:%s", s->path, why.msg);
    enum errc rc = check_keys(s, root, known, COUNT(known));
    if (!rc)
        rc = time_of(s, root, "evaluation_interval", MINUTE, &s->eval_interval);
    if (!rc && s->eval_interval <= 0)
        rc = wrong(s, root, "evaluation_interval must be above 0");
    list = yaml_get(root, "rule_files");
    for (const struct yaml *c = list ? list->first : NULL; c && !rc;
         c = c->next)
        rc = load_rules(s, c);
    list = yaml_get(root, "tests");
    for (const struct yaml *c = list ? list->first : NULL; c && !rc;
         c = c->next)
        rc = run_test(s, c);
    return rc;
}

enum errc rule_test_run(const char *path, rule_test_report *report, void *ctx,
                        struct rule_test_counts *counts, struct err *err)
{
    struct suite s = {.path = path,
                      .report = report,
                      .ctx = ctx,
                      .counts = counts,
                      .err = err};
    struct buf b;

    arena_init(&s.arena, MEMORY_MAX);
    rules_init(&s.rules);
    buf_init(&b, FILE_MAX);
    enum errc rc = fs_read(path, &b, err);
    if (!rc)
        rc = run_file(&s, buf_str(&b));
    buf_fini(&b);
    rules_fini(&s.rules);
    arena_fini(&s.arena);
    return rc;
}
