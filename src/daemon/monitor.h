/* monitor.h - the monitor as a process of its own: `stoker monitor`. */
#ifndef DAEMON_MONITOR_H
#define DAEMON_MONITOR_H

#include "collect/backups.h"
#include "web/control.h"

struct monitor_options {
    struct control_options control;
    const char *host;
    uint16_t port; /* 0: the system chooses */
    int fd;        /* if not 0: a listening socket, in place of the port */
    int logs_fd;   /* where lines come from, see base/log.h; 0: its own */
    void (*ready)(void *ctx); /* called when it answers; may be NULL */
    void *ready_ctx;
    bool insecure;              /* may be reached from other machines */
    struct backup_dirs backups; /* whose age is a metric */
    bool no_host;               /* nor this machine's */
    int64_t doctor_ms;          /* how often the doctor looks; 0: never */
    bool no_gpu;                /* nor its GPUs' */
    bool exporter;              /* the GPUs' on a port of their own */
    uint16_t exporter_port;
    bool no_self; /* its own metrics are not among the targets */
};

/* Runs until SIGTERM or SIGINT. Returns the error of a failed start. */
MUST_CHECK enum errc monitor_run(const struct monitor_options *options,
                                 struct err *err);

#endif
