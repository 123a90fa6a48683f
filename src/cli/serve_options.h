/* serve_options.h - the options of `serve`, for the commands that start a
 * server: serve itself, predict and bench on a model file. */
#ifndef CLI_SERVE_OPTIONS_H
#define CLI_SERVE_OPTIONS_H

#include "cli/command.h"
#include "daemon/master.h"

struct serve_options {
    const char *host, *device, *log_level, *access_log, *repository, *ort,
        *ignored, *history, *rules, *notify, *logs_to, *backups, *config;
    int64_t http_port, grpc_port, monitor_port, monitor_interval, threads,
        max_batch, max_delay, queue, timeout, max_body, lame_duck, drain,
        header_timeout, body_timeout, idle_timeout, write_timeout;
    struct import_hints hints;
    bool no_history, no_monitor, insecure, fixed_loops, monitor_port_given,
        ignored_flag;
};

extern const struct flag serve_flags[];

/* From the options to what the daemon takes. */
void serve_daemon_options(const struct serve_options *o,
                          const struct flag_args *args,
                          struct daemon_options *out);

#endif
