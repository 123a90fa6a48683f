/* engine.h - groups of rules, each evaluated when it is due, and told on.
 *
 * A group is due every interval, at an offset of its own within it, so that
 * the load is spread and the same after a restart. What an alert's state is,
 * and since when, is kept in a file (engine_db.c): a restart, and a reload of
 * the rules, changes nothing for rules that are the same.
 *
 * Threads: a scheduler and a few that evaluate; engine_each(), engine_reload()
 * from any.
 */
#ifndef ALERT_ENGINE_H
#define ALERT_ENGINE_H

#include "alert/group.h"

/* An alert as it is told: with the external labels. Valid during the call. */
struct engine_alert {
    struct labels labels, annotations;
    struct str source; /* URL of its expression */
    int64_t starts_at;
    int64_t ends_at; /* when it ended, or how long it holds unless told again */
};

struct engine_options {
    const char *const *files; /* patterns as of a shell */
    size_t n_files;
    struct str built_in;      /* rules that are always there; empty: none */
    const char *state;        /* file of the alerts; NULL: in memory only */
    int64_t interval, offset; /* ms, of groups that say nothing */
    struct rule_env env;
    const char *const *alertmanagers; /* URLs */
    size_t n_alertmanagers;
    /* Changes the labels of an alert that is told (the arena's, or as they
     * were); false: nobody is told of it. May be NULL. From any thread. */
    bool (*relabel)(void *teller, struct labels *labels, struct arena *a);
    /* Gets what Alertmanagers get; may be NULL. From any thread. */
    void (*tell)(void *teller, const struct engine_alert *a);
    void *teller;
    /* Told what happens, from any thread; event as in log.h. */
    void (*say)(void *ctx, bool bad, const char *event, const char *text);
    void *ctx;
};

struct engine;

/* ERR_INVALID: a mistake in a rule file. Texts of the options are kept as they
 * are and must live as long. */
MUST_CHECK enum errc engine_new(const struct engine_options *options,
                                struct engine **out, struct err *err);
MUST_CHECK enum errc engine_start(struct engine *e, struct err *err);
void engine_free(struct engine *e); /* NULL is fine */

/* Reads the files anew. After a mistake everything is as before. */
MUST_CHECK enum errc engine_reload(struct engine *e, struct err *err);

/* The same with other files, whose names must live as long. */
MUST_CHECK enum errc engine_reload_files(struct engine *e,
                                         const char *const *files, size_t n,
                                         struct err *err);

/* Calls each() for every group, whose lock is held. */
void engine_each(struct engine *e, void (*each)(void *ctx, struct group *g),
                 void *ctx);

struct engine_stats {
    uint64_t evaluations, failures, missed;
    uint64_t sent, dropped, errors; /* notifications */
};

void engine_stats(struct engine *e, struct engine_stats *out);

/* ---- engine_db.c: what alerts are kept as ------------------------------- */

struct alert_db;

MUST_CHECK enum errc alert_db_open(const char *path, struct alert_db **out,
                                   struct err *err);
void alert_db_close(struct alert_db *db); /* NULL is fine */

/* In place of what was kept of the group. Any thread. */
MUST_CHECK enum errc alert_db_save(struct alert_db *db, const struct group *g,
                                   struct err *err);

/* Into a group that has none yet. */
MUST_CHECK enum errc alert_db_load(struct alert_db *db, struct group *g,
                                   struct err *err);

/* Equal for rules that are the same, in a group. False: out of memory. */
bool rule_key(const struct rule *rule, struct buf *out);

#endif
