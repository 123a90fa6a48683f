/* active.h - the alerts that hold, or ended lately, by their labels.
 *
 * Times are ms since 1970. Not thread safe.
 */
#ifndef NOTIFY_ACTIVE_H
#define NOTIFY_ACTIVE_H

#include "base/arena.h"
#include "base/err.h"
#include "series/labels.h"

struct active_alert {
    struct arena arena;        /* of its texts */
    struct active_alert *next; /* of the same bucket */
    uint64_t hash;
    struct labels labels, annotations;
    struct str generator_url;
    int64_t starts_at, ends_at, updated_at;
    bool timed_out;  /* nobody said when it ends: ends_at is a guess */
    unsigned groups; /* that have it */
};

struct active {
    struct active_alert **buckets;
    size_t n_buckets, n;
};

/* What comes in; borrowed. */
struct incoming {
    struct labels labels, annotations;
    struct str generator_url;
    int64_t starts_at, ends_at; /* 0: not said */
};

void active_init(struct active *a);
void active_fini(struct active *a);

/* Puts it in, or into the one with these labels. resolve_ms: how long one that
 * has no end is believed. NULL: out of memory. */
struct active_alert *active_put(struct active *a, const struct incoming *in,
                                int64_t now, int64_t resolve_ms);

static inline bool active_ended(const struct active_alert *a, int64_t now)
{
    return a->ends_at <= now;
}

void active_each(const struct active *a,
                 void (*each)(void *ctx, struct active_alert *alert),
                 void *ctx);

/* Frees those that ended before, and that no group has. */
void active_forget(struct active *a, int64_t before);

#endif
