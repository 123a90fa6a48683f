/* delivery.c - a message to an integration, as a copy of its own: it may take
 * long, and alerts change meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "notify/dispatch.h"

enum { DELIVERY_BYTES_MAX = 64 << 20, TIMEOUT_MS = 10000 };

struct config_held *config_hold(struct config_held *c)
{
    c->users++;
    return c;
}

void config_release(struct config_held *c)
{
    if (!c || --c->users)
        return;
    notify_config_fini(&c->c);
    free(c);
}

void delivery_free(struct delivery *v)
{
    if (!v)
        return;
    config_release(v->config);
    arena_fini(&v->n.arena);
    free(v);
}

static bool copy_alert(struct notification *n, const struct active_alert *a,
                       bool ended)
{
    struct notified_alert *to = &n->alerts[n->n];
    const char *url = arena_cstr(&n->arena, a->generator_url);

    *to = (struct notified_alert){.labels = labels_copy(&n->arena, a->labels),
                                  .annotations =
                                      labels_copy(&n->arena, a->annotations),
                                  .starts_at = a->starts_at,
                                  .ends_at = ended ? a->ends_at : 0,
                                  .generator_url = {url, a->generator_url.n},
                                  .fingerprint = a->hash};
    n->n++;
    n->n_firing += !ended;
    return to->labels.v && to->annotations.v && url;
}

/* The hashes of all; in the message those that it is to tell of, those that
 * hold first, each in the order of their labels. */
static bool copy_alerts(struct delivery *v, struct active_alert *const *alerts,
                        size_t n, int64_t now)
{
    struct notification *to = &v->n;
    bool ok = true;

    to->alerts = arena_new(&to->arena, struct notified_alert, n + 1);
    v->firing = arena_new(&to->arena, uint64_t, n + 1);
    v->resolved = arena_new(&to->arena, uint64_t, n + 1);
    if (!to->alerts || !v->firing || !v->resolved)
        return false;
    for (int ended = 0; ended < 2; ended++)
        for (size_t i = 0; i < n && ok; i++) {
            if (active_ended(alerts[i], now) != (ended == 1))
                continue;
            if (ended)
                v->resolved[v->n_resolved++] = alerts[i]->hash;
            else
                v->firing[v->n_firing++] = alerts[i]->hash;
            if (!ended || to->how->send_resolved)
                ok = copy_alert(to, alerts[i], ended);
        }
    sort_items(v->firing, v->n_firing, sizeof(*v->firing), sort_u64);
    sort_items(v->resolved, v->n_resolved, sizeof(*v->resolved), sort_u64);
    return ok;
}

struct delivery *delivery_new(struct dispatch *d, const struct integration *how,
                              struct labels group_labels, struct str group_key,
                              struct active_alert *const *alerts, size_t n,
                              int64_t now)
{
    struct delivery *v = calloc(1, sizeof(*v));

    if (!v)
        return NULL;
    struct notification *to = &v->n;
    arena_init(&to->arena, DELIVERY_BYTES_MAX);
    const char *key = arena_cstr(&to->arena, group_key);
    v->config = config_hold(d->config);
    to->how = how;
    to->templates = &d->config->c.templates;
    to->external_url = d->external_url;
    to->group_labels = labels_copy(&to->arena, group_labels);
    to->group_key = (struct str){key, group_key.n};
    to->timeout_ms = TIMEOUT_MS;
    to->now = now;
    if (!key || !to->group_labels.v || !copy_alerts(v, alerts, n, now) ||
        !notification_finish(to)) {
        delivery_free(v);
        return NULL;
    }
    return v;
}
