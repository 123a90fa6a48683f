/* cgroup.h - limits for all processes of a unit together, and their end, by
 * cgroup v2 (Documentation/admin-guide/cgroup-v2.rst of the kernel) where this
 * process may make groups of its own.
 *
 *   the group we were started in/
 *     stoker-ID-self/     the master and its own processes
 *     stoker-ID-NAME/     a service
 *
 * Threads: one. */
#ifndef SUPERVISE_CGROUP_H
#define SUPERVISE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "supervise/spec.h"

enum { CGROUP_PATH_MAX = 4096 };

struct cgroups {
    char path[CGROUP_PATH_MAX]; /* "": there are none */
    char id[48];                /* of the master, so that two do not meet */
    bool limits;                /* memory, cpu and pids can be limited */
    char why[256];              /* if not */
};

/* Finds out what can be done. */
void cgroups_open(struct cgroups *g, const char *id);

/* Back to where we were, and the groups that are empty are gone. */
void cgroups_close(struct cgroups *g);

/* Makes the group of that name, with the limits; *fd is its cgroup.procs, to be
 * closed. -1: there are no groups. ERR_UNAVAIL: limits are wanted, and cannot
 * be set. */
MUST_CHECK enum errc cgroup_make(const struct cgroups *g, const char *name,
                                 const struct process_spec *spec, int *fd,
                                 struct err *err);

/* Ends all that is in the group. */
void cgroup_kill(const struct cgroups *g, const char *name);

/* How often a process of it was ended for lack of memory. */
uint64_t cgroup_oom_kills(const struct cgroups *g, const char *name);

/* Bytes in use; -1: not known. */
int64_t cgroup_memory(const struct cgroups *g, const char *name);

void cgroup_remove(const struct cgroups *g, const char *name);

#endif
