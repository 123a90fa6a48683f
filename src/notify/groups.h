/* groups.h - alerts of a route that are told together.
 *
 * Times are ms since 1970. Not thread safe.
 */
#ifndef NOTIFY_GROUPS_H
#define NOTIFY_GROUPS_H

#include "notify/active.h"
#include "notify/config.h"

struct alert_group {
    struct alert_group *next;
    struct arena arena; /* of labels and key */
    const struct route *route;
    struct labels labels;
    struct str key; /* {}/{a="b"}:{alertname="X"} */
    uint64_t hash;
    struct active_alert **v;
    size_t n, cap;
    int64_t due;
    bool flushed, failed;
    unsigned pending; /* deliveries */
    struct flushed *seen;
    size_t n_seen;
};

/* The group of these labels; a new one, due after group_wait, is put into
 * *all. NULL: out of memory. */
struct alert_group *group_of(struct alert_group **all, const struct route *r,
                             struct labels l, int64_t now);
void group_free(struct alert_group *g);

/* The labels that a route groups by, in the arena. */
struct labels route_labels(const struct route *r, struct labels l,
                           struct arena *a);

/* False: out of memory. */
bool group_add(struct alert_group *g, struct active_alert *a);

/* Remembers what a flush sees; and, when everybody has been told of it,
 * forgets what was over then, unless it came again. */
bool group_note_seen(struct alert_group *g);
void group_forget_ended(struct alert_group *g, int64_t now);

#endif
