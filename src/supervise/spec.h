/* spec.h - what a person wants of a service or a job, as stoker.yaml says it.
 *
 * Lists of words have FLAG_SEPARATOR's 0x1f between them. Durations are in
 * nanoseconds, sizes in bytes. NULL: not said.
 */
#ifndef SUPERVISE_SPEC_H
#define SUPERVISE_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

enum { SPEC_SEPARATOR = '\x1f' };

/* How a process is started. */
struct process_spec {
    const char *command;     /* words */
    const char *directory;   /* where it runs */
    const char *user;        /* a name; also its groups */
    const char *environment; /* NAME=VALUE ... */
    const char *environment_file;
    const char *cpus; /* "1.5" processors; NULL: all */
    int64_t memory;   /* bytes; 0: no limit */
    int64_t tasks;    /* threads and processes; 0: no limit */
};

struct service_spec {
    struct process_spec process;
    const char *after; /* services that are to be ready before, with commas */

    /* Ready when all that is said holds; at once when nothing is. */
    const char *ready_http, *ready_tcp, *ready_file;
    bool ready_notify; /* sd_notify(3): READY=1 */
    int64_t ready_timeout;

    const char *health_http, *health_tcp;
    int64_t health_every, health_timeout, health_failures;

    const char *restart; /* always, on-failure, never */
    int64_t delay, delay_max;
    int64_t limit;              /* restarts in an hour; 0: no limit */
    const char *success_status; /* with commas; 0 is always one */

    const char *stop_signal;
    int64_t stop_timeout;
    bool outlives; /* goes on when Stoker is killed; the next one takes it */
};

struct job_spec {
    struct process_spec process;
    const char *at;       /* see schedule/when.h */
    const char *timezone; /* "Europe/Berlin"; NULL: the machine's */
    int64_t jitter, timeout;
    bool no_catch_up; /* a missed run stays missed */
};

/* Of what services and jobs write. */
struct rotate_spec {
    const char *directory;
    int64_t size;  /* a new file when it is larger */
    int64_t every; /* and when it is older; 0: never */
    int64_t keep;  /* files beside the present one */
    bool no_compress;
};

/* The same settings? */
bool spec_equal(const struct service_spec *a, const struct service_spec *b);

/* Its texts are copied into the arena. False: no memory. */
bool spec_keep(struct service_spec *s, struct arena *a);

#endif
