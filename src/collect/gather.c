#include "collect/gather.h"

#include <stdio.h>

#include "codec/percent.h"
#include "series/duration.h"

enum { DROPPED_BYTES_MAX = 64 << 20, TARGETS_MAX = 100000 };

void gather_begin(struct gathering *g, struct prom_config *config,
                  void (*complain_to)(void *ctx, const char *text), void *ctx)
{
    *g = (struct gathering){
        .config = config, .complain = complain_to, .ctx = ctx};
    arena_init(&g->arena, 1 << 30);
    arena_init(&g->dropped_arena, DROPPED_BYTES_MAX);
}

void gather_end(struct gathering *g)
{
    arena_fini(&g->arena);
}

static void put_duration(struct buf *b, int64_t ms)
{
    buf_clear(b);
    duration_print(b, ms);
}

/* What the file says, unless the group says it already. */
static void set_missing(struct labels_builder *b, const char *name,
                        struct str value)
{
    struct labels l = {b->v, b->n};
    struct str n = str_from_cstr(name);

    if (!labels_get(l, n).n)
        labels_set(b, n, value);
}

static struct str kept(struct gathering *g, struct str s)
{
    const char *copy = arena_cstr(&g->arena, s);

    g->failed = g->failed || !copy;
    return (struct str){copy ? copy : "", copy ? s.n : 0};
}

/* __address__, job, __scheme__ ... */
static bool discovered(struct gathering *g, const struct scrape_pool *p,
                       const struct target_group *group, struct str address,
                       struct label meta, struct labels *out)
{
    struct labels_builder b;
    struct buf text;

    buf_init(&text, 1 << 16);
    labels_build(&b, &g->arena, group->labels);
    if (meta.value.n)
        labels_set(&b, meta.name, kept(g, meta.value));
    labels_set(&b, STR("__address__"), address);
    set_missing(&b, "job", p->job);
    set_missing(&b, "__scheme__", p->scheme);
    set_missing(&b, "__metrics_path__", p->path);
    put_duration(&text, p->interval_ms);
    set_missing(&b, "__scrape_interval__", kept(g, buf_str(&text)));
    put_duration(&text, p->timeout_ms);
    set_missing(&b, "__scrape_timeout__", kept(g, buf_str(&text)));
    for (size_t i = 0; i < p->n_params; i++) {
        buf_clear(&text);
        buf_printf(&text, "__param_" STR_FMT, STR_ARG(p->params[i].name));
        buf_putc(&text, '\0');
        if (p->params[i].values.n && !text.failed)
            set_missing(&b, kept(g, (struct str){text.p, text.n - 1}).p,
                        p->params[i].values.v[0]);
    }
    buf_fini(&text);
    return labels_built(&b, out);
}

static void put_param(struct buf *url, bool *any, struct str name,
                      struct str value)
{
    buf_putc(url, *any ? '&' : '?');
    percent_encode_form(url, name);
    buf_putc(url, '=');
    percent_encode_form(url, value);
    *any = true;
}

/* The values of one; the first is another, if that is not empty. */
static void put_values(struct buf *url, bool *any,
                       const struct url_param *param, struct str first)
{
    for (size_t i = 0; i < param->values.n; i++)
        put_param(url, any, param->name,
                  i == 0 && first.n ? first : param->values.v[i]);
    if (param->values.n == 0 && first.n)
        put_param(url, any, param->name, first);
}

/* By name: those of the file, the first value of X being that of the label
 * __param_X, and those that only a label names. */
static void put_params(const struct scrape_pool *p, struct labels l,
                       struct buf *url)
{
    bool any = false;
    size_t k = 0;

    for (size_t i = 0; i < l.n; i++) {
        struct str name = l.v[i].name;
        if (!str_starts(name, STR("__param_")))
            continue;
        name = str_slice(name, sizeof("__param_") - 1, name.n);
        while (k < p->n_params && str_compare(p->params[k].name, name) < 0)
            put_values(url, &any, &p->params[k++], STR(""));
        if (k < p->n_params && str_eq(p->params[k].name, name))
            put_values(url, &any, &p->params[k++], l.v[i].value);
        else
            put_param(url, &any, name, l.v[i].value);
    }
    while (k < p->n_params)
        put_values(url, &any, &p->params[k++], STR(""));
}

/* scheme://address/path?params */
static const char *make_url(struct gathering *g, const struct scrape_pool *p,
                            struct labels l)
{
    struct str path = labels_get(l, STR("__metrics_path__"));
    struct buf url;

