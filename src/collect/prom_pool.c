/* prom_pool.c - scrape_configs of the configuration file, and their
 * discovery. */
#include "collect/prom_config_internal.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"

void prom_size(struct yaml_form *f, const struct yaml *n, void *bytes)
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

/* ---- discovery ---------------------------------------------------------- */

void target_groups_take(struct yaml_form *f, const struct yaml *n, void *groups)
{
    static const struct yaml_field fields[] = {
        {"targets", YAML_FIELD_TEXTS, offsetof(struct target_group, targets),
         NULL},
        {"labels", YAML_FIELD_OTHER, offsetof(struct target_group, labels),
         prom_labels},
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
        yaml_all_beside(f, &sd->files);
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

static int by_name(const void *a, const void *b)
{
    const struct url_param *x = a, *y = b;

    return str_compare(x->name, y->name);
}

/* A list for each, in the order of their names. */
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
    if (p->params)
        qsort(p->params, p->n_params, sizeof(*p->params), by_name);
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
    PROM_LIMITS(AT(limits)),
    {"static_configs", YAML_FIELD_OTHER, 0, take_statics},
    {"file_sd_configs", YAML_FIELD_OTHER, 0, take_files},
    {"http_sd_configs", YAML_FIELD_OTHER, 0, take_https},
    PROM_AS_IT_IS,
    {"enable_compression", YAML_FIELD_OTHER, 0, yaml_ignore},
    {"track_timestamps_staleness", YAML_FIELD_OTHER, 0, yaml_ignore},
    {0}};
/* clang-format on */
#undef AT

/* Limits that a pool does not set are the file's. */
static void complete_limits(struct scrape_limits *l,
                            const struct scrape_limits *usual)
{
    l->samples = l->samples ? l->samples : usual->samples;
    l->targets = l->targets ? l->targets : usual->targets;
    l->labels = l->labels ? l->labels : usual->labels;
    l->label_name = l->label_name ? l->label_name : usual->label_name;
    l->label_value = l->label_value ? l->label_value : usual->label_value;
    l->body = l->body ? l->body : usual->body;
}

static void take_pool(struct yaml_form *f, const struct yaml *n,
                      const struct prom_config *c, struct scrape_pool *p)
{
    *p = (struct scrape_pool){.path = STR("/metrics"),
                              .scheme = STR("http"),
                              .honor_timestamps = true};
    yaml_take(f, n, pool_fields, p);
    complete_limits(&p->limits, &c->limits);
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

void prom_pools(struct yaml_form *f, const struct yaml *n, void *config)
{
    struct prom_config *c = config;

    if (!yaml_is_list(f, n))
        return;
    struct scrape_pool *v =
        arena_new(f->arena, struct scrape_pool, c->n_pools + yaml_count(n) + 1);
    if (!v) {
        yaml_no_memory(f);
        return;
    }
    if (c->n_pools)
        memcpy(v, c->pools, c->n_pools * sizeof(*v));
    c->pools = v;
    for (const struct yaml *i = n->first; i; i = i->next)
        take_pool(f, i, c, &c->pools[c->n_pools++]);
}

/* ---- scrape_config_files ------------------------------------------------ */

static void take_pool_file(struct yaml_form *f, const char *path,
                           struct prom_config *c)
{
    static const struct yaml_field fields[] = {
        {"scrape_configs", YAML_FIELD_OTHER, 0, prom_pools}, {0}};
    struct yaml_form of_file = *f;
    const struct yaml *root = NULL;
    struct err why = {0};
    struct buf text;

    of_file.file = path;
    buf_init(&text, PROM_FILE_MAX);
    enum errc rc = fs_read(path, &text, &why);
    if (!rc)
        rc = yaml_read(buf_str(&text), f->arena, &root, &why);
    buf_fini(&text);
    if (rc)
        yaml_broken(&of_file, &why);
    else if (root)
        yaml_take(&of_file, root, fields, c);
    f->rc = of_file.rc;
}

void prom_pool_files(struct yaml_form *f, struct prom_config *c)
{
    glob_t found;

    for (size_t i = 0; i < c->pool_files.n; i++) {
        if (glob(c->pool_files.v[i].p, 0, NULL, &found) != 0)
            continue; /* there may come some */
        for (size_t k = 0; k < found.gl_pathc; k++)
            take_pool_file(f, found.gl_pathv[k], c);
        globfree(&found);
    }
}
