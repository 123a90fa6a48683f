/* api_rules.c - rules and alerts as Prometheus' API shows them. */
#include <string.h>

#include "alert/engine.h"
#include "base/clock.h"
#include "codec/go_float.h"
#include "web/api.h"

struct showing {
    struct buf *out;
    const struct params *params;
    bool alerting, recording, alerts;
    bool any;
};

static const char *state_text(enum alert_state s)
{
    return s == ALERT_FIRING ? "firing" : "pending";
}

static void put_time(struct buf *b, const char *before, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    clock_format(ms * 1000000, text);
    buf_printf(b, "%s\"%s\"", before, ms ? text : "0001-01-01T00:00:00Z");
}

/* ---- alerts ------------------------------------------------------------- */

static void put_alert(struct buf *b, const struct alert *a)
{
    char value[GO_FLOAT_MAX];

    buf_puts(b, "{\"labels\":");
    labels_put_json(b, a->labels);
    buf_puts(b, ",\"annotations\":");
    labels_put_json(b, a->annotations);
    buf_printf(b, ",\"state\":\"%s\"", state_text(a->state));
    put_time(b, ",\"activeAt\":", a->active_at);
    if (a->keep_since)
        put_time(b, ",\"keepFiringSince\":", a->keep_since);
    buf_put_field(
        b, ",\"value\":", (struct str){value, go_float(value, 'e', a->value)});
    buf_putc(b, '}');
}

static void put_alerts(struct buf *b, const struct rule_run *run, bool *any)
{
    for (size_t i = 0; i < run->n; i++) {
        if (run->alerts[i]->state == ALERT_RESOLVED)
            continue;
        buf_puts(b, *any ? "," : "");
        *any = true;
        put_alert(b, run->alerts[i]);
    }
}

static void show_alerts(void *ctx, struct group *g)
{
    struct showing *s = ctx;

    for (size_t i = 0; i < g->how->n; i++)
        put_alerts(s->out, &g->runs[i], &s->any);
}

static enum errc list_alerts(struct api_call *c, struct err *err)
{
    struct showing s = {.out = http_out(c->r)};
    (void)err;

    buf_puts(s.out, "{\"alerts\":[");
    engine_each(c->control->engine, show_alerts, &s);
    buf_puts(s.out, "]}");
    return ERR_OK;
}

void api_alerts(struct http_request *r)
{
    api_run(r, list_alerts);
}

/* ---- rules -------------------------------------------------------------- */

static void put_texts(struct buf *b, const char *before,
                      const struct rule_text *v, size_t n)
{
    buf_puts(b, before);
    for (size_t i = 0; i < n; i++) {
        buf_puts(b, i ? "," : "");
        buf_put_quoted(b, v[i].name);
        buf_putc(b, ':');
        buf_put_quoted(b, v[i].source);
    }
    buf_putc(b, '}');
}

static void put_query(struct buf *b, const struct rule *rule)
{
    struct buf query;

    buf_init(&query, PROMQL_MAX_BYTES);
    promql_print(rule->expr->root, &query);
    buf_put_field(b, ",\"query\":", buf_str(&query));
    buf_fini(&query);
}

static void put_alerting(struct showing *s, const struct rule_run *run)
{
    const struct rule *rule = run->rule;
    struct buf *b = s->out;
    const char *state = "inactive";
    bool any = false;

    for (size_t i = 0; i < run->n; i++)
        if (run->alerts[i]->state == ALERT_FIRING)
            state = "firing";
        else if (run->alerts[i]->state == ALERT_PENDING &&
                 strcmp(state, "inactive") == 0)
            state = "pending";
    buf_printf(b, "{\"state\":\"%s\"", state);
    buf_put_field(b, ",\"name\":", rule->name);
    put_query(b, rule);
    buf_printf(b, ",\"duration\":%g,\"keepFiringFor\":%g",
               (double)rule->hold / 1000, (double)rule->keep_firing / 1000);
    put_texts(b, ",\"labels\":{", rule->labels, rule->n_labels);
    put_texts(b, ",\"annotations\":{", rule->annotations, rule->n_annotations);
    buf_puts(b, ",\"alerts\":[");
    if (s->alerts)
        put_alerts(b, run, &any);
    buf_puts(b, "]");
}

