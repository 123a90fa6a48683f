/* supervisor.h - units that are kept running, in one process and one thread,
 * which reads nothing but the states of processes.
 *
 * Threads: all from one. */
#ifndef SUPERVISE_SUPERVISOR_H
#define SUPERVISE_SUPERVISOR_H

#include "supervise/cgroup.h"
#include "supervise/unit.h"

enum unit_event {
    UNIT_STARTED, /* a process is there */
    UNIT_IS_READY,
    UNIT_DIED,  /* unasked; it is restarted, or not: see its state */
    UNIT_ENDED, /* as it was asked to */
    UNIT_GAVE_UP,
    UNIT_REFUSED, /* the process of a replacement is not ready: the old one
                     goes on */
    UNIT_TROUBLE, /* anything else that a person should know */
};

struct supervisor_options {
    const char *folder; /* where services run */
    const char *id;     /* of this supervisor: part of marks; kept */
    struct rotate_spec logs;
    bool show;    /* output of services on our standard error, too */
    bool cgroups; /* use them */
    void (*told)(void *ctx, struct unit *u, enum unit_event e,
                 const char *text);
    void (*step)(void *ctx, int64_t now); /* behind all units; may be NULL */
    void (*signal)(void *ctx, int signal);
    void (*reaped)(void *ctx, pid_t pid, int status); /* of no unit */
    void *ctx;
};

struct supervisor {
    struct supervisor_options options;
    struct loop loop;
    struct watch signals;
    struct unit *units, **tail; /* in the order in which they were added */
    struct cgroups cgroups;
};

/* Signals of the process are read from here on. */
MUST_CHECK enum errc supervisor_init(struct supervisor *s,
                                     const struct supervisor_options *o,
                                     struct err *err);
void supervisor_fini(struct supervisor *s);

/* A unit that is wanted from the start. Texts of the spec are copied. */
MUST_CHECK enum errc supervisor_add(struct supervisor *s, const char *name,
                                    const struct service_spec *spec,
                                    const struct unit_own *own,
                                    struct unit **out, struct err *err);

/* It is ended, and then dropped. */
void supervisor_remove(struct supervisor *s, struct unit *u);
void supervisor_drop(struct supervisor *s, struct unit *u); /* at once */

struct unit *supervisor_find(const struct supervisor *s, const char *name);

/* Is everything that the unit waits for ready? */
bool supervisor_is_due(const struct supervisor *s, const struct unit *u);

/* Does one that is up wait for it? Then it ends later. */
bool supervisor_is_needed(const struct supervisor *s, const struct unit *u);

/* Until supervisor_end(). */
void supervisor_run(struct supervisor *s);
void supervisor_end(struct supervisor *s);

/* In a process that was forked: what belongs to the supervisor is closed. */
void supervisor_leave(struct supervisor *s);

void supervisor_tell(struct supervisor *s, struct unit *u, enum unit_event e,
                     const char *text);

#endif
