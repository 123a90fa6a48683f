#include "collect/prom_config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "series/duration.h"

enum { MEMORY_MAX = 256 << 20 };

/* ---- kinds of values ---------------------------------------------------- */

void prom_duration(struct yaml_form *f, const struct yaml *n, void *ms)
{
    struct str text = yaml_take_text(f, n);

    if (!duration_parse(text, ms))
        yaml_wrong(f, n, "not a valid duration string: \"" STR_FMT "\"",
                   STR_ARG(text));
}

void prom_labels(struct yaml_form *f, const struct yaml *n, void *labels)
{
    struct labels_builder b;

    if (n->kind != YAML_MAP) {
        yaml_wrong(f, n, "labels must be a map");
        return;
    }
    labels_build(&b, f->arena, labels_none());
    for (const struct yaml *c = n->first; c; c = c->next) {
        if (!label_name_is_plain(c->key))
            yaml_wrong(f, c, "\"" STR_FMT "\" is not a valid label name",
                       STR_ARG(c->key));
        labels_set(&b, c->key, yaml_take_text(f, c));
    }
    if (!labels_built(&b, labels))
        yaml_no_memory(f);
}

static void refuse(struct yaml_form *f, const struct yaml *n, void *field)
{
    (void)field;
    if (n->first || n->kind == YAML_TEXT)
        yaml_wrong(f, n, "\"" STR_FMT "\" is not supported", STR_ARG(n->key));
}

/* ---- Alertmanagers ------------------------------------------------------ */

struct alertmanagers {
    struct str scheme, prefix;
    struct target_groups groups;
};

static void add_alertmanagers(struct yaml_form *f, struct prom_config *c,
                              const struct alertmanagers *a)
{
    size_t more = 0;
    char url[600];

    for (size_t i = 0; i < a->groups.n; i++)
        more += a->groups.v[i].targets.n;
    struct str *v =
        arena_new(f->arena, struct str, c->alertmanagers.n + more + 1);
    if (!v) {
        yaml_no_memory(f);
        return;
    }
    if (c->alertmanagers.n)
        memcpy(v, c->alertmanagers.v, c->alertmanagers.n * sizeof(*v));
    c->alertmanagers.v = v;
    for (size_t i = 0; i < a->groups.n; i++)
        for (size_t k = 0; k < a->groups.v[i].targets.n; k++) {
            (void)snprintf(
                url, sizeof(url), "%.*s://%.*s%.*s", (int)a->scheme.n,
                a->scheme.p, (int)a->groups.v[i].targets.v[k].n,
                a->groups.v[i].targets.v[k].p, (int)a->prefix.n, a->prefix.p);
            const char *copy = arena_cstr(f->arena, str_from_cstr(url));
            v[c->alertmanagers.n++] = str_from_cstr(copy ? copy : "");
        }
}

static void take_alertmanagers(struct yaml_form *f, const struct yaml *n,
                               void *config)
{
    static const struct yaml_field fields[] = {
        {"scheme", YAML_FIELD_TEXT, offsetof(struct alertmanagers, scheme),
         NULL},
        {"path_prefix", YAML_FIELD_TEXT, offsetof(struct alertmanagers, prefix),
         NULL},
        {"static_configs", YAML_FIELD_OTHER,
         offsetof(struct alertmanagers, groups), target_groups_take},
        {"timeout", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"api_version", YAML_FIELD_OTHER, 0, yaml_ignore},
        {0}};

    for (const struct yaml *c = yaml_is_list(f, n) ? n->first : NULL; c;
         c = c->next) {
        struct alertmanagers a = {.scheme = STR("http"), .prefix = STR("")};
        yaml_take(f, c, fields, &a);
        add_alertmanagers(f, config, &a);
    }
}

static void take_alerting(struct yaml_form *f, const struct yaml *n,
                          void *config)
{
    static const struct yaml_field fields[] = {
        {"alertmanagers", YAML_FIELD_OTHER, 0, take_alertmanagers},
        {"alert_relabel_configs", YAML_FIELD_OTHER,
         offsetof(struct prom_config, alert_relabel), relabel_take},
        {0}};

    yaml_take(f, n, fields, config);
}

/* ---- the file ----------------------------------------------------------- */

#define AT(field) offsetof(struct prom_config, field)

static void take_tsdb(struct yaml_form *f, const struct yaml *n, void *config)
{
    static const struct yaml_field fields[] = {
        {"out_of_order_time_window", YAML_FIELD_OTHER, AT(out_of_order_ms),
         prom_duration},
        {"retention", YAML_FIELD_OTHER, 0, refuse},
        {0}};

    yaml_take(f, n, fields, config);
}

/* There is no store of exemplars. */
static void take_storage(struct yaml_form *f, const struct yaml *n,
                         void *config)
{
    static const struct yaml_field fields[] = {
        {"tsdb", YAML_FIELD_OTHER, 0, take_tsdb},
        {"exemplars", YAML_FIELD_OTHER, 0, yaml_ignore},
        {0}};

    yaml_take(f, n, fields, config);
}

