/* api_status.c - what the monitor says of itself. */
#include <string.h>

#include "base/clock.h"
#include "series/duration.h"
#include "web/api.h"

static void reply(struct http_request *r)
{
    r->may_compress = true;
    http_reply(r, 200, "application/json");
}

static void reply_data(struct http_request *r, const char *data)
{
    buf_printf(http_out(r), "{\"status\":\"success\",\"data\":%s}", data);
    reply(r);
}

/* ---- metadata ----------------------------------------------------------- */

struct describing {
    struct buf *out;
    struct str metric; /* the one that is asked for; empty: all */
    uint64_t limit, n;
};

static void put_text(struct buf *b, const char *before, const char *text)
{
    buf_put_field(b, before, str_from_cstr(text ? text : ""));
}

static bool describe(void *ctx, const struct metadata_entry *e)
{
    struct describing *d = ctx;
    struct buf *b = d->out;

    if (d->metric.n && !str_eq(d->metric, str_from_cstr(e->name)))
        return true;
    put_text(b, d->n++ ? "," : "", e->name);
    put_text(b, ":[{\"type\":", e->type ? e->type : "unknown");
    put_text(b, ",\"help\":", e->help);
    put_text(b, ",\"unit\":", e->unit);
    buf_puts(b, "}]");
    return d->limit == 0 || d->n < d->limit;
}

static enum errc list_metadata(struct api_call *c, struct err *err)
{
    struct describing d = {.out = http_out(c->r),
                           .metric = params_get(&c->params, STR("metric"))};
    enum errc rc = params_limit(&c->params, &d.limit, err);

    if (rc)
        return rc;
    buf_putc(d.out, '{');
    metadata_each(c->control->metadata, describe, &d);
    buf_putc(d.out, '}');
    return ERR_OK;
}

void api_metadata(struct http_request *r)
{
    api_run(r, list_metadata);
}

/* Clients choose by this version how they ask: it says whose API it is. */
void api_buildinfo(struct http_request *r)
{
    reply_data(r, "{\"version\":\"3.0.0\",\"revision\":\"stoker-" STOKER_VERSION
                  "\",\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\","
                  "\"goVersion\":\"\"}");
}

void api_runtime(struct http_request *r)
{
    const struct control *c = control_of(r);
    char when[CLOCK_TEXT_MAX];

    clock_format(c->started_ms * 1000000, when);
    buf_printf(http_out(r),
               "{\"status\":\"success\",\"data\":{\"startTime\":\"%s\","
               "\"reloadConfigSuccess\":true,\"lastConfigTime\":\"%s\","
               "\"corruptionCount\":0,\"storageRetention\":\"%lldms\"}}",
               when, when, (long long)c->options.store.retention);
    reply(r);
}

/* Options of ours are none of Prometheus' flags. */
void api_flags(struct http_request *r)
{
    reply_data(r, "{}");
}

void api_wal_replay(struct http_request *r)
{
    reply_data(r, "{\"min\":0,\"max\":0,\"current\":0}");
}

void api_alertmanagers(struct http_request *r)
{
    const struct engine_options *o = &control_of(r)->options.rules;
    struct buf *b = http_out(r);

    buf_puts(b, "{\"status\":\"success\",\"data\":{\"activeAlertmanagers\":[");
    for (size_t i = 0; i < o->n_alertmanagers; i++) {
        put_text(b, i ? ",{\"url\":" : "{\"url\":", o->alertmanagers[i]);
        b->n--; /* within the quotes */
        buf_puts(b, "/api/v2/alerts\"}");
    }
    buf_puts(b, "],\"droppedAlertmanagers\":[]}}");
    reply(r);
}

void api_config(struct http_request *r)
{
    struct control *c = control_of(r);
    struct buf *b = http_out(r);

    pthread_mutex_lock(&c->lock);
    buf_put_field(b, "{\"status\":\"success\",\"data\":{\"yaml\":",
                  c->config ? c->config->original : STR(""));
    pthread_mutex_unlock(&c->lock);
    buf_puts(b, "}}");
    reply(r);
}

/* ---- targets ------------------------------------------------------------ */

struct listing {
    struct buf *out;
    bool any;
};

static void put_target(void *ctx, const struct scrape_state *s)
{
    struct listing *l = ctx;
    char when[CLOCK_TEXT_MAX];
    struct buf *b = l->out;

    clock_format(s->last_ms * 1000000, when);
    buf_puts(b, l->any ? ",{" : "{");
    l->any = true;
    buf_puts(b, "\"discoveredLabels\":");
    labels_put_json(b, s->discovered);
    buf_puts(b, ",\"labels\":");
    labels_put_json(b, s->labels);
    put_text(b, ",\"scrapePool\":", s->job);
    put_text(b, ",\"scrapeUrl\":", s->url);
    put_text(b, ",\"globalUrl\":", s->url);
    put_text(b, ",\"lastError\":", s->error);
    buf_printf(b,
               ",\"lastScrape\":\"%s\",\"lastScrapeDuration\":%g,"
               "\"health\":\"%s\",\"scrapeInterval\":\"",
               s->asked ? when : "0001-01-01T00:00:00Z", s->seconds,
               !s->asked ? "unknown"
               : s->up   ? "up"
                         : "down");
    duration_print(b, s->interval_ms);
    buf_puts(b, "\",\"scrapeTimeout\":\"");
    duration_print(b, s->timeout_ms);
    buf_puts(b, "\"}");
}

static void put_dropped(void *ctx, const char *job, struct labels discovered)
{
    struct listing *l = ctx;

    (void)job;
    buf_puts(l->out,
             l->any ? ",{\"discoveredLabels\":" : "{\"discoveredLabels\":");
    l->any = true;
    labels_put_json(l->out, discovered);
    buf_putc(l->out, '}');
}

/* Pools by name, each once; those of the options have no more than a few. */
struct pools {
    struct buf *out;
    const char *seen[256];
    size_t n;
};

static void put_pool(void *ctx, const struct scrape_state *s)
{
    struct pools *p = ctx;

    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->seen[i], s->job) == 0)
            return;
    if (p->n == COUNT(p->seen))
        return;
    put_text(p->out, p->n ? "," : "", s->job);
    p->seen[p->n++] = s->job;
}

void api_scrape_pools(struct http_request *r)
{
    struct pools p = {.out = http_out(r)};

    buf_puts(p.out, "{\"status\":\"success\",\"data\":{\"scrapePools\":[");
    scraper_each(control_of(r)->scraper, put_pool, &p);
    buf_puts(p.out, "]}}");
    reply(r);
}

void api_targets(struct http_request *r)
{
    struct listing l = {.out = http_out(r)};
    struct params params;
    struct err err;

    if (params_read(r, &params, &err)) {
        http_reply_error(r, 400, "%s", err.msg);
        return;
    }
    struct str state = params_get(&params, STR("state"));
    bool all = !state.n || str_eq_nocase(state, STR("any"));
    buf_puts(l.out, "{\"status\":\"success\",\"data\":{\"activeTargets\":[");
    if (all || str_eq_nocase(state, STR("active")))
        scraper_each(control_of(r)->scraper, put_target, &l);
    l.any = false;
    buf_puts(l.out, "],\"droppedTargets\":[");
    if (control_of(r)->discover &&
        (all || str_eq_nocase(state, STR("dropped"))))
        discover_each_dropped(control_of(r)->discover, put_dropped, &l);
    buf_puts(l.out, "],\"droppedTargetCounts\":{}}}");
    reply(r);
}
