#include "collect/prom_config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "series/duration.h"

enum { FILE_MAX = 16 << 20, MEMORY_MAX = 256 << 20 };

/* ---- kinds of values ---------------------------------------------------- */

void prom_duration(struct yaml_form *f, const struct yaml *n, void *ms)
{
    struct str text = yaml_take_text(f, n);

    if (!duration_parse(text, ms))
        yaml_wrong(f, n, "not a valid duration string: \"" STR_FMT "\"",
                   STR_ARG(text));
}

/* 512, 10MB, 1GiB: all powers of 1024, as there. */
static void take_size(struct yaml_form *f, const struct yaml *n, void *bytes)
{
    static const char units[] = "KMGTPE";
    struct str text = yaml_take_text(f, n), digits = text;
    int64_t *out = bytes, shift = 0;
    uint64_t v;

    while (digits.n && strchr("BiKMGTPE", digits.p[digits.n - 1])) {
        const char *unit = strchr(units, digits.p[digits.n - 1]);
        if (unit)
            shift = 10 * (unit - units + 1);
        digits.n--;
    }
    if (str_to_u64(digits, &v) && v < (uint64_t)INT64_MAX >> shift)
        *out = (int64_t)(v << shift);
    else
        yaml_wrong(f, n, "not a valid size: \"" STR_FMT "\"", STR_ARG(text));
}

static void take_labels(struct yaml_form *f, const struct yaml *n, void *labels)
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

/* ---- discovery ---------------------------------------------------------- */

void target_groups_take(struct yaml_form *f, const struct yaml *n, void *groups)
{
    static const struct yaml_field fields[] = {
        {"targets", YAML_FIELD_TEXTS, offsetof(struct target_group, targets),
         NULL},
        {"labels", YAML_FIELD_OTHER, offsetof(struct target_group, labels),
         take_labels},
        {0}};
    struct target_groups *out = groups;

    out->v = yaml_room(f, n, sizeof(*out->v));
    for (const struct yaml *c = out->v ? n->first : NULL; c; c = c->next) {
        struct target_group *g = &out->v[out->n++];
        *g = (struct target_group){.labels = labels_none()};
        yaml_take(f, c, fields, g);
        for (size_t i = 0; i < g->targets.n; i++)
            if (!g->targets.v[i].n ||
                memchr(g->targets.v[i].p, '/', g->targets.v[i].n))
                yaml_wrong(f, c, "\"" STR_FMT "\" is not a valid hostname",
                           STR_ARG(g->targets.v[i]));
    }
}

static void take_files(struct yaml_form *f, const struct yaml *n, void *pool)
{
    static const struct yaml_field fields[] = {
        {"files", YAML_FIELD_TEXTS, offsetof(struct sd_files, files), NULL},
        {"refresh_interval", YAML_FIELD_OTHER,
         offsetof(struct sd_files, refresh_ms), prom_duration},
        {0}};
    struct scrape_pool *p = pool;

    p->files = yaml_room(f, n, sizeof(*p->files));
    for (const struct yaml *c = p->files ? n->first : NULL; c; c = c->next) {
        struct sd_files *sd = &p->files[p->n_files++];
        *sd = (struct sd_files){.refresh_ms = 5 * 60000};
        yaml_take(f, c, fields, sd);
        if (!sd->files.n)
            yaml_wrong(f, c,
                       "file service discovery config must contain at least "
                       "one path name");
    }
}

static void take_https(struct yaml_form *f, const struct yaml *n, void *pool)
{
#define AT(field) offsetof(struct sd_http, field)
    static const struct yaml_field fields[] = {
        {"url", YAML_FIELD_OTHER, AT(url), yaml_secret},
        {"refresh_interval", YAML_FIELD_OTHER, AT(refresh_ms), prom_duration},
        YAML_HTTP_FIELDS(AT(http)),
        {0}};
#undef AT
    struct scrape_pool *p = pool;

    p->https = yaml_room(f, n, sizeof(*p->https));
    for (const struct yaml *c = p->https ? n->first : NULL; c; c = c->next) {
        struct sd_http *sd = &p->https[p->n_https++];
        *sd = (struct sd_http){.refresh_ms = 60000};
        yaml_take(f, c, fields, sd);
        if (!str_starts(sd->url.value, STR("http")))
            yaml_wrong(f, c, "URL scheme must be 'http' or 'https'");
    }
}

