#include "notify/dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"

enum {
    GROUP_BYTES_MAX = 4 << 20,
    CLEAN_MS = 60000,
    ENDED_KEPT_MS = 30 * 60000, /* for the API, and for what comes again */
    LEAST_DEADLINE_MS = 10000,
    FIRST_PAUSE_MS = 1000,
    LONGEST_PAUSE_MS = 60000,
    BUSY_PAUSE_MS = 500,
    IDLE_MS = 60000
};

/* Messages that an integration may have: one more every minute/per_minute, at
 * most per_minute at once. */
struct rate {
    const struct integration *how;
    double left;
    int64_t at;
};

static void say(struct dispatch *d, bool bad, const char *event,
                const char *text)
{
    if (d->say)
        d->say(d->ctx, bad, event, text);
}

static struct dispatch_stats *stats_of(struct dispatch *d,
                                       const struct integration *how)
{
    return &d->stats[how->type - integration_types];
}

/* ---- placing alerts ----------------------------------------------------- */

struct placing {
    struct dispatch *d;
    struct active_alert *alert;
    int64_t now;
    bool failed;
};

static void place(void *ctx, const struct route *r)
{
    struct placing *p = ctx;
    struct arena arena;

    arena_init(&arena, GROUP_BYTES_MAX);
    struct labels l = route_labels(r, p->alert->labels, &arena);
    if (!l.n)
        l = labels_none();
    struct alert_group *g = l.v ? group_of(&p->d->groups, r, l, p->now) : NULL;
    if (!g || !group_add(g, p->alert))
        p->failed = true;
    /* What began long ago, before a restart, does not wait again. */
    else if (!g->flushed && p->alert->starts_at + r->group_wait < p->now)
        g->due = p->now;
    arena_fini(&arena);
}

enum errc dispatch_alert(struct dispatch *d, const struct incoming *in,
                         int64_t now, struct err *err)
{
    enum { RESOLVE_MS = 5 * 60000 };
    struct active_alert *a = active_put(
        &d->active, in, now,
        d->config ? d->config->c.global.resolve_timeout : RESOLVE_MS);
    struct placing p = {.d = d, .alert = a, .now = now};

    if (a && d->config)
        route_match(d->config->c.root, a->labels, place, &p);
    return a && !p.failed ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
}

static void place_again(void *ctx, struct active_alert *a)
{
    struct placing *p = ctx;

    p->alert = a;
    route_match(p->d->config->c.root, a->labels, place, p);
}

static void abandon(struct dispatch *d, struct alert_group *g)
{
    struct delivery **link = &d->deliveries;

    while (*link) {
        struct delivery *v = *link;
        if (v->group != g) {
            link = &v->next;
        } else if (v->running) {
            v->group = NULL;
            link = &v->next;
        } else {
            *link = v->next;
            delivery_free(v);
        }
    }
    g->pending = 0;
}

static void drop_groups(struct dispatch *d)
{
    while (d->groups) {
        struct alert_group *g = d->groups;
        d->groups = g->next;
        abandon(d, g);
        group_free(g);
    }
}

void dispatch_configure(struct dispatch *d, struct config_held *config,
                        int64_t now)
{
    struct placing p = {.d = d, .now = now};

    drop_groups(d);
    config_release(d->config);
    d->config = config;
    free(d->rates);
    d->rates = NULL;
    d->n_rates = 0;
    if (config)
        active_each(&d->active, place_again, &p);
}

/* ---- is there news? ----------------------------------------------------- */

static bool is_subset(const uint64_t *a, size_t n, const uint64_t *b, size_t m)
{
    for (size_t i = 0; i < n; i++)
        if (!bsearch(&a[i], b, m, sizeof(*b), sort_u64))
            return false;
    return true;
}

static bool is_news(const struct told_record *t, const struct delivery *v,
                    int64_t now)
{
    if (!is_subset(v->firing, v->n_firing, t->firing, t->n_firing))
        return true;
    if (v->n_firing == 0)
        return t->n_firing > 0;
    if (v->n.how->send_resolved &&
        !is_subset(v->resolved, v->n_resolved, t->resolved, t->n_resolved))
        return true;
    return t->at < now - v->repeat_ms;
}

/* {}:{...}:receiver/type/0 */
static bool name_delivery(struct delivery *v)
{
    const struct integration *how = v->n.how;
    struct buf b;

    buf_init(&b, GROUP_BYTES_MAX);
    buf_printf(&b, STR_FMT ":" STR_FMT "/%s/%u", STR_ARG(v->n.group_key),
               STR_ARG(how->receiver->name), how->type->name, how->index);
    const char *copy = b.failed ? NULL : arena_cstr(&v->n.arena, buf_str(&b));
    v->key = (struct str){copy, b.n};
    buf_fini(&b);
    return copy != NULL;
}

