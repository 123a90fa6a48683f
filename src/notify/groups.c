#include "notify/groups.h"

#include <stdlib.h>

enum { GROUP_BYTES_MAX = 4 << 20 };

struct flushed {
    struct active_alert *alert;
    int64_t updated_at;
};

void group_free(struct alert_group *g)
{
    for (size_t i = 0; i < g->n; i++)
        g->v[i]->groups--;
    free(g->v);
    free(g->seen);
    arena_fini(&g->arena);
    free(g);
}

struct labels route_labels(const struct route *r, struct labels l,
                           struct arena *a)
{
    return r->group_by_all
               ? labels_copy(a, l)
               : labels_pick(a, l, r->group_by.v, r->group_by.n, true);
}

/* {}/{a="b"}:{alertname="X"} */
static bool name_group(struct alert_group *g)
{
    struct buf b;

    buf_init(&b, GROUP_BYTES_MAX);
    buf_put(&b, g->route->key);
    buf_puts(&b, ":{");
    for (size_t i = 0; i < g->labels.n; i++) {
        buf_puts(&b, i ? ", " : "");
        label_print(&b, g->labels.v[i]);
    }
    buf_putc(&b, '}');
    const char *copy = b.failed ? NULL : arena_cstr(&g->arena, buf_str(&b));
    g->key = (struct str){copy, b.n};
    buf_fini(&b);
    return copy != NULL;
}

static struct alert_group *make_group(struct alert_group **all,
                                      const struct route *r, struct labels l,
                                      int64_t now)
{
    struct alert_group *g = calloc(1, sizeof(*g));

    if (!g)
        return NULL;
    arena_init(&g->arena, GROUP_BYTES_MAX);
    g->route = r;
    g->labels = labels_copy(&g->arena, l);
    g->hash = labels_hash(l);
    g->due = now + r->group_wait;
    if (!g->labels.v || !name_group(g)) {
        group_free(g);
        return NULL;
    }
    g->next = *all;
    *all = g;
    return g;
}

struct alert_group *group_of(struct alert_group **all, const struct route *r,
                             struct labels l, int64_t now)
{
    uint64_t hash = labels_hash(l);

    for (struct alert_group *g = *all; g; g = g->next)
        if (g->route == r && g->hash == hash && labels_eq(g->labels, l))
            return g;
    return make_group(all, r, l, now);
}

bool group_add(struct alert_group *g, struct active_alert *a)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->v[i] == a)
            return true;
    if (g->n == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 4;
        struct active_alert **v =
            realloc(g->v, cap * sizeof(struct active_alert *));
        if (!v)
            return false;
        g->v = v;
        g->cap = cap;
    }
    g->v[g->n++] = a;
    a->groups++;
    return true;
}

bool group_note_seen(struct alert_group *g)
{
    free(g->seen);
    g->seen = calloc(g->n + 1, sizeof(*g->seen));
    g->n_seen = g->seen ? g->n : 0;
    for (size_t i = 0; i < g->n_seen; i++)
        g->seen[i] = (struct flushed){g->v[i], g->v[i]->updated_at};
    return g->seen != NULL;
}

void group_forget_ended(struct alert_group *g, int64_t now)
{
    for (size_t i = 0; i < g->n_seen; i++) {
        for (size_t k = 0; k < g->n; k++) {
            if (g->v[k] != g->seen[i].alert || !active_ended(g->v[k], now) ||
                g->v[k]->updated_at != g->seen[i].updated_at)
                continue;
            g->v[k]->groups--;
            g->v[k] = g->v[--g->n];
            break;
        }
    }
    g->n_seen = 0;
}