static void take_statics(struct yaml_form *f, const struct yaml *n, void *pool)
{
    target_groups_take(f, n, &((struct scrape_pool *)pool)->groups);
}

/* ---- a scrape_config ---------------------------------------------------- */

static void take_params(struct yaml_form *f, const struct yaml *n, void *pool)
{
    struct scrape_pool *p = pool;

    if (n->kind != YAML_MAP) {
        yaml_wrong(f, n, "params must be a map");
        return;
    }
    p->params = arena_new(f->arena, struct url_param, yaml_count(n) + 1);
    for (const struct yaml *c = p->params ? n->first : NULL; c; c = c->next) {
        const struct yaml_field one[] = {{c->key.p, YAML_FIELD_TEXTS,
                                          offsetof(struct url_param, values),
                                          NULL},
                                         {0}};
        struct yaml alone = *c, map = {.kind = YAML_MAP, .first = &alone};
        alone.next = NULL;
        p->params[p->n_params].name = c->key;
        yaml_take(f, &map, one, &p->params[p->n_params++]);
    }
}

#define AT(field) offsetof(struct scrape_pool, field)
/* clang-format off */
static const struct yaml_field pool_fields[] = {
    {"job_name", YAML_FIELD_TEXT, AT(job), NULL},
    {"scrape_interval", YAML_FIELD_OTHER, AT(interval_ms), prom_duration},
    {"scrape_timeout", YAML_FIELD_OTHER, AT(timeout_ms), prom_duration},
    {"metrics_path", YAML_FIELD_TEXT, AT(path), NULL},
    {"scheme", YAML_FIELD_TEXT, AT(scheme), NULL},
    {"params", YAML_FIELD_OTHER, 0, take_params},
    {"honor_labels", YAML_FIELD_BOOL, AT(honor_labels), NULL},
    {"honor_timestamps", YAML_FIELD_BOOL, AT(honor_timestamps), NULL},
    YAML_HTTP_FIELDS(AT(http)),
    {"relabel_configs", YAML_FIELD_OTHER, AT(relabel), relabel_take},
    {"metric_relabel_configs", YAML_FIELD_OTHER, AT(metric_relabel), relabel_take},
    {"sample_limit", YAML_FIELD_WHOLE, AT(sample_limit), NULL},
    {"target_limit", YAML_FIELD_WHOLE, AT(target_limit), NULL},
    {"label_limit", YAML_FIELD_WHOLE, AT(label_limit), NULL},
    {"label_name_length_limit", YAML_FIELD_WHOLE, AT(label_name_limit), NULL},
    {"label_value_length_limit", YAML_FIELD_WHOLE, AT(label_value_limit), NULL},
    {"body_size_limit", YAML_FIELD_OTHER, AT(body_limit), take_size},
    {"static_configs", YAML_FIELD_OTHER, 0, take_statics},
    {"file_sd_configs", YAML_FIELD_OTHER, 0, take_files},
    {"http_sd_configs", YAML_FIELD_OTHER, 0, take_https},
    /* How a target is to speak: it is understood as it does. */
    {"scrape_protocols", YAML_FIELD_OTHER, 0, yaml_ignore},
    {"fallback_scrape_protocol", YAML_FIELD_OTHER, 0, yaml_ignore},
    {"enable_compression", YAML_FIELD_OTHER, 0, yaml_ignore},
    {"track_timestamps_staleness", YAML_FIELD_OTHER, 0, yaml_ignore},
    {"keep_dropped_targets", YAML_FIELD_OTHER, 0, yaml_ignore},
    {0}};
/* clang-format on */
#undef AT

