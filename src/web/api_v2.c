/* api_v2.c - Alertmanager's API, version 2: alerts, groups, status. amtool and
 * whatever sends alerts to an Alertmanager work with it.
 *
 * https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
#include "web/api_v2.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sort.h"
#include "codec/json_tree.h"
#include "notify/time_text.h"

enum { TREE_MAX = 64 << 20, LABELS_MAX = 256 };

/* ---- what is asked for -------------------------------------------------- */

enum errc v2_filter(const struct params *p, struct matchers *out,
                    struct arena *a, struct err *err)
{
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < p->n && !rc; i++)
        if (str_eq(p->v[i].name, STR("filter")))
            rc = matchers_parse(out, p->v[i].value, a, err);
    return rc;
}

enum errc v2_body(struct api_call *c, struct arena *a, struct json_node **out,
                  struct err *err)
{
    *out = json_tree_copy(c->r->body, a, err);
    return *out ? ERR_OK : ERR_INVALID;
}

void v2_put_time(struct buf *b, const char *before, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    clock_format(ms * 1000000, text);
    buf_printf(b, "%s\"%s\"", before, text);
}

/* ---- alerts ------------------------------------------------------------- */

struct listing {
    struct api_call *call;
    struct buf *out;
    struct matchers filter;
    struct regex *receiver; /* NULL: any */
    bool active, silenced, inhibited;
    struct dispatch *d;
    int64_t now;
    const struct active_alert **v; /* in the arena */
    size_t n, cap;
    struct arena arena;
};

struct receivers {
    struct listing *l;
    bool any, wanted;
};

static void put_receiver(void *ctx, const struct route *r)
{
    struct receivers *s = ctx;

    buf_puts(s->l->out, s->any ? "," : "");
    buf_put_field(s->l->out, "{\"name\":", r->receiver->name);
    buf_putc(s->l->out, '}');
    s->any = true;
}

static void see_receiver(void *ctx, const struct route *r)
{
    struct receivers *s = ctx;

    if (!s->l->receiver ||
        regex_match(s->l->receiver, r->receiver->name) == REGEX_YES)
        s->wanted = true;
}

static void each_receiver(struct listing *l, const struct active_alert *a,
                          struct receivers *s,
                          void (*each)(void *ctx, const struct route *r))
{
    *s = (struct receivers){.l = l};
    if (l->d->config)
        route_match(l->d->config->c.root, a->labels, each, s);
}

/* {"inhibitedBy":[],"silencedBy":[],"state":"active"} */
static void put_state(struct listing *l, const struct active_alert *a)
{
    const struct active_alert *by = dispatch_inhibitor(l->d, a->labels, l->now);
    const struct silence *s;
    size_t at = 0, n = 0;
    char print[17];

    buf_puts(l->out, "{\"inhibitedBy\":[");
    if (by) {
        fingerprint_text(by->hash, print);
        buf_printf(l->out, "\"%s\"", print);
    }
    buf_puts(l->out, "],\"silencedBy\":[");
    while ((s = silences_match(&l->d->silences, a->labels, l->now, &at)))
        buf_printf(l->out, "%s\"%s\"", n++ ? "," : "", s->id);
    buf_printf(l->out, "],\"state\":\"%s\"}",
               by || n ? "suppressed" : "active");
}

static void put_alert(struct listing *l, const struct active_alert *a)
{
    struct buf *b = l->out;
    struct receivers s;
    char print[17];

    fingerprint_text(a->hash, print);
    buf_puts(b, "{\"annotations\":");
    labels_put_json(b, a->annotations);
    v2_put_time(b, ",\"endsAt\":", a->ends_at);
    buf_put_field(b, ",\"fingerprint\":", str_from_cstr(print));
    buf_puts(b, ",\"receivers\":[");
    each_receiver(l, a, &s, put_receiver);
    v2_put_time(b, "],\"startsAt\":", a->starts_at);
    buf_puts(b, ",\"status\":");
    put_state(l, a);
    v2_put_time(b, ",\"updatedAt\":", a->updated_at);
    if (a->generator_url.n)
        buf_put_field(b, ",\"generatorURL\":", a->generator_url);
    buf_puts(b, ",\"labels\":");
    labels_put_json(b, a->labels);
    buf_putc(b, '}');
}

