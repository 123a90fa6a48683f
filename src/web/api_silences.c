/* api_silences.c - silences, as Alertmanager's API has them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sort.h"
#include "notify/time_text.h"
#include "web/api_v2.h"

enum { TREE_MAX = 16 << 20 };

static void put_matcher(struct buf *b, const struct matcher *m)
{
    bool equal = m->op == MATCH_EQUAL || m->op == MATCH_REGEX;
    bool regex = m->op == MATCH_REGEX || m->op == MATCH_NOT_REGEX;

    buf_printf(b, "{\"isEqual\":%s,\"isRegex\":%s", equal ? "true" : "false",
               regex ? "true" : "false");
    buf_put_field(b, ",\"name\":", m->name);
    buf_put_field(b, ",\"value\":", m->value);
    buf_putc(b, '}');
}

static void put_silence(struct buf *b, const struct silence *s, int64_t now)
{
    buf_printf(b, "{\"id\":\"%s\",\"status\":{\"state\":\"%s\"}", s->id,
               silence_state_text(silence_state(s, now)));
    v2_put_time(b, ",\"updatedAt\":", s->updated_at);
    buf_put_field(b, ",\"comment\":", s->comment);
    buf_put_field(b, ",\"createdBy\":", s->by);
    v2_put_time(b, ",\"endsAt\":", s->ends_at);
    buf_puts(b, ",\"matchers\":[");
    for (size_t i = 0; i < s->matchers.n; i++) {
        buf_puts(b, i ? "," : "");
        put_matcher(b, &s->matchers.v[i]);
    }
    v2_put_time(b, "],\"startsAt\":", s->starts_at);
    buf_putc(b, '}');
}

/* ---- listing ------------------------------------------------------------ */

struct listing {
    struct buf *out;
    struct matchers filter;
    struct str id; /* that one alone */
    bool found;
    struct arena arena;
};

/* A filter matches a silence by its matchers, as if they were labels. */
static bool is_wanted(struct listing *l, const struct silence *s)
{
    for (size_t i = 0; i < l->filter.n; i++) {
        const struct matcher *f = &l->filter.v[i];
        bool found = false;
        for (size_t k = 0; k < s->matchers.n && !found; k++)
            found = str_eq(s->matchers.v[k].name, f->name) &&
                    matcher_test(f, s->matchers.v[k].value) == REGEX_YES;
        if (!found)
            return false;
    }
    return true;
}

struct entry {
    const struct silence *s;
    enum silence_state state;
};

/* Active ones first, the one that ends next before others; then those to come;
 * then those that are over, the last one first. */
static int by_urgency(const void *a, const void *b)
{
    static const int order[] = {1, 0, 2}; /* of pending, active, expired */
    const struct entry *x = a, *y = b;
    int64_t p = x->s->ends_at, q = y->s->ends_at;

    if (x->state != y->state)
        return order[x->state] - order[y->state];
    if (x->state == SILENCE_PENDING) {
        p = x->s->starts_at;
        q = y->s->starts_at;
    }
    int rising = p < q ? -1 : p > q;
    return x->state == SILENCE_EXPIRED ? -rising : rising;
}

static void look(void *ctx, struct dispatch *d, int64_t now)
{
    struct listing *l = ctx;
    struct entry *v = arena_new(&l->arena, struct entry, d->silences.n + 1);
    size_t n = 0;

    for (size_t i = 0; v && i < d->silences.n; i++)
        if (is_wanted(l, d->silences.v[i]))
            v[n++] = (struct entry){d->silences.v[i],
                                    silence_state(d->silences.v[i], now)};
    if (v)
        sort_items(v, n, sizeof(*v), by_urgency);
    buf_putc(l->out, '[');
    for (size_t i = 0; i < n; i++) {
        buf_puts(l->out, i ? "," : "");
        put_silence(l->out, v[i].s, now);
    }
    buf_puts(l->out, "]\n");
}

static enum errc get_silences(struct api_call *c, struct err *err)
{
    struct listing l = {.out = http_out(c->r)};

    arena_init(&l.arena, TREE_MAX);
    enum errc rc = v2_filter(&c->params, &l.filter, &l.arena, err);
    if (!rc)
        notify_look(c->control->notify, look, &l);
    matchers_fini(&l.filter);
    arena_fini(&l.arena);
    return rc;
}

