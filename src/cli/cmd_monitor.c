#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/monitor_start.h"

enum { MS = 1000000, SECOND = 1000000000, TARGETS_MAX = 250 };

#define AT(field) offsetof(struct monitor_flags, field)
#define DAY       INT64_C(86400000000000)

/* clang-format off */
const struct flag monitor_flags_table[] = {
    {"host",          0, FLAG_TEXT,     AT(host),      "127.0.0.1", 0, 0, 0, TEXT_OPT_HOST, false, 0},
    {"port",        'p', FLAG_INT,      AT(port),      "8002", 0, 65535, 0, TEXT_OPT_CONTROL_PORT, false, 0},
    {"interval",      0, FLAG_DURATION, AT(interval),  "15s", 100 * MS, DAY, SECOND, TEXT_OPT_SCRAPE_INTERVAL, false, 0},
    {"timeout",       0, FLAG_DURATION, AT(timeout),   "10s", MS, DAY, SECOND, TEXT_OPT_SCRAPE_TIMEOUT, false, 0},
    {"no-self",       0, FLAG_BOOL,     AT(no_self),   NULL, 0, 0, 0, TEXT_OPT_NO_SELF, false, 0},
    {"no-host",       0, FLAG_BOOL,     AT(no_host),   NULL, 0, 0, 0, TEXT_OPT_NO_HOST, false, 0},
    {"doctor-interval", 0, FLAG_DURATION, AT(doctor),  "4m", 0, DAY, SECOND, TEXT_OPT_DOCTOR_INTERVAL, false, 0},
    {"no-gpu",        0, FLAG_BOOL,     AT(no_gpu),    NULL, 0, 0, 0, TEXT_OPT_NO_GPU, false, 0},
    {"exporter",      0, FLAG_BOOL,     AT(exporter),  NULL, 0, 0, 0, TEXT_OPT_EXPORTER, false, 0},
    {"exporter-port", 0, FLAG_INT,      AT(exporter_port), "9400", 0, 65535, 0, TEXT_OPT_EXPORTER_PORT, false, 0},
    {"query-timeout", 0, FLAG_DURATION, AT(query_timeout), "2m", MS, DAY, SECOND, TEXT_OPT_QUERY_TIMEOUT, false, 0},
    {"data",        'd', FLAG_TEXT,     AT(data),      NULL, 0, 0, 0, TEXT_OPT_HISTORY_DIR, false, 0},
    {"retention",     0, FLAG_DURATION, AT(retention), "15d", 0, 3650 * DAY, DAY, TEXT_OPT_RETENTION, false, 0},
    {"retention-size", 0, FLAG_SIZE,    AT(retention_size), "0", 0, INT64_MAX, 0, TEXT_OPT_RETENTION_SIZE, false, 0},
    {"out-of-order",  0, FLAG_DURATION, AT(out_of_order), "0s", 0, DAY, SECOND, TEXT_OPT_OUT_OF_ORDER, false, 0},
    {"no-history",    0, FLAG_BOOL,     AT(no_history), NULL, 0, 0, 0, TEXT_OPT_NO_HISTORY, false, 0},
    {"config",      'c', FLAG_TEXT,     AT(config),    NULL, 0, 0, 0, TEXT_OPT_CONFIG, false, 0},
    {"remote-write",  0, FLAG_TEXT,     AT(remote_write), NULL, 0, 0, 0, TEXT_OPT_REMOTE_WRITE, false, 0},
    {"remote-write-receiver", 0, FLAG_BOOL, AT(take_remote), NULL, 0, 0, 0, TEXT_OPT_TAKE_REMOTE, false, 0},
    {"logs",          0, FLAG_TEXT,     AT(logs),      NULL, 0, 0, 0, TEXT_OPT_LOGS, false, 0},
    {"logs-to",       0, FLAG_TEXT,     AT(logs_to),   NULL, 0, 0, 0, TEXT_OPT_LOGS_TO, false, 0},
    {"logs-queue-size", 0, FLAG_SIZE,   AT(logs_queue), "256MiB", 4 << 20, INT64_MAX, 0, TEXT_OPT_LOGS_QUEUE, false, 0},
    {"backups",       0, FLAG_TEXT,     AT(backups),   NULL, 0, 0, 0, TEXT_OPT_BACKUPS, false, 0},
    {"rules",       'r', FLAG_TEXT,     AT(rules),     NULL, 0, 0, 0, TEXT_OPT_RULES, false, 0},
    {"no-built-in-rules", 0, FLAG_BOOL, AT(no_built_in), NULL, 0, 0, 0, TEXT_OPT_NO_BUILT_IN, false, 0},
    {"evaluation-interval", 0, FLAG_DURATION, AT(evaluation), "15s", 100 * MS, DAY, SECOND, TEXT_OPT_EVALUATION, false, 0},
    {"alertmanager",  0, FLAG_TEXT,     AT(alertmanager), NULL, 0, 0, 0, TEXT_OPT_ALERTMANAGER, false, 0},
    {"notify",        0, FLAG_TEXT,     AT(notify),    NULL, 0, 0, 0, TEXT_OPT_NOTIFY, false, 0},
    {"external-url",  0, FLAG_TEXT,     AT(external_url), NULL, 0, 0, 0, TEXT_OPT_EXTERNAL_URL, false, 0},
    {"external-labels", 0, FLAG_TEXT,   AT(external_labels), NULL, 0, 0, 0, TEXT_OPT_EXTERNAL_LABELS, false, 0},
    {"log-level",     0, FLAG_TEXT,     AT(log_level), "info", 0, 0, 0, TEXT_OPT_LOG_LEVEL, false, 0},
    {"insecure",      0, FLAG_BOOL,     AT(insecure),  NULL, 0, 0, 0, TEXT_OPT_INSECURE, false, 0},
    {.name = ""},
};
/* clang-format on */

/* JOB=URL, or a URL alone, whose job is "stoker". Changes text. */
static struct scrape_target target_of(char *text)
{
    char *equals = strchr(text, '=');

    if (!equals || memchr(text, ':', (size_t)(equals - text)))
        return (struct scrape_target){.job = "stoker", .url = text};
    *equals = '\0';
    return (struct scrape_target){.job = text, .url = equals + 1};
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    static const char usual[] = "stoker=http://127.0.0.1:8000/metrics";
    const struct monitor_flags *o = options;
    struct scrape_target targets[TARGETS_MAX];
    char *texts[TARGETS_MAX] = {0};
    size_t n = args->n || o->config ? (size_t)args->n : 1;
    enum errc rc = ERR_OK;
    enum log_level level;

    (void)cli;
    if (!log_level_parse(str_from_cstr(o->log_level), &level))
        return err_set(err, ERR_INVALID,
                       "--log-level '%s': use debug, info, warn or error",
                       o->log_level);
    log_setup(2, level, "monitor");
    for (size_t i = 0; !rc && i < n; i++) {
        texts[i] = strdup(args->n ? args->rest[i] : usual);
        if (texts[i])
            targets[i] = target_of(texts[i]);
        else
            rc = err_set(err, ERR_NOMEM, "out of memory");
    }
    if (!rc)
        rc = monitor_start(o, targets, n, NULL, err);
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
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
