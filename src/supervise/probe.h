/* probe.h - does a service answer? Asked by a process of its own for each
 * question, which ends by itself: bytes of others are not read here.
 *
 * Threads: one. */
#ifndef SUPERVISE_PROBE_H
#define SUPERVISE_PROBE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct probe {
    pid_t pid;       /* 0: none is under way */
    int64_t next_ns; /* of the next question, monotonic */
};

/* Asks by GET, of which 200 to 399 is well, or by connecting to HOST:PORT;
 * either may be NULL. */
MUST_CHECK enum errc probe_start(struct probe *p, const char *http,
                                 const char *tcp, int timeout_ms,
                                 struct err *err);
void probe_cancel(struct probe *p);

#endif
