#include "notify/active.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 64, ALERT_BYTES_MAX = 4 << 20 };

void active_init(struct active *a)
{
    *a = (struct active){.n = 0};
}

static void alert_free(struct active_alert *alert)
{
    arena_fini(&alert->arena);
    free(alert);
}

void active_fini(struct active *a)
{
    for (size_t i = 0; i < a->n_buckets; i++)
        for (struct active_alert *p = a->buckets[i], *next; p; p = next) {
            next = p->next;
            alert_free(p);
        }
    free(a->buckets);
    active_init(a);
}

static bool grow(struct active *a)
{
    size_t n = a->n_buckets ? a->n_buckets * 2 : FIRST_BUCKETS;
    struct active_alert **v = calloc(n, sizeof(struct active_alert *));

    if (!v)
        return false;
    for (size_t i = 0; i < a->n_buckets; i++)
        for (struct active_alert *p = a->buckets[i], *next; p; p = next) {
            next = p->next;
            p->next = v[p->hash & (n - 1)];
            v[p->hash & (n - 1)] = p;
        }
    free(a->buckets);
    a->buckets = v;
    a->n_buckets = n;
    return true;
}

static struct active_alert *find(const struct active *a, uint64_t hash,
                                 struct labels labels)
{
    struct active_alert *p =
        a->n_buckets ? a->buckets[hash & (a->n_buckets - 1)] : NULL;

    while (p && (p->hash != hash || !labels_eq(p->labels, labels)))
        p = p->next;
    return p;
}

/* The texts of what comes in, in place of those it had. */
static bool take_texts(struct active_alert *alert, const struct incoming *in)
{
    struct arena arena;

    arena_init(&arena, ALERT_BYTES_MAX);
    struct labels labels = labels_copy(&arena, in->labels);
    struct labels annotations = labels_copy(&arena, in->annotations);
    const char *url = arena_cstr(&arena, in->generator_url);
    if (!labels.v || !annotations.v || !url) {
        arena_fini(&arena);
        return false;
    }
    arena_fini(&alert->arena);
    alert->arena = arena;
    alert->labels = labels;
    alert->annotations = annotations;
    alert->generator_url = (struct str){url, in->generator_url.n};
    return true;
}

/* As Alertmanager does: what goes on keeps its beginning, and ends when the
 * last word says so. */
static void merge(struct active_alert *alert, int64_t starts, int64_t ends,
                  bool guessed, int64_t now)
{
    bool overlaps = starts <= alert->ends_at && ends >= alert->starts_at;

    if (overlaps && alert->starts_at < starts)
        starts = alert->starts_at;
    if (overlaps && ends > now && guessed && !alert->timed_out &&
        alert->ends_at > ends)
        ends = alert->ends_at;
    alert->starts_at = starts;
    alert->ends_at = ends;
    alert->timed_out = guessed;
}

struct active_alert *active_put(struct active *a, const struct incoming *in,
                                int64_t now, int64_t resolve_ms)
{
    uint64_t hash = labels_hash(in->labels);
    struct active_alert *alert = find(a, hash, in->labels);
    bool guessed = in->ends_at == 0;
    int64_t ends = guessed ? now + resolve_ms : in->ends_at;
    int64_t starts = in->starts_at       ? in->starts_at
                     : guessed           ? now
                     : in->ends_at < now ? in->ends_at
                                         : now;

    if (alert) {
        if (!take_texts(alert, in))
            return NULL;
        merge(alert, starts, ends, guessed, now);
        alert->updated_at = now;
        return alert;
    }
    if (a->n >= a->n_buckets && !grow(a))
        return NULL;
    alert = calloc(1, sizeof(*alert));
    if (!alert || !take_texts(alert, in)) {
        free(alert);
        return NULL;
    }
    alert->hash = hash;
    alert->starts_at = starts;
    alert->ends_at = ends;
    alert->timed_out = guessed;
    alert->updated_at = now;
    alert->next = a->buckets[hash & (a->n_buckets - 1)];
    a->buckets[hash & (a->n_buckets - 1)] = alert;
    a->n++;
    return alert;
}

void active_each(const struct active *a,
                 void (*each)(void *ctx, struct active_alert *alert), void *ctx)
{
    for (size_t i = 0; i < a->n_buckets; i++)
        for (struct active_alert *p = a->buckets[i]; p; p = p->next)
            each(ctx, p);
}

void active_forget(struct active *a, int64_t before)
{
    for (size_t i = 0; i < a->n_buckets; i++) {
        struct active_alert **link = &a->buckets[i];
        while (*link) {
            struct active_alert *p = *link;
            if (p->ends_at >= before || p->groups) {
                link = &p->next;
                continue;
            }
            *link = p->next;
            alert_free(p);
            a->n--;
        }
    }
}
