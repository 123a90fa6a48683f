/* monitor_start.h - from the options of `monitor` to a monitor that runs: for
 * that command, and for serve, whose monitor stands beside the service. */
#ifndef CLI_MONITOR_START_H
#define CLI_MONITOR_START_H

#include "cli/command.h"
#include "daemon/master.h"
#include "daemon/monitor.h"

struct monitor_flags {
    const char *host, *log_level;
    int64_t port, interval, timeout, query_timeout, doctor;
    const char *data, *rules, *external_url, *external_labels, *alertmanager;
    const char *config, *notify, *remote_write, *logs, *logs_to, *backups,
        *scrape;
    int64_t logs_queue;
    bool take_remote;
    int64_t evaluation;
    int64_t retention, retention_size, out_of_order;
    int64_t exporter_port;
    bool no_history, no_built_in, no_self, no_host, no_gpu, exporter, insecure;
};

extern const struct flag monitor_flags_table[];

/* Cuts [JOB=]URL... apart, behind the *n targets that are there; a URL alone
 * has the job "stoker". Changes list, which the targets keep. */
void scrape_targets(char *list, const char *separator,
                    struct scrape_target *targets, size_t max, size_t *n);

/* Runs until a signal ends it. beside: NULL, or the service beside which it
 * stands: then the first target's metrics are handed on. */
MUST_CHECK enum errc monitor_start(const struct monitor_flags *o,
                                   const struct scrape_target *targets,
                                   size_t n,
                                   const struct monitor_beside *beside,
                                   struct err *err);

#endif