static bool is_wanted(struct listing *l, const struct active_alert *a)
{
    struct receivers s;
    size_t at = 0;

    if (active_ended(a, l->now) || !matchers_match(&l->filter, a->labels))
        return false;
    each_receiver(l, a, &s, see_receiver);
    if (l->receiver && !s.wanted)
        return false;
    bool silenced =
        silences_match(&l->d->silences, a->labels, l->now, &at) != NULL;
    bool inhibited = dispatch_inhibitor(l->d, a->labels, l->now) != NULL;
    return (l->silenced || !silenced) && (l->inhibited || !inhibited) &&
           (l->active || silenced || inhibited);
}

static void take_alert(void *ctx, struct active_alert *a)
{
    struct listing *l = ctx;

    if (!is_wanted(l, a))
        return;
    if (arena_grow(&l->arena, &l->v, l->n, &l->cap, sizeof(*l->v)))
        l->v[l->n++] = a;
    else
        l->out->failed = true;
}

static int by_fingerprint(const void *a, const void *b)
{
    uint64_t x = (*(const struct active_alert *const *)a)->hash;
    uint64_t y = (*(const struct active_alert *const *)b)->hash;

    return x < y ? -1 : x > y;
}

static void put_sorted(struct listing *l)
{
    sort_items(l->v, l->n, sizeof(*l->v), by_fingerprint);
    buf_putc(l->out, '[');
    for (size_t i = 0; i < l->n; i++) {
        buf_puts(l->out, i ? "," : "");
        put_alert(l, l->v[i]);
    }
    buf_putc(l->out, ']');
}

static void list_alerts(void *ctx, struct dispatch *d, int64_t now)
{
    struct listing *l = ctx;

    l->d = d;
    l->now = now;
    active_each(&d->active, take_alert, l);
    put_sorted(l);
    buf_putc(l->out, '\n');
}

static void list_groups(void *ctx, struct dispatch *d, int64_t now)
{
    struct listing *l = ctx;
    bool any = false;

    l->d = d;
    l->now = now;
    buf_putc(l->out, '[');
    for (const struct alert_group *g = d->groups; g; g = g->next) {
        l->n = 0;
        for (size_t i = 0; i < g->n; i++)
            take_alert(l, g->v[i]);
        if (!l->n ||
            (l->receiver &&
             regex_match(l->receiver, g->route->receiver->name) != REGEX_YES))
            continue;
        buf_puts(l->out, any ? ",{\"alerts\":" : "{\"alerts\":");
        put_sorted(l);
        buf_puts(l->out, ",\"labels\":");
        labels_put_json(l->out, g->labels);
        buf_put_field(l->out,
                      ",\"receiver\":{\"name\":", g->route->receiver->name);
        buf_puts(l->out, "}}");
        any = true;
    }
    buf_puts(l->out, "]\n");
}

static enum errc flag_of(const struct params *p, const char *name, bool *out,
                         struct err *err)
{
    struct str text = params_get(p, str_from_cstr(name));

    *out = !text.n || str_eq(text, STR("true"));
    return *out || str_eq(text, STR("false"))
               ? ERR_OK
               : err_set(err, ERR_INVALID, "%s must be true or false", name);
}

static enum errc list(struct api_call *c,
                      void (*look)(void *ctx, struct dispatch *d, int64_t now),
                      struct err *err)
{
    struct listing l = {.call = c, .out = http_out(c->r)};
    struct str receiver = params_get(&c->params, STR("receiver"));
    bool ignored;

