/* master.h - the process that stays: opens the sockets, starts the serving
 * process and the monitor, restarts them when they die, passes signals on. It
 * never loads a model and never reads a byte from the network, so that nothing
 * can crash it.
 */
#ifndef DAEMON_MASTER_H
#define DAEMON_MASTER_H

#include "serve/service.h"

/* What the monitor gets from its master. */
struct monitor_beside {
    int fd;        /* listening */
    int logs_fd;   /* where the lines of all processes come from (log_tee) */
    unsigned port; /* of the service */
    void (*ready)(void *ctx); /* to be called when it answers */
    void *ready_ctx;
};

struct daemon_options {
    struct service_options service;
    const char *host;
    uint16_t http_port; /* 0: the system chooses */
    uint16_t monitor_port;
    /* The monitor's work, in a process of its own. Returns when it is to end.
     * NULL: there is no monitor. */
    enum errc (*run_monitor)(const void *ctx,
                             const struct monitor_beside *beside,
                             struct err *err);
    const void *monitor_ctx;
    bool monitor_port_given; /* then it must be free */
    bool insecure;
    int64_t lame_duck_ns;
    int64_t drain_ns;
    char **argv; /* of main(): overwritten by the process's title */
    int argc;
};

/* Runs until a signal ends it. Returns the error of a failed start. */
MUST_CHECK enum errc master_run(const struct daemon_options *options,
                                struct err *err);

#endif