static bool is_wanted(struct dispatch *d, const struct delivery *v, int64_t now)
{
    struct told_record told;
    enum errc rc = notify_store_told(d->store, v->key, &told, NULL);
    bool wanted = rc ? v->n_firing > 0 : is_news(&told, v, now);

    told_record_fini(&told);
    return wanted;
}

/* What it was told counts also when there was nothing to send to it. */
static void note_told(struct dispatch *d, const struct delivery *v, int64_t now)
{
    const struct told_record t = {.at = now,
                                  .firing = v->firing,
                                  .resolved = v->resolved,
                                  .n_firing = v->n_firing,
                                  .n_resolved = v->n_resolved};
    enum { LEAST_KEPT_MS = 5 * 24 * 3600 * 1000 };
    int64_t kept = 2 * v->repeat_ms;
    struct err err;

    kept = kept < LEAST_KEPT_MS ? LEAST_KEPT_MS : kept;
    if (notify_store_tell(d->store, v->key, &t, now + kept, &err))
        say(d, true, "notify.state_failed", err.msg);
}

/* ---- a flush ------------------------------------------------------------ */

static void start_delivery(struct dispatch *d, struct alert_group *g,
                           const struct integration *how,
                           struct active_alert *const *alerts, size_t n,
                           int64_t now)
{
    int64_t room = g->route->group_interval;
    struct delivery *v =
        delivery_new(d, how, g->labels, g->key, alerts, n, now);

    if (!v || !name_delivery(v)) {
        delivery_free(v);
        g->failed = true;
        say(d, true, "notify.failed", "out of memory");
        return;
    }
    v->repeat_ms = g->route->repeat_interval;
    if (!is_wanted(d, v, now)) {
        delivery_free(v);
        return;
    }
    if (v->n.n == 0) { /* all is over, and it does not want to know */
        note_told(d, v, now);
        delivery_free(v);
        return;
    }
    v->group = g;
    v->next_try = now;
    v->deadline = now + (room < LEAST_DEADLINE_MS ? LEAST_DEADLINE_MS : room);
    g->pending++;
    struct delivery **link = &d->deliveries;
    while (*link)
        link = &(*link)->next;
    *link = v;
}

/* Those of the group that somebody is to be told of; what ended is over for
 * good only when it is still so at the end. */
static size_t pick(struct dispatch *d, struct alert_group *g,
                   struct active_alert **out, int64_t now)
{
    size_t n = 0, at;

    for (size_t i = 0; i < g->n; i++) {
        at = 0;
        if (!dispatch_inhibitor(d, g->v[i]->labels, now) &&
            !silences_match(&d->silences, g->v[i]->labels, now, &at))
            out[n++] = g->v[i];
    }
    return n;
}

static int by_labels(const void *a, const void *b)
{
    const struct active_alert *x = *(struct active_alert *const *)a;
    const struct active_alert *y = *(struct active_alert *const *)b;

    return labels_compare(x->labels, y->labels);
}

static bool any_running(const struct dispatch *d, const struct alert_group *g)
{
    for (const struct delivery *v = d->deliveries; v; v = v->next)
        if (v->group == g && v->running)
            return true;
    return false;
}

static void flush(struct dispatch *d, struct alert_group *g, int64_t now)
{
    struct active_alert **alerts;

    if (any_running(d, g)) {
        g->due = now + BUSY_PAUSE_MS;
        return;
    }
    abandon(d, g);
    g->due = now + g->route->group_interval;
    g->flushed = true;
    g->failed = false;
    alerts = calloc(g->n + 1, sizeof(struct active_alert *));
    if (!alerts || !group_note_seen(g)) {
        free(alerts);
        return;
    }
    size_t n = dispatch_is_out_of_hours(&d->config->c, g->route, now)
                   ? 0
                   : pick(d, g, alerts, now);
    sort_items(alerts, n, sizeof(struct active_alert *), by_labels);
    for (size_t i = 0; n && i < g->route->receiver->n; i++)
        start_delivery(d, g, &g->route->receiver->v[i], alerts, n, now);
    free(alerts);
    if (!g->pending && !g->failed)
        group_forget_ended(g, now);
}

static void clean(struct dispatch *d, int64_t now)
{
    if (now < d->cleaned_at + CLEAN_MS)
        return;
    d->cleaned_at = now;
    notify_store_forget(d->store, now);
    silences_forget(&d->silences, now);
    active_forget(&d->active, now - ENDED_KEPT_MS);
}

int64_t dispatch_step(struct dispatch *d, int64_t now)
{
    struct alert_group **link = &d->groups;
    int64_t next = now + IDLE_MS;

    while (*link) {
        struct alert_group *g = *link;
        if (g->due <= now)
            flush(d, g, now);
        if (g->n == 0 && g->pending == 0) {
            *link = g->next;
            group_free(g);
            continue;
        }
        next = g->due < next ? g->due : next;
        link = &g->next;
    }
    for (const struct delivery *v = d->deliveries; v; v = v->next)
        if (!v->running && v->next_try < next)
            next = v->next_try;
    clean(d, now);
    return next;
}