static void put_recording(struct showing *s, const struct rule_run *run)
{
    struct buf *b = s->out;

    buf_put_field(b, "{\"name\":", run->rule->name);
    put_query(b, run->rule);
    put_texts(b, ",\"labels\":{", run->rule->labels, run->rule->n_labels);
}

static void put_rule(struct showing *s, const struct rule_run *run)
{
    static const char *const health[] = {"unknown", "ok", "err"};
    struct buf *b = s->out;

    if (run->rule->alerting)
        put_alerting(s, run);
    else
        put_recording(s, run);
    buf_printf(b, ",\"health\":\"%s\"", health[run->health]);
    if (run->health == RULE_ERROR)
        buf_put_field(b, ",\"lastError\":", str_from_cstr(run->error));
    buf_printf(b, ",\"evaluationTime\":%g", run->seconds);
    put_time(b, ",\"lastEvaluation\":", run->last_ms);
    buf_printf(b, ",\"type\":\"%s\"}",
               run->rule->alerting ? "alerting" : "recording");
}

/* True when the request names nothing of that kind, or this among others. */
static bool is_asked(const struct showing *s, const char *param, struct str v)
{
    bool any = false;

    for (size_t i = 0; i < s->params->n; i++) {
        if (!str_eq(s->params->v[i].name, str_from_cstr(param)))
            continue;
        any = true;
        if (str_eq(s->params->v[i].value, v))
            return true;
    }
    return !any;
}

static bool is_shown(const struct showing *s, const struct rule *rule)
{
    return (rule->alerting ? s->alerting : s->recording) &&
           is_asked(s, "rule_name[]", rule->name);
}

static void show_group(void *ctx, struct group *g)
{
    struct showing *s = ctx;
    struct buf *b = s->out;
    size_t shown = 0;

    for (size_t i = 0; i < g->how->n; i++)
        shown += is_shown(s, &g->how->rules[i]);
    if ((shown == 0 && g->how->n) ||
        !is_asked(s, "rule_group[]", g->how->name) ||
        !is_asked(s, "file[]", g->how->file))
        return;
    buf_put_field(b, s->any ? ",{\"name\":" : "{\"name\":", g->how->name);
    s->any = true;
    buf_put_field(b, ",\"file\":", g->how->file);
    buf_puts(b, ",\"rules\":[");
    shown = 0;
    for (size_t i = 0; i < g->how->n; i++) {
        if (!is_shown(s, &g->how->rules[i]))
            continue;
        buf_puts(b, shown++ ? "," : "");
        put_rule(s, &g->runs[i]);
    }
    buf_printf(b, "],\"interval\":%g,\"limit\":%llu,\"evaluationTime\":%g",
               (double)g->interval / 1000, (unsigned long long)g->how->limit,
               g->seconds);
    put_time(b, ",\"lastEvaluation\":", g->last_ms);
    buf_putc(b, '}');
}

static enum errc list_rules(struct api_call *c, struct err *err)
{
    struct str type = params_get(&c->params, STR("type"));
    struct str without = params_get(&c->params, STR("exclude_alerts"));
    struct showing s = {.out = http_out(c->r),
                        .params = &c->params,
                        .alerting = !str_eq(type, STR("record")),
                        .recording = !str_eq(type, STR("alert")),
                        .alerts = !str_eq(without, STR("true"))};

    if (type.n && s.alerting && s.recording)
        return err_set(err, ERR_INVALID, "not supported value \"" STR_FMT "\"",
                       STR_ARG(type));
    buf_puts(s.out, "{\"groups\":[");
    engine_each(c->control->engine, show_group, &s);
    buf_puts(s.out, "]}");
    return ERR_OK;
}

void api_rules(struct http_request *r)
{
    api_run(r, list_rules);
}

/* ---- reload ------------------------------------------------------------- */

static enum errc reload(struct api_call *c, struct err *err)
{
    c->executing = true;
    enum errc rc = control_reload(c->control, err);

    return rc ? err_wrap(err, ERR_INTERNAL, "failed to reload config") : ERR_OK;
}

void api_reload(struct http_request *r)
{
    api_run_plain(r, "text/plain; charset=utf-8", reload);
}