    arena_init(&l.arena, TREE_MAX);
    enum errc rc = flag_of(&c->params, "active", &l.active, err);
    if (!rc)
        rc = flag_of(&c->params, "silenced", &l.silenced, err);
    if (!rc)
        rc = flag_of(&c->params, "inhibited", &l.inhibited, err);
    if (!rc)
        rc = flag_of(&c->params, "unprocessed", &ignored, err);
    if (!rc)
        rc = v2_filter(&c->params, &l.filter, &l.arena, err);
    if (!rc && receiver.n)
        rc = regex_compile(receiver, &l.receiver, err);
    if (!rc)
        notify_look(c->control->notify, look, &l);
    regex_free(l.receiver);
    matchers_fini(&l.filter);
    arena_fini(&l.arena);
    return rc;
}

static enum errc get_alerts(struct api_call *c, struct err *err)
{
    return list(c, list_alerts, err);
}

static enum errc get_groups(struct api_call *c, struct err *err)
{
    return list(c, list_groups, err);
}

void api_v2_alerts(struct http_request *r)
{
    api_run_plain(r, "application/json", get_alerts);
}

void api_v2_groups(struct http_request *r)
{
    api_run_plain(r, "application/json", get_groups);
}

/* ---- new alerts --------------------------------------------------------- */

/* An object of texts; empty ones are none. */
static enum errc take_labels(const struct json_node *object, struct arena *a,
                             struct labels *out, struct err *err)
{
    struct labels_builder b;

    labels_build(&b, a, labels_none());
    if (object && !json_is(object, JSON_OBJECT))
        return err_set(err, ERR_INVALID, "labels must be an object");
    for (const struct json_node *n = object ? object->first : NULL; n;
         n = n->next) {
        if (n->kind != JSON_STRING)
            return err_set(err, ERR_INVALID,
                           "the value of \"" STR_FMT "\" must be a text",
                           STR_ARG(n->key));
        if (b.n >= LABELS_MAX)
            return err_set(err, ERR_LIMIT, "more than %d labels", LABELS_MAX);
        labels_set(&b, n->key, n->text);
    }
    return labels_built(&b, out) ? ERR_OK
                                 : err_set(err, ERR_NOMEM, "out of memory");
}

enum errc v2_take_time(const struct json_node *n, const char *name,
                       int64_t *out, struct err *err)
{
    struct str text = json_str_or(n, "");

    *out = 0;
    if (!text.n || str_starts(text, STR("0001-01-01T00:00:00")))
        return ERR_OK;
    return clock_parse(text, out)
               ? ERR_OK
               : err_set(err, ERR_INVALID,
                         "%s: \"" STR_FMT "\" is no time of RFC 3339", name,
                         STR_ARG(text));
}

enum errc v2_take_alert(const struct json_node *n, struct arena *a,
                        struct incoming *out, struct err *err)
{
    *out = (struct incoming){.generator_url =
                                 json_str_or(json_get(n, "generatorURL"), "")};
    enum errc rc = take_labels(json_get(n, "labels"), a, &out->labels, err);
    if (!rc)
        rc = take_labels(json_get(n, "annotations"), a, &out->annotations, err);
    if (!rc)
        rc = v2_take_time(json_get(n, "startsAt"), "startsAt", &out->starts_at,
                          err);
    if (!rc)
        rc = v2_take_time(json_get(n, "endsAt"), "endsAt", &out->ends_at, err);
    if (!rc && !out->labels.n)
        rc = err_set(err, ERR_INVALID, "at least one label pair required");
    if (!rc && out->starts_at && out->ends_at && out->starts_at > out->ends_at)
        rc = err_set(err, ERR_INVALID, "start time must be before end time");
    for (size_t i = 0; i < out->labels.n && !rc; i++)
        if (!label_name_is_plain(out->labels.v[i].name))
            rc = err_set(err, ERR_INVALID,
                         "invalid label set: invalid name \"" STR_FMT "\"",
                         STR_ARG(out->labels.v[i].name));
    return rc;
}

/* Those that are right are taken, also when others are not. */
static enum errc post_alerts(struct api_call *c, struct err *err)
{
    struct json_node *list;
    struct arena arena;

