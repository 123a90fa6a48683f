/* master.h - the process that stays: opens the sockets, keeps the serving
 * process, the monitor and the services of stoker.yaml running, and passes
 * signals on. It never loads a model and never reads a byte from the network,
 * so that nothing can crash it.
 */
#ifndef DAEMON_MASTER_H
#define DAEMON_MASTER_H

#include "serve/service.h"
#include "supervise/logger.h"

/* What the monitor gets from its master. */
struct monitor_beside {
    int fd;        /* listening */
    int logs_fd;   /* where the lines of all processes come from (log_tee) */
    unsigned port; /* of the service */
    void (*ready)(void *ctx); /* to be called when it answers */
    void *ready_ctx;
};

struct daemon_service {
    const char *name;
    struct service_spec spec;
};

struct daemon_options {
    bool no_service; /* there are no models: the monitor and services alone */
    struct service_options service;
    const char *host;
    uint16_t http_port; /* 0: the system chooses */
    const char *monitor_host;
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

    const struct daemon_service *services;
    size_t n_services;
    struct rotate_spec logs; /* of the services */
    const char *folder;      /* that they run in */
};

/* How new settings differ from those in force. */
struct daemon_change {
    bool serve, monitor;
    char listen[512]; /* names of what only a restart can change; "": nothing */
};

/* What stays the same as long as the master lives. */
struct master_options {
    char **argv; /* of main(): overwritten by the process's title */
    int argc;
    char *const *args;   /* the same, as they were, with a NULL at the end */
    struct logger *log;  /* that our own lines go to; NULL: none */
    bool show;           /* output of services on standard error, too */
    const char *control; /* directory of its socket and state; NULL: none */

    /* Reads the settings again. The new ones are the caller's, until
     * release(). NULL: there is nothing to be read. */
    enum errc (*again)(void *ctx, const struct daemon_options *now,
                       const struct daemon_options **out,
                       struct daemon_change *change, struct err *err);
    void (*release)(void *ctx, const struct daemon_options *options);
    void *ctx;
};

/* Runs until a signal ends it. Returns the error of a failed start. */
MUST_CHECK enum errc master_run(const struct master_options *master,
                                const struct daemon_options *options,
                                struct err *err);

#endif