    buf_init(&url, 1 << 16);
    buf_printf(&url, STR_FMT "://" STR_FMT "%s",
               STR_ARG(labels_get(l, STR("__scheme__"))),
               STR_ARG(labels_get(l, STR("__address__"))),
               str_starts(path, STR("/")) ? "" : "/");
    percent_encode_path(&url, path);
    put_params(p, l, &url);
    const char *copy = kept(g, buf_str(&url)).p;
    buf_fini(&url);
    return copy;
}

/* Without __labels; with an instance. */
static bool finished(struct gathering *g, struct labels l, struct labels *out)
{
    struct labels_builder b;

    labels_build(&b, &g->arena, l);
    set_missing(&b, "instance", labels_get(l, STR("__address__")));
    for (size_t i = 0; i < l.n; i++)
        if (str_starts(l.v[i].name, STR("__")))
            labels_drop(&b, l.v[i].name);
    return labels_built(&b, out);
}

static void drop(struct gathering *g, const struct scrape_pool *p,
                 struct labels l)
{
    struct dropped *d = arena_new(&g->dropped_arena, struct dropped, 1);
    const char *job = arena_cstr(&g->dropped_arena, p->job);

    if (!d || !job)
        return;
    *d = (struct dropped){g->dropped, job, labels_copy(&g->dropped_arena, l)};
    if (d->labels.v)
        g->dropped = d;
}

static void complain(struct gathering *g, const struct scrape_pool *p,
                     struct labels l, const char *why)
{
    char text[400];

    (void)snprintf(text, sizeof(text), "job %.100s, target %.100s: %s",
                   p->job.p, labels_get(l, STR("__address__")).p, why);
    g->complain(g->ctx, text);
}

/* The target's interval and timeout; what is wrong with it, or NULL. */
static const char *examine(struct labels l, struct scrape_target *t)
{
    struct str address = labels_get(l, STR("__address__")),
               scheme = labels_get(l, STR("__scheme__"));

    if (!address.n)
        return "no address";
    if (memchr(address.p, '/', address.n))
        return "the address holds a \"/\": it is HOST:PORT, and the rest "
               "belongs into metrics_path";
    if (!str_eq(scheme, STR("http")) && !str_eq(scheme, STR("https")))
        return "the scheme is neither http nor https";
    if (!duration_parse(labels_get(l, STR("__scrape_interval__")),
                        &t->interval_ms) ||
        !duration_parse(labels_get(l, STR("__scrape_timeout__")),
                        &t->timeout_ms) ||
        t->interval_ms <= 0 || t->timeout_ms <= 0)
        return "no valid interval or timeout";
    return t->timeout_ms > t->interval_ms
               ? "scrape timeout cannot be greater than scrape interval"
               : NULL;
}

static void add_target(struct gathering *g, const struct scrape_pool *p,
                       const struct target_group *group, struct str address,
                       struct label meta)
{
    struct scrape_target t = {.config = g->config, .pool = p};
    struct labels before, l;
    struct err err = {0};
    bool keep;

    if (!discovered(g, p, group, address, meta, &before)) {
        g->failed = true;
        return;
    }
    if (relabel_apply(&p->relabel, before, &g->arena, &l, &keep, &err)) {
        complain(g, p, before, err.msg);
        return;
    }
    if (!keep) {
        drop(g, p, before);
        return;
    }
    const char *wrong = examine(l, &t);
    if (wrong) {
        complain(g, p, before, wrong);
        return;
    }
    t.job = kept(g, p->job).p;
    t.url = make_url(g, p, l);
    t.discovered = before;
    if (!finished(g, l, &t.labels) ||
        !arena_grow(&g->arena, &g->v, g->n, &g->cap, sizeof(*g->v)))
        g->failed = true;
    else if (g->n < TARGETS_MAX)
        g->v[g->n++] = t;
}

void gather_groups(struct gathering *g, const struct scrape_pool *p,
                   const struct target_groups *groups, struct label meta)
{
    for (size_t i = 0; i < groups->n; i++)
        for (size_t k = 0; k < groups->v[i].targets.n; k++)
            add_target(g, p, &groups->v[i], groups->v[i].targets.v[k], meta);
}

void gather_limit(struct gathering *g, const struct scrape_pool *p,
                  size_t before)
{
    if (!p->limits.targets || g->n - before <= (size_t)p->limits.targets)
        return;
    g->complain(g->ctx,
                "target_limit exceeded: no target of the job is scraped");
    g->n = before;
}
