/* dispatch.h - which group of alerts is told to whom, and when: Alertmanager's
 * rules, without threads and with the caller's clock.
 *
 *     alert --routes--> groups --group_wait, group_interval--> flush
 *       flush: without what is inhibited, silenced, out of hours
 *              --> per integration: is there news? --> delivery
 *
 * An integration is told when something fires that it does not know of, when
 * all it knew of is over, when (send_resolved) something more is over, and
 * again after repeat_interval. What could not be delivered is tried again
 * until the next flush of the group, which begins anew; a group forgets what
 * is over only when everybody has been told.
 *
 * Times are ms since 1970. Not thread safe.
 */
#ifndef NOTIFY_DISPATCH_H
#define NOTIFY_DISPATCH_H

#include "notify/groups.h"
#include "notify/send.h"
#include "notify/silences.h"

/* A configuration, as long as a delivery or the dispatch needs it. */
struct config_held {
    struct notify_config c;
    unsigned users;
};

struct config_held *config_hold(struct config_held *c);
void config_release(struct config_held *c);

/* A message on its way to an integration. */
struct delivery {
    struct delivery *next;
    struct notification n;
    struct config_held *config;
    struct alert_group *group;   /* NULL: it is not waited for any more */
    struct str key;              /* of what it was told, in n's arena */
    uint64_t *firing, *resolved; /* hashes, rising */
    size_t n_firing, n_resolved;
    int64_t repeat_ms;
    unsigned tries;
    bool running;
    int64_t next_try, deadline;
};

struct dispatch_stats {
    uint64_t sent, failed, limited; /* messages: delivered; given up; held back
                                       for a while by per_minute */
};

struct dispatch {
    struct config_held *config; /* NULL: nobody is told */
    struct active active;
    struct silences silences;
    struct notify_store *store;
    struct str external_url;
    struct alert_group *groups;
    struct delivery *deliveries;
    struct rate *rates;
    size_t n_rates;
    int64_t cleaned_at;
    struct dispatch_stats *stats; /* per type of integration */
    void (*say)(void *ctx, bool bad, const char *event, const char *text);
    void *ctx;
};

/* Zeroes *d but for what is given. */
MUST_CHECK enum errc dispatch_init(struct dispatch *d,
                                   struct notify_store *store,
                                   struct str external_url, struct err *err);
void dispatch_fini(struct dispatch *d);

/* Takes the configuration over. Groups are formed anew from the alerts there
 * are; what was told stays known. */
void dispatch_configure(struct dispatch *d, struct config_held *config,
                        int64_t now);

/* ERR_NOMEM. */
MUST_CHECK enum errc dispatch_alert(struct dispatch *d,
                                    const struct incoming *in, int64_t now,
                                    struct err *err);

/* Flushes groups that are due; returns when to be called again. */
int64_t dispatch_step(struct dispatch *d, int64_t now);

/* The next delivery that may begin, now marked as running; NULL: none. */
struct delivery *dispatch_take(struct dispatch *d, int64_t now);

/* What came of it; frees it, or lets it wait for another try. */
void dispatch_done(struct dispatch *d, struct delivery *v, enum errc rc,
                   const struct told *told, const char *why, int64_t now);

/* ---- mute.c ------------------------------------------------------------- */

/* The alert that inhibits this one; NULL: none. */
const struct active_alert *dispatch_inhibitor(const struct dispatch *d,
                                              struct labels l, int64_t now);

/* True when the route's time intervals say that nobody is told now. */
bool dispatch_is_out_of_hours(const struct notify_config *c,
                              const struct route *r, int64_t now);

/* A notification of these alerts for an integration; *v is to be given to
 * delivery_free(). NULL: out of memory. */
struct delivery *delivery_new(struct dispatch *d, const struct integration *how,
                              struct labels group_labels, struct str group_key,
                              struct active_alert *const *alerts, size_t n,
                              int64_t now);
void delivery_free(struct delivery *v);

#endif