static void take_pool(struct yaml_form *f, const struct yaml *n,
                      const struct prom_config *c, struct scrape_pool *p)
{
    *p = (struct scrape_pool){.path = STR("/metrics"),
                              .scheme = STR("http"),
                              .honor_timestamps = true};
    yaml_take(f, n, pool_fields, p);
    p->interval_ms = p->interval_ms ? p->interval_ms : c->interval_ms;
    if (!p->timeout_ms)
        p->timeout_ms =
            c->timeout_ms < p->interval_ms ? c->timeout_ms : p->interval_ms;
    if (!p->job.n)
        yaml_wrong(f, n, "job_name is empty");
    if (p->timeout_ms > p->interval_ms)
        yaml_wrong(f, n,
                   "scrape timeout greater than scrape interval for scrape "
                   "config with job name \"" STR_FMT "\"",
                   STR_ARG(p->job));
    for (const struct scrape_pool *o = c->pools; o < p; o++)
        if (str_eq(o->job, p->job))
            yaml_wrong(f, n,
                       "found multiple scrape configs with job name \"" STR_FMT
                       "\"",
                       STR_ARG(p->job));
}

static void take_pools(struct yaml_form *f, const struct yaml *n, void *config)
{
    struct prom_config *c = config;

    c->pools = yaml_room(f, n, sizeof(*c->pools));
    for (const struct yaml *i = c->pools ? n->first : NULL; i; i = i->next)
        take_pool(f, i, c, &c->pools[c->n_pools++]);
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
        {"alert_relabel_configs", YAML_FIELD_OTHER, 0, refuse},
        {0}};

    yaml_take(f, n, fields, config);
}

/* ---- the file ----------------------------------------------------------- */

#define AT(field) offsetof(struct prom_config, field)

static void take_global(struct yaml_form *f, const struct yaml *n, void *config)
{
    static const struct yaml_field fields[] = {
        {"scrape_interval", YAML_FIELD_OTHER, AT(interval_ms), prom_duration},
        {"scrape_timeout", YAML_FIELD_OTHER, AT(timeout_ms), prom_duration},
        {"evaluation_interval", YAML_FIELD_OTHER, AT(evaluation_ms),
         prom_duration},
        {"external_labels", YAML_FIELD_OTHER, AT(external), take_labels},
        {"query_log_file", YAML_FIELD_OTHER, 0, refuse},
        {"rule_query_offset", YAML_FIELD_OTHER, 0, refuse},
        {"scrape_protocols", YAML_FIELD_OTHER, 0, yaml_ignore},
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
        {"scrape_configs", YAML_FIELD_OTHER, 0, take_pools},
        {"scrape_config_files", YAML_FIELD_OTHER, 0, refuse},
        {"remote_write", YAML_FIELD_OTHER, 0, prom_remotes},
        {"remote_read", YAML_FIELD_OTHER, 0, refuse},
        {"tracing", YAML_FIELD_OTHER, 0, refuse},
        {"storage", YAML_FIELD_OTHER, 0, refuse},
        {0}};
    const struct yaml *global = yaml_get(root, "global");

    if (!yaml_is_null(global))
        take_global(f, global, c);
    yaml_take(f, root, fields, c);
    for (size_t i = 0; i < c->rule_files.n; i++) {
        char path[8300];
        yaml_beside(f, c->rule_files.v[i], path, sizeof(path));
        const char *copy = arena_cstr(f->arena, str_from_cstr(path));
        c->rule_files.v[i] = str_from_cstr(copy ? copy : "");
    }
}

#undef AT

static struct str shown(struct prom_config *c, struct str text)
{
    struct buf b;

    buf_init(&b, 2 * FILE_MAX);
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
    const char *name = arena_cstr(&c->arena, str_from_cstr(path));
    c->path = str_from_cstr(name ? name : "");
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

    buf_init(&text, FILE_MAX);
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
    for (size_t i = 0; i < c->n_remotes; i++)
        relabel_fini(&c->remotes[i].relabel);
    arena_fini(&c->arena);
    free(c);
}
