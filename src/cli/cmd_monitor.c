#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/state.h"
#include "cli/command.h"
#include "daemon/monitor.h"

enum { MS = 1000000, SECOND = 1000000000, TARGETS_MAX = 250 };

struct options {
    const char *host, *log_level;
    int64_t port, interval, timeout, query_timeout;
    const char *data;
    int64_t retention, retention_size, out_of_order;
    bool no_history, insecure;
};

#define AT(field) offsetof(struct options, field)
#define DAY       INT64_C(86400000000000)

/* clang-format off */
static const struct flag flags[] = {
    {"host",          0, FLAG_TEXT,     AT(host),      "127.0.0.1", 0, 0, 0, TEXT_OPT_HOST, false, 0},
    {"port",        'p', FLAG_INT,      AT(port),      "8002", 0, 65535, 0, TEXT_OPT_CONTROL_PORT, false, 0},
    {"interval",      0, FLAG_DURATION, AT(interval),  "15s", 100 * MS, DAY, SECOND, TEXT_OPT_SCRAPE_INTERVAL, false, 0},
    {"timeout",       0, FLAG_DURATION, AT(timeout),   "10s", MS, DAY, SECOND, TEXT_OPT_SCRAPE_TIMEOUT, false, 0},
    {"query-timeout", 0, FLAG_DURATION, AT(query_timeout), "2m", MS, DAY, SECOND, TEXT_OPT_QUERY_TIMEOUT, false, 0},
    {"data",        'd', FLAG_TEXT,     AT(data),      NULL, 0, 0, 0, TEXT_OPT_HISTORY_DIR, false, 0},
    {"retention",     0, FLAG_DURATION, AT(retention), "15d", 0, 3650 * DAY, DAY, TEXT_OPT_RETENTION, false, 0},
    {"retention-size", 0, FLAG_SIZE,    AT(retention_size), "0", 0, INT64_MAX, 0, TEXT_OPT_RETENTION_SIZE, false, 0},
    {"out-of-order",  0, FLAG_DURATION, AT(out_of_order), "0s", 0, DAY, SECOND, TEXT_OPT_OUT_OF_ORDER, false, 0},
    {"no-history",    0, FLAG_BOOL,     AT(no_history), NULL, 0, 0, 0, TEXT_OPT_NO_HISTORY, false, 0},
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
        return (struct scrape_target){"stoker", text};
    *equals = '\0';
    return (struct scrape_target){text, equals + 1};
}

static enum errc run_with(const struct options *o,
                          const struct scrape_target *targets, size_t n,
                          struct err *err)
{
    char usual[STATE_PATH_MAX];
    const char *dir = o->data;

    if (!dir && !o->no_history) {
        if (!state_path("metrics", usual))
            return err_set(err, ERR_IO,
                           "there is no directory for the history: say "
                           "--data DIR, or --no-history");
        dir = usual;
    }
    struct monitor_options m = {
        .control = {.scrape = {.targets = targets,
                               .n = n,
                               .interval_ms = o->interval / MS,
                               .timeout_ms = o->timeout < o->interval
                                                 ? o->timeout / MS
                                                 : o->interval / MS,
                               .max_body = 64u << 20,
                               .max_samples = 1000000},
                    .store = {.dir = o->no_history ? NULL : dir,
                              .retention = o->retention / MS,
                              .max_bytes = (uint64_t)o->retention_size,
                              .out_of_order = o->out_of_order / MS},
                    .limits = {.max_body = 4u << 20,
                               .header_timeout_ms = 10000,
                               .body_timeout_ms = 20000,
                               .idle_timeout_ms = 75000,
                               .write_timeout_ms = 30000},
                    .query_timeout_ms = o->query_timeout / MS},
        .host = o->host,
        .port = (uint16_t)o->port,
        .insecure = o->insecure,
    };

    return monitor_run(&m, err);
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    static const char usual[] = "stoker=http://127.0.0.1:8000/metrics";
    const struct options *o = options;
    struct scrape_target targets[TARGETS_MAX];
    char *texts[TARGETS_MAX] = {0};
    size_t n = args->n ? (size_t)args->n : 1;
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
        rc = run_with(o, targets, n, err);
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
    return rc;
}

const struct command cmd_monitor = {
    .name = "monitor",
    .args = "[[JOB=]http://HOST:PORT/metrics ...]",
    .summary = TEXT_CMD_MONITOR,
    .max_args = TARGETS_MAX,
    .flags = flags,
    .run = run,
};
