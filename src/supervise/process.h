/* process.h - a command becomes a process, and all that came from it is found
 * and ended.
 *
 * Threads: one. */
#ifndef SUPERVISE_PROCESS_H
#define SUPERVISE_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "supervise/spec.h"

/* In the environment of each process of a unit: who it belongs to, also when
 * it went its own way. */
#define PROCESS_MARK "STOKER_UNIT"

enum { MARK_MAX = 128 };

struct process_start {
    const struct process_spec *spec;
    const char *folder;       /* where it runs when the spec does not say */
    const char *mark;         /* value of PROCESS_MARK */
    const char *const *extra; /* NAME=VALUE ..., NULL at the end; may be NULL */
    int output;               /* standard output and error; -1: as ours */
    int cgroup;               /* its cgroup.procs, open; -1: ours */
    bool outlives;            /* does not end when we are killed */
};

/* In a session of its own, with standard input empty, and no signal blocked or
 * ignored. ERR_NOT_FOUND and others: it could not be started, and why. */
MUST_CHECK enum errc process_start(const struct process_start *p, pid_t *out,
                                   struct err *err);

/* When the process began, in the kernel's ticks since boot: with the pid, a
 * name that nobody else gets. 0: it is gone. */
uint64_t process_began(pid_t pid);

/* Sends the signal to the processes of that mark, and to those of the sessions
 * and children of `main` (0: none), but not to ourselves; returns how many
 * there were. Those that began before `since` (see process_began(); 0: none
 * did) are not looked at: they are older than what is sought. */
unsigned process_tree(const char *mark, pid_t main, uint64_t since, int sig);

#endif