    arena_init(&arena, TREE_MAX);
    enum errc rc = v2_body(c, &arena, &list, err);
    if (!rc && !json_is(list, JSON_ARRAY))
        rc = err_set(err, ERR_INVALID, "a list of alerts is due");
    for (const struct json_node *n = rc ? NULL : list->first; n; n = n->next) {
        struct incoming in;
        struct err *first = rc ? NULL : err;
        enum errc one = v2_take_alert(n, &arena, &in, first);
        if (!one)
            one = notify_alert(c->control->notify, &in, first);
        rc = rc ? rc : one;
    }
    arena_fini(&arena);
    return rc;
}

void api_v2_post_alerts(struct http_request *r)
{
    api_run_plain(r, "application/json", post_alerts);
}

/* ---- status ------------------------------------------------------------- */

static void look_status(void *ctx, struct dispatch *d, int64_t now)
{
    struct api_call *c = ctx;
    struct buf *b = http_out(c->r);

    (void)now;
    buf_puts(b, "{\"cluster\":{\"peers\":[],\"status\":\"disabled\"}");
    buf_put_field(b, ",\"config\":{\"original\":",
                  d->config ? d->config->c.original : STR(""));
    v2_put_time(b, "},\"uptime\":", c->control->started_ms);
    buf_puts(b, ",\"versionInfo\":{\"branch\":\"\",\"buildDate\":\"\","
                "\"buildUser\":\"\",\"goVersion\":\"\",\"revision\":\"\","
                "\"version\":\"" STOKER_VERSION "\"}}\n");
}

static enum errc get_status(struct api_call *c, struct err *err)
{
    (void)err;
    notify_look(c->control->notify, look_status, c);
    return ERR_OK;
}

void api_v2_status(struct http_request *r)
{
    api_run_plain(r, "application/json", get_status);
}

static void look_receivers(void *ctx, struct dispatch *d, int64_t now)
{
    struct buf *b = ctx;

    (void)now;
    buf_putc(b, '[');
    for (size_t i = 0; d->config && i < d->config->c.n_receivers; i++) {
        buf_put_field(b, i ? ",{\"name\":" : "{\"name\":",
                      d->config->c.receivers[i].name);
        buf_putc(b, '}');
    }
    buf_puts(b, "]\n");
}

static enum errc get_receivers(struct api_call *c, struct err *err)
{
    (void)err;
    notify_look(c->control->notify, look_receivers, http_out(c->r));
    return ERR_OK;
}

void api_v2_receivers(struct http_request *r)
{
    api_run_plain(r, "application/json", get_receivers);
}

/* ---- a test ------------------------------------------------------------- */

struct test_answer {
    struct buf *out;
    size_t n;
};

static void put_tested(void *ctx, const struct tested *t)
{
    struct test_answer *a = ctx;

    buf_puts(a->out, a->n++ ? "," : "");
    buf_put_field(a->out, "{\"receiver\":", t->receiver);
    buf_printf(a->out, ",\"type\":\"%s\",\"index\":%u,\"delivered\":%s",
               t->type, t->index, t->rc ? "false" : "true");
    buf_put_field(a->out, ",\"error\":", str_from_cstr(t->why));
    buf_putc(a->out, '}');
}

static enum errc test_alert(struct api_call *c, struct err *err)
{
    struct test_answer answer = {.out = http_out(c->r)};
    struct incoming in;
    struct json_node *n;
    struct arena arena;

    arena_init(&arena, TREE_MAX);
    enum errc rc = v2_body(c, &arena, &n, err);
    if (!rc)
        rc = v2_take_alert(n, &arena, &in, err);
    buf_putc(answer.out, '[');
    if (!rc)
        rc = notify_test(c->control->notify, &in, put_tested, &answer, err);
    buf_putc(answer.out, ']');
    arena_fini(&arena);
    return rc;
}

void api_test_alert(struct http_request *r)
{
    api_run(r, test_alert);
}
