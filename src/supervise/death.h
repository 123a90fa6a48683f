/* death.h - how a process ended, and why. */
#ifndef SUPERVISE_DEATH_H
#define SUPERVISE_DEATH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

enum death_cause {
    DEATH_ITSELF,    /* it exited, or something outside killed it */
    DEATH_OOM,       /* the kernel, for lack of memory */
    DEATH_STOPPED,   /* a person asked for it */
    DEATH_REPLACED,  /* by a newer one: restart, or new settings */
    DEATH_NOT_READY, /* its time to become ready was over */
    DEATH_UNHEALTHY, /* it did not answer any more */
    DEATH_NO_START,  /* it could not be started at all */
};

struct death {
    int64_t at_ns; /* since 1970 */
    int64_t lived_ms;
    pid_t pid;
    enum death_cause cause;
    bool known;          /* the status is */
    int status;          /* as of wait(2) */
    int64_t settings_ms; /* since new settings came into force; -1: none did */
    char detail[256];    /* what could not be started, and the like */
};

/* How the line begins that is written into the log of a service when a process
 * of it has ended: its name, and the pid. */
#define DEATH_NOTE "stoker: %s (pid %d) ended: "

const char *death_cause_name(enum death_cause c);
bool death_cause_parse(struct str name, enum death_cause *out);

/* "exit status 3", "signal SIGSEGV, core dumped" */
void death_text(const struct death *d, char *out, size_t max);

/* A line of JSON, with its end. */
void death_put(const struct death *d, const char *unit, struct buf *out);

/* The newest death of that unit in the lines; false: there is none. */
bool death_find(struct str lines, const char *unit, struct death *out);

#endif