/* ---- deliveries --------------------------------------------------------- */

static struct rate *rate_of(struct dispatch *d, const struct integration *how,
                            int64_t now)
{
    for (size_t i = 0; i < d->n_rates; i++)
        if (d->rates[i].how == how)
            return &d->rates[i];
    struct rate *v = realloc(d->rates, (d->n_rates + 1) * sizeof(*v));
    if (!v)
        return NULL;
    d->rates = v;
    v[d->n_rates] = (struct rate){how, (double)how->per_minute, now};
    return &v[d->n_rates++];
}

/* 0: it may go now; else ms to wait. */
static int64_t rate_wait(struct dispatch *d, const struct integration *how,
                         int64_t now)
{
    struct rate *r = how->per_minute ? rate_of(d, how, now) : NULL;
    double per_ms = (double)how->per_minute / 60000;

    if (!r)
        return 0;
    r->left += (double)(now - r->at) * per_ms;
    if (r->left > (double)how->per_minute)
        r->left = (double)how->per_minute;
    r->at = now;
    if (r->left < 1)
        return (int64_t)((1 - r->left) / per_ms) + 1;
    r->left--;
    return 0;
}

struct delivery *dispatch_take(struct dispatch *d, int64_t now)
{
    for (struct delivery *v = d->deliveries; v; v = v->next) {
        if (v->running || v->next_try > now)
            continue;
        int64_t wait = rate_wait(d, v->n.how, now);
        if (wait == 0) {
            v->running = true;
            v->tries++;
            v->n.now = now;
            return v;
        }
        stats_of(d, v->n.how)->limited++;
        v->next_try = now + wait;
    }
    return NULL;
}

static void unlink_delivery(struct dispatch *d, struct delivery *v)
{
    struct delivery **link = &d->deliveries;

    while (*link != v)
        link = &(*link)->next;
    *link = v->next;
}

static void end_delivery(struct dispatch *d, struct delivery *v, bool ok,
                         int64_t now)
{
    struct alert_group *g = v->group;

    unlink_delivery(d, v);
    delivery_free(v);
    if (!g)
        return;
    g->pending--;
    g->failed = g->failed || !ok;
    if (!g->pending && !g->failed)
        group_forget_ended(g, now);
}

enum { FAILURE_MAX = 600 };

static void describe_failure(const struct delivery *v, const char *why,
                             char out[FAILURE_MAX])
{
    (void)snprintf(out, FAILURE_MAX, "%.100s/%s of %.100s: %.300s",
                   v->n.how->receiver->name.p, v->n.how->type->name,
                   v->n.group_key.p, why);
}

void dispatch_done(struct dispatch *d, struct delivery *v, enum errc rc,
                   const struct told *told, const char *why, int64_t now)
{
    int64_t pause = FIRST_PAUSE_MS;
    char text[FAILURE_MAX];

    v->running = false;
    if (!rc) {
        stats_of(d, v->n.how)->sent++;
        note_told(d, v, now);
        end_delivery(d, v, true, now);
        return;
    }
    describe_failure(v, why, text);
    for (unsigned i = 1; i < v->tries && pause < LONGEST_PAUSE_MS; i++)
        pause *= 2;
    pause = pause > LONGEST_PAUSE_MS ? LONGEST_PAUSE_MS : pause;
    pause = pause < told->after_ms ? told->after_ms : pause;
    if (told->again && v->group && now + pause < v->deadline) {
        if (v->tries == 1)
            say(d, true, "notify.retrying", text);
        v->next_try = now + pause;
        return;
    }
    stats_of(d, v->n.how)->failed++;
    say(d, true, "notify.failed", text);
    end_delivery(d, v, false, now);
}

/* ---- making and ending -------------------------------------------------- */

enum errc dispatch_init(struct dispatch *d, struct notify_store *store,
                        struct str external_url, struct err *err)
{
    *d = (struct dispatch){.store = store, .external_url = external_url};
    active_init(&d->active);
    d->stats = calloc(n_integration_types, sizeof(*d->stats));
    if (!d->stats)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = silences_init(&d->silences, store, err);
    if (rc)
        free(d->stats);
    return rc;
}

void dispatch_fini(struct dispatch *d)
{
    drop_groups(d);
    while (d->deliveries) {
        struct delivery *v = d->deliveries;
        d->deliveries = v->next;
        delivery_free(v);
    }
    config_release(d->config);
    silences_fini(&d->silences);
    active_fini(&d->active);
    free(d->rates);
    free(d->stats);
}
