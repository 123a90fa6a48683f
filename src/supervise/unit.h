/* unit.h - one thing that is kept running: a service of stoker.yaml, or one of
 * Stoker's own processes.
 *
 *             +---------------------------------------------+
 *             v                                             | delay over
 *   WAITING --> STARTING --ready--> READY --death--> BACKOFF
 *      ^            |                 |                |
 *      | wanted     | not in time     | not wanted     | over the limit
 *      |            v                 v                v
 *   STOPPED <---------------------- STOPPING         FAILED, or DONE when it
 *                                                    ended well, and is not to
 *                                                    be restarted
 *
 * A unit may have several processes for a while: the new one of a replacement,
 * and old ones that finish their work.
 *
 * Threads: the supervisor's, one.
 */
#ifndef SUPERVISE_UNIT_H
#define SUPERVISE_UNIT_H

#include "base/arena.h"
#include "io/loop.h"
#include "supervise/death.h"
#include "supervise/logger.h"
#include "supervise/probe.h"
#include "supervise/process.h"

struct supervisor;
struct unit;

enum unit_state {
    UNIT_STOPPED,
    UNIT_WAITING, /* for those in `after` */
    UNIT_STARTING,
    UNIT_READY,
    UNIT_STOPPING,
    UNIT_BACKOFF,
    UNIT_FAILED,
    UNIT_DONE,
};

/* A process of ours: it is forked, and reports once, in a struct unit_report,
 * that it is ready, or why it cannot be. */
struct unit_own {
    /* In the new process; does not return. NULL: a service. replaces: it is to
     * be by the newest settings, whose process is tried beside the old one. */
    void (*become)(void *ctx, bool replaces, int report_fd);
    void *ctx;
    bool overlaps; /* a new one is ready before the old one ends */
};

struct unit_report {
    enum errc rc; /* ERR_OK: ready */
    char msg[512];
};

enum run_phase { RUN_NONE, RUN_STARTING, RUN_READY, RUN_ENDING };

enum { UNIT_RUNS = 4, UNIT_NAME_MAX = 65 };

/* One process. */
struct run {
    struct unit *unit;
    enum run_phase phase;
    pid_t pid;
    uint64_t began; /* see process_began() */
    struct watch report,
        gone; /* .fd < 0: not watched; gone: of an adopted one */
    bool replaces;
    enum death_cause asked;                    /* when ENDING */
    int64_t started_ns, ready_ns, deadline_ns; /* monotonic */
    uint64_t oom_kills;                        /* when it started */
};

struct unit {
    struct supervisor *supervisor;
    struct unit *next;
    struct arena arena; /* of the spec's texts */
    char name[UNIT_NAME_MAX], mark[MARK_MAX];
    struct service_spec spec;
    struct unit_own own;

    bool wanted;  /* it is to run */
    bool replace; /* by a new process */
    bool removed; /* it goes when its processes have gone */
    enum unit_state state;
    struct run runs[UNIT_RUNS];
    bool ever_ready;

    int64_t delay_ns, next_start_ns;
    unsigned deaths;   /* in a row, without a stable life between */
    uint64_t restarts; /* in all */
    int64_t hour_ns; /* when the hour began of which the restarts are counted */
    int64_t in_hour;

    struct probe ready, health;
    bool answers;   /* to the question whether it is ready */
    bool unclean;   /* an earlier process may have left others ... */
    uint64_t since; /* ... that began then, or later */
    int64_t health_failures;
    struct watch notify; /* .fd < 0: none */
    bool said_ready;
    char notify_name[64], status[128]; /* what it says of itself */
    enum errc said_rc;                 /* of a process of our own ... */
    char said[512];                    /* ... that cannot be ready */

    struct logger logger;
    struct death last; /* at_ns 0: none */
};

/* Does all that is due: starts, asks, ends, kills. */
void unit_step(struct unit *u, int64_t now);

/* A process of it has ended; false: it is none of its. */
bool unit_reaped(struct unit *u, pid_t pid, int status);

/* Ends its processes, for that reason. */
void unit_end(struct unit *u, enum death_cause why);

/* All at once, without mercy; does not wait. */
void unit_kill(struct unit *u);

/* One of its processes is to end, for that reason. */
void run_end(struct unit *u, struct run *r, enum death_cause why, int64_t now);

/* An adopted one has gone. */
void unit_adopted_gone(struct unit *u, struct run *r);

/* That counts as a death. */
void unit_failed_to_start(struct unit *u, struct run *r, const struct err *why,
                          int64_t now);

bool unit_is_up(const struct unit *u);  /* it has a process */
bool unit_is_own(const struct unit *u); /* it is none of stoker.yaml's */
/* The one that makes its state: ready, else starting, else ending; NULL. */
const struct run *unit_main(const struct unit *u);
const char *unit_state_name(enum unit_state s);

/* ---- unit_start.c ---------------------------------------------------------
 */

/* A new process in a free place; false: it could not be, which was a death. */
bool unit_start(struct unit *u, bool replaces, int64_t now);

/* A process that an earlier master started: pid, began, phase, asked and times
 * of it are given. child: it is a child of ours. Nothing when it has gone. */
void unit_adopt(struct unit *u, const struct run *was, bool child);

/* The socket that its notify_name names; < 3: none. */
void unit_take_notify(struct unit *u, int fd);

/* Is what it needs to be ready there? Called again and again. */
void unit_look_ready(struct unit *u, struct run *r, int64_t now);
void unit_became_ready(struct unit *u, struct run *r, int64_t now);
void run_close(struct run *r); /* its watches */

#endif
