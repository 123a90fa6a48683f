#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "cli/config/checks.h"
#include "cli/monitor_start.h"

enum {
    MS = 1000000,
    SECOND = 1000000000,
    TARGETS_MAX = 250,
    LIST_BYTES_MAX = 1 << 20
};

#define AT(field) offsetof(struct monitor_flags, field)
#define DAY       INT64_C(86400000000000)

/* clang-format off */
const struct flag monitor_flags_table[] = {
    {"host",          0, FLAG_TEXT,     AT(host),      "127.0.0.1", 0, 0, 0, TEXT_OPT_HOST, false, 0, NULL},
    {"port",        'p', FLAG_INT,      AT(port),      "8002", 0, 65535, 0, TEXT_OPT_CONTROL_PORT, false, 0, NULL},
    {"interval",      0, FLAG_DURATION, AT(interval),  "15s", 100 * MS, DAY, SECOND, TEXT_OPT_SCRAPE_INTERVAL, false, 0, NULL},
    {"timeout",       0, FLAG_DURATION, AT(timeout),   "10s", MS, DAY, SECOND, TEXT_OPT_SCRAPE_TIMEOUT, false, 0, NULL},
    {"no-self",       0, FLAG_BOOL,     AT(no_self),   NULL, 0, 0, 0, TEXT_OPT_NO_SELF, false, 0, NULL},
    {"no-host",       0, FLAG_BOOL,     AT(no_host),   NULL, 0, 0, 0, TEXT_OPT_NO_HOST, false, 0, NULL},
    {"doctor-interval", 0, FLAG_DURATION, AT(doctor),  "4m", 0, DAY, SECOND, TEXT_OPT_DOCTOR_INTERVAL, false, 0, NULL},
    {"no-gpu",        0, FLAG_BOOL,     AT(no_gpu),    NULL, 0, 0, 0, TEXT_OPT_NO_GPU, false, 0, NULL},
    {"exporter",      0, FLAG_BOOL,     AT(exporter),  NULL, 0, 0, 0, TEXT_OPT_EXPORTER, false, 0, NULL},
    {"exporter-port", 0, FLAG_INT,      AT(exporter_port), "9400", 0, 65535, 0, TEXT_OPT_EXPORTER_PORT, false, 0, NULL},
    {"query-timeout", 0, FLAG_DURATION, AT(query_timeout), "2m", MS, DAY, SECOND, TEXT_OPT_QUERY_TIMEOUT, false, 0, NULL},
    {"data",        'd', FLAG_DIR,     AT(data),      NULL, 0, 0, 0, TEXT_OPT_HISTORY_DIR, false, 0, NULL},
    {"retention",     0, FLAG_DURATION, AT(retention), "15d", 0, 3650 * DAY, DAY, TEXT_OPT_RETENTION, false, 0, NULL},
    {"retention-size", 0, FLAG_SIZE,    AT(retention_size), "0", 0, INT64_MAX, 0, TEXT_OPT_RETENTION_SIZE, false, 0, NULL},
    {"out-of-order",  0, FLAG_DURATION, AT(out_of_order), "0s", 0, DAY, SECOND, TEXT_OPT_OUT_OF_ORDER, false, 0, NULL},
    {"no-history",    0, FLAG_BOOL,     AT(no_history), NULL, 0, 0, 0, TEXT_OPT_NO_HISTORY, false, 0, NULL},
    {"scrape",        0, FLAG_LIST,     AT(scrape),    NULL, 0, 0, 0, TEXT_OPT_SCRAPE, false, 0, NULL},
    {"config",      'c', FLAG_FILE,     AT(config),    NULL, 0, 0, 0, TEXT_OPT_CONFIG, false, 0, NULL},
    {"remote-write",  0, FLAG_LIST,     AT(remote_write), NULL, 0, 0, 0, TEXT_OPT_REMOTE_WRITE, false, 0, NULL},
    {"remote-write-receiver", 0, FLAG_BOOL, AT(take_remote), NULL, 0, 0, 0, TEXT_OPT_TAKE_REMOTE, false, 0, NULL},
    {"logs",          0, FLAG_FILES,     AT(logs),      NULL, 0, 0, 0, TEXT_OPT_LOGS, false, 0, NULL},
    {"logs-to",       0, FLAG_TEXT,     AT(logs_to),   NULL, 0, 0, 0, TEXT_OPT_LOGS_TO, false, 0, NULL},
    {"logs-queue-size", 0, FLAG_SIZE,   AT(logs_queue), "256MiB", 4 << 20, INT64_MAX, 0, TEXT_OPT_LOGS_QUEUE, false, 0, NULL},
    {"backups",       0, FLAG_DIRS,     AT(backups),   NULL, 0, 0, 0, TEXT_OPT_BACKUPS, false, 0, NULL},
    {"rules",       'r', FLAG_FILES,     AT(rules),     NULL, 0, 0, 0, TEXT_OPT_RULES, false, 0, NULL},
    {"no-built-in-rules", 0, FLAG_BOOL, AT(no_built_in), NULL, 0, 0, 0, TEXT_OPT_NO_BUILT_IN, false, 0, NULL},
    {"evaluation-interval", 0, FLAG_DURATION, AT(evaluation), "15s", 100 * MS, DAY, SECOND, TEXT_OPT_EVALUATION, false, 0, NULL},
    {"alertmanager",  0, FLAG_LIST,     AT(alertmanager), NULL, 0, 0, 0, TEXT_OPT_ALERTMANAGER, false, 0, NULL},
    {"notify",        0, FLAG_FILE,     AT(notify),    NULL, 0, 0, 0, TEXT_OPT_NOTIFY, false, 0, NULL},
    {"external-url",  0, FLAG_TEXT,     AT(external_url), NULL, 0, 0, 0, TEXT_OPT_EXTERNAL_URL, false, 0, NULL},
    {"external-labels", 0, FLAG_LIST,   AT(external_labels), NULL, 0, 0, 0, TEXT_OPT_EXTERNAL_LABELS, false, 0, NULL},
    {"log-level",     0, FLAG_TEXT,     AT(log_level), "info", 0, 0, 0, TEXT_OPT_LOG_LEVEL, false, 0, check_log_level},
    {"insecure",      0, FLAG_BOOL,     AT(insecure),  NULL, 0, 0, 0, TEXT_OPT_INSECURE, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    static const char usual[] = "stoker=http://127.0.0.1:8000/metrics";
    const struct monitor_flags *o = options;
    struct scrape_target targets[TARGETS_MAX];
    enum log_level level = LOG_INFO;
    struct buf list;
    size_t n = 0;

    (void)cli;
    (void)log_level_parse(str_from_cstr(o->log_level), &level);
    log_setup(2, level, "monitor");
    buf_init(&list, LIST_BYTES_MAX);
    for (int i = 0; i < args->n; i++)
        buf_printf(&list, "%s\n", args->rest[i]);
    if (!args->n && !o->scrape && !o->config)
        buf_puts(&list, usual);
    buf_putc(&list, '\0');
    size_t arguments = list.n;
    buf_printf(&list, "%s", o->scrape ? o->scrape : "");
    buf_putc(&list, '\0');
    enum errc rc = ERR_OK;
    if (list.failed) {
        rc = err_set(err, ERR_NOMEM, "out of memory");
    } else {
        scrape_targets(list.p, "\n", targets, TARGETS_MAX, &n);
        scrape_targets(list.p + arguments, ",", targets, TARGETS_MAX, &n);
        rc = monitor_start(o, targets, n, NULL, err);
    }
    buf_fini(&list);
    return rc;
}

const struct command cmd_monitor = {
    .name = "monitor",
    .args = "[[JOB=]http://HOST:PORT/metrics ...]",
    .summary = TEXT_CMD_MONITOR,
    .max_args = TARGETS_MAX,
    .flags = monitor_flags_table,
    .run = run,
};