void api_v2_silences(struct http_request *r)
{
    api_run_plain(r, "application/json", get_silences);
}

static void look_one(void *ctx, struct dispatch *d, int64_t now)
{
    struct listing *l = ctx;
    const struct silence *s = silences_find(&d->silences, l->id);

    l->found = s != NULL;
    if (s)
        put_silence(l->out, s, now);
    buf_putc(l->out, '\n');
}

static enum errc get_silence(struct api_call *c, struct err *err)
{
    struct listing l = {.out = http_out(c->r), .id = c->r->match.params[0]};

    notify_look(c->control->notify, look_one, &l);
    return l.found ? ERR_OK : err_set(err, ERR_NOT_FOUND, "silence not found");
}

void api_v2_silence(struct http_request *r)
{
    api_run_plain(r, "application/json", get_silence);
}

/* ---- changing ----------------------------------------------------------- */

static enum errc take_matchers(const struct json_node *list,
                               struct matchers *out, struct arena *a,
                               struct err *err)
{
    enum errc rc = ERR_OK;

    for (const struct json_node *n = json_is(list, JSON_ARRAY) ? list->first
                                                               : NULL;
         n && !rc; n = n->next) {
        bool regex = json_bool_or(json_get(n, "isRegex"), false);
        bool equal = json_bool_or(json_get(n, "isEqual"), true);
        enum match_op op = regex ? (equal ? MATCH_REGEX : MATCH_NOT_REGEX)
                                 : (equal ? MATCH_EQUAL : MATCH_NOT_EQUAL);
        struct str name = json_str_or(json_get(n, "name"), "");
        if (!label_name_is_plain(name))
            rc = err_set(err, ERR_INVALID,
                         "silence invalid: invalid label matcher: invalid "
                         "label name \"" STR_FMT "\"",
                         STR_ARG(name));
        else
            rc = matchers_add(out, op, name,
                              json_str_or(json_get(n, "value"), ""), a, err);
    }
    return rc;
}

/* Who, why and how long are not optional. */
static enum errc check_silence(const struct json_node *n, struct err *err)
{
    static const char *const needed[] = {"comment", "createdBy", "endsAt",
                                         "matchers", "startsAt"};

    for (size_t i = 0; i < COUNT(needed); i++)
        if (!json_get(n, needed[i]))
            return err_set(err, ERR_INVALID, "%s in body is required",
                           needed[i]);
    return ERR_OK;
}

static enum errc take_silence(const struct json_node *n, struct arena *a,
                              struct new_silence *out, struct err *err)
{
    *out = (struct new_silence){.id = json_str_or(json_get(n, "id"), ""),
                                .by = json_str_or(json_get(n, "createdBy"), ""),
                                .comment =
                                    json_str_or(json_get(n, "comment"), "")};
    enum errc rc = check_silence(n, err);
    if (!rc)
        rc = take_matchers(json_get(n, "matchers"), &out->matchers, a, err);
    if (!rc)
        rc = v2_take_time(json_get(n, "startsAt"), "startsAt", &out->starts_at,
                          err);
    if (!rc)
        rc = v2_take_time(json_get(n, "endsAt"), "endsAt", &out->ends_at, err);
    return rc;
}

static enum errc post_silence(struct api_call *c, struct err *err)
{
    struct new_silence silence = {.id = STR("")};
    char id[SILENCE_ID];
    struct json_node *n;
    struct arena arena;

    arena_init(&arena, TREE_MAX);
    enum errc rc = v2_body(c, &arena, &n, err);
    if (!rc)
        rc = take_silence(n, &arena, &silence, err);
    if (!rc)
        rc = notify_silence(c->control->notify, &silence, id, err);
    if (!rc)
        buf_printf(http_out(c->r), "{\"silenceID\":\"%s\"}\n", id);
    matchers_fini(&silence.matchers);
    arena_fini(&arena);
    return rc;
}

void api_v2_post_silence(struct http_request *r)
{
    api_run_plain(r, "application/json", post_silence);
}

static enum errc expire(struct api_call *c, struct err *err)
{
    return notify_expire(c->control->notify, c->r->match.params[0], err);
}

void api_v2_expire(struct http_request *r)
{
    api_run_plain(r, "application/json", expire);
}