static void take_global(struct yaml_form *f, const struct yaml *n, void *config)
{
    static const struct yaml_field fields[] = {
        {"scrape_interval", YAML_FIELD_OTHER, AT(interval_ms), prom_duration},
        {"scrape_timeout", YAML_FIELD_OTHER, AT(timeout_ms), prom_duration},
        {"evaluation_interval", YAML_FIELD_OTHER, AT(evaluation_ms),
         prom_duration},
        {"external_labels", YAML_FIELD_OTHER, AT(external), prom_labels},
        {"query_log_file", YAML_FIELD_OTHER, 0, refuse},
        {"rule_query_offset", YAML_FIELD_OTHER, AT(rule_offset_ms),
         prom_duration},
        PROM_LIMITS(AT(limits)),
        PROM_AS_IT_IS,
        {0}};
    struct prom_config *c = config;

    yaml_take(f, n, fields, config);
    if (c->timeout_ms > c->interval_ms)
        c->timeout_ms = c->interval_ms;
}

/* Global comes first, wherever it stands. */
static void take_all(struct yaml_form *f, const struct yaml *root,
                     struct prom_config *c)
{
    static const struct yaml_field fields[] = {
        {"global", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"rule_files", YAML_FIELD_TEXTS, AT(rule_files), NULL},
        {"alerting", YAML_FIELD_OTHER, 0, take_alerting},
        {"scrape_configs", YAML_FIELD_OTHER, 0, prom_pools},
        {"scrape_config_files", YAML_FIELD_TEXTS, AT(pool_files), NULL},
        {"remote_write", YAML_FIELD_OTHER, 0, prom_remotes},
        {"remote_read", YAML_FIELD_OTHER, 0, refuse},
        {"tracing", YAML_FIELD_OTHER, 0, refuse},
        {"storage", YAML_FIELD_OTHER, 0, take_storage},
        {"otlp", YAML_FIELD_OTHER, 0, refuse},
        {"runtime", YAML_FIELD_OTHER, 0, yaml_ignore}, /* of Go */
        {0}};
    const struct yaml *global = yaml_get(root, "global");

    if (!yaml_is_null(global))
        take_global(f, global, c);
    yaml_take(f, root, fields, c);
    yaml_all_beside(f, &c->pool_files);
    prom_pool_files(f, c);
    yaml_all_beside(f, &c->rule_files);
}

#undef AT

static struct str shown(struct prom_config *c, struct str text)
{
    struct buf b;

    buf_init(&b, 2 * PROM_FILE_MAX);
    yaml_hide(&b, text);
    const char *copy = arena_cstr(&c->arena, buf_str(&b));
    struct str s = {copy ? copy : "", copy ? b.n : 0};
    buf_fini(&b);
    return s;
}

enum errc prom_config_read(const char *path, struct str text,
                           void (*report)(void *ctx, const char *file,
                                          const char *message),
                           void *ctx, struct prom_config **out, struct err *err)
{
    struct prom_config *c = calloc(1, sizeof(*c));
    struct yaml_form f = {
        .file = path, .report = report, .ctx = ctx, .err = err};
    const struct yaml *root = NULL;
    struct err why = {0};

    if (!c)
        return err_set(err, ERR_NOMEM, "out of memory");
    arena_init(&c->arena, MEMORY_MAX);
    f.arena = &c->arena;
    c->users = 1;
    c->interval_ms = c->evaluation_ms = 60000;
    c->timeout_ms = 10000;
    c->external = labels_none();
    c->original = shown(c, text);
    enum errc rc = yaml_read(text, &c->arena, &root, &why);
    if (rc)
        rc = err_set(err, rc, "%s:%s", path, why.msg);
    if (!rc && root) {
        take_all(&f, root, c);
        rc = f.rc;
    }
    if (rc)
        prom_config_release(c);
    else
        *out = c;
    return rc;
}

enum errc prom_config_load(const char *path,
                           void (*report)(void *ctx, const char *file,
                                          const char *message),
                           void *ctx, struct prom_config **out, struct err *err)
{
    struct buf text;

    buf_init(&text, PROM_FILE_MAX);
    enum errc rc = fs_read(path, &text, err);
    if (!rc)
        rc = prom_config_read(path, buf_str(&text), report, ctx, out, err);
    buf_fini(&text);
    return rc;
}

struct prom_config *prom_config_hold(struct prom_config *c)
{
    c->users++;
    return c;
}

void prom_config_release(struct prom_config *c)
{
    if (!c || --c->users)
        return;
    for (size_t i = 0; i < c->n_pools; i++) {
        relabel_fini(&c->pools[i].relabel);
        relabel_fini(&c->pools[i].metric_relabel);
    }
    relabel_fini(&c->alert_relabel);
    for (size_t i = 0; i < c->n_remotes; i++)
        relabel_fini(&c->remotes[i].relabel);
    arena_fini(&c->arena);
    free(c);
}
