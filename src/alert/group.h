/* group.h - a group of rules while it is evaluated again and again, and the
 * alerts it has.
 *
 *              for is over               gone (and keep_firing_for over)
 *     PENDING -------------> FIRING ------------------------------------+
 *        |  gone                ^                                       v
 *        +------> (forgotten)   +--- never: it comes back as a    RESOLVED
 *                                    new alert, pending              |  15
 * minutes
 *                                                                    v
 *                                                               (forgotten)
 *
 * Semantics of Prometheus:
 * https://github.com/prometheus/compliance/blob/main/alert_generator/specification.md
 *
 * Times are ms since 1970 and given by the caller: a test has its own clock.
 *
 * Threads: group_eval() by one at a time; what the lock covers is read by any.
 */
#ifndef ALERT_GROUP_H
#define ALERT_GROUP_H

#include <pthread.h>

#include "alert/rules.h"
#include "tsdb/tsdb.h"

enum alert_state { ALERT_PENDING, ALERT_FIRING, ALERT_RESOLVED };

struct alert {
    struct arena arena;
    uint64_t hash; /* of the labels */
    struct labels labels, annotations;
    enum alert_state state;
    double value;
    int64_t active_at;
    int64_t fired_at, resolved_at, sent_at, keep_since; /* 0: not */
    bool seen; /* in the evaluation that goes on */
};

enum rule_health { RULE_UNKNOWN, RULE_OK, RULE_ERROR };

struct rule_run {
    const struct rule *rule;
    struct alert **alerts;
    size_t n, cap;
    uint32_t *series; /* it wrote the last time, rising */
    size_t n_series;
    enum rule_health health;
    char error[300];
    int64_t last_ms; /* of the last evaluation */
    double seconds;  /* that it took */
};

struct group {
    const struct rule_group *how;
    int64_t interval, offset; /* ms: how often, and of what time before */
    struct rule_run *runs;
    pthread_mutex_t lock; /* of the runs and of what follows */
    int64_t last_ms;
    double seconds;
    uint64_t missed; /* evaluations that were due and did not take place */
};

struct rule_env {
    struct tsdb *db;
    struct labels external;
    struct str external_url;
    int64_t resend_ms; /* a firing alert is told again after; 0: a minute */
    int64_t timeout_ms;
    int64_t lookback; /* 0: five minutes */
};

MUST_CHECK enum errc group_init(struct group *g, const struct rule_group *how,
                                int64_t usual_interval, int64_t usual_offset,
                                struct err *err);
void group_fini(struct group *g);

/* Ends the series that its rules wrote and that no other group took over. */
void group_end_series(struct group *g, struct tsdb *db, int64_t now);

/* Evaluates every rule at this moment, one after the other: later ones see
 * what earlier ones wrote. Mistakes are kept in the runs. */
void group_eval(struct group *g, const struct rule_env *env, int64_t now);

/* Calls each() for every alert that is to be told (firing or resolved), with
 * the moment until which it holds, and notes that it was. */
void group_send(struct group *g, const struct rule_env *env, int64_t now,
                void (*each)(void *ctx, const struct rule *rule,
                             const struct alert *a, int64_t until),
                void *ctx);

/* ---- alerts of a rule: alerts.c ----------------------------------------- */

/* Takes the result of the rule's expression. ERR_INVALID: two elements give the
 * same alert, and nothing has changed; ERR_LIMIT: there are more than the
 * group allows, and none are left. The caller holds the lock. */
MUST_CHECK enum errc alerts_take(struct rule_run *run,
                                 const struct promql_result *result,
                                 const struct rule_env *env, int64_t now,
                                 uint64_t limit, struct err *err);

/* An alert as it was kept; the run copies the labels. NULL: out of memory. */
struct alert *alerts_restore(struct rule_run *run, struct labels labels,
                             struct labels annotations);
void alert_free(struct alert *a);

#endif
