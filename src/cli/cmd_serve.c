#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/config/checks.h"
#include "cli/hint_flags.h"
#include "cli/plan.h"
#include "io/cpu.h"

#define AT(field) offsetof(struct serve_options, field)
#define DAY       INT64_C(86400000000000)

enum { MS = 1000000, SECOND = 1000000000 };

/* clang-format off */
const struct flag serve_flags[] = {
    {"config",       'c', FLAG_TEXT,     AT(config),       NULL, 0, 0, 0, TEXT_OPT_SETTINGS, false, 0, NULL},
    {"host",           0, FLAG_TEXT,     AT(host),         "127.0.0.1", 0, 0, 0, TEXT_OPT_HOST, false, 0, NULL},
    {"http-port",    'p', FLAG_INT,      AT(http_port),    "8000", 0, 65535, 0, TEXT_OPT_HTTP_PORT, false, 0, NULL},
    {"grpc-port",      0, FLAG_INT,      AT(grpc_port),    "8001", 0, 65535, 0, TEXT_OPT_GRPC_PORT, false, 0, NULL},
    {"monitor-port",   0, FLAG_INT,      AT(monitor_port), "8002", 0, 65535, 0, TEXT_OPT_MONITOR_PORT, false, AT(monitor_port_given), NULL},
    {"metrics-port",   0, FLAG_INT,      AT(monitor_port), NULL, 0, 65535, 0, TEXT_OPT_MONITOR_PORT, true, AT(monitor_port_given), NULL},
    {"monitor-interval", 0, FLAG_DURATION, AT(monitor_interval), "15s", 100 * MS, DAY, SECOND, TEXT_OPT_SCRAPE_INTERVAL, false, 0, NULL},
    {"history",        0, FLAG_DIR,     AT(history),      NULL, 0, 0, 0, TEXT_OPT_HISTORY_DIR, false, 0, NULL},
    {"no-history",     0, FLAG_BOOL,     AT(no_history),   NULL, 0, 0, 0, TEXT_OPT_NO_HISTORY, false, 0, NULL},
    {"rules",          0, FLAG_FILES,     AT(rules),        NULL, 0, 0, 0, TEXT_OPT_RULES, false, 0, NULL},
    {"notify",         0, FLAG_FILE,     AT(notify),       NULL, 0, 0, 0, TEXT_OPT_NOTIFY, false, 0, NULL},
    {"logs-to",        0, FLAG_TEXT,     AT(logs_to),      NULL, 0, 0, 0, TEXT_OPT_LOGS_TO, false, 0, NULL},
    {"backups",        0, FLAG_DIRS,     AT(backups),      NULL, 0, 0, 0, TEXT_OPT_BACKUPS, false, 0, NULL},
    {"no-monitor",     0, FLAG_BOOL,     AT(no_monitor),   NULL, 0, 0, 0, TEXT_OPT_NO_MONITOR, false, 0, NULL},
    {"model-repository", 0, FLAG_FILE,   AT(repository),   NULL, 0, 0, 0, TEXT_OPT_REPOSITORY, false, 0, NULL},
    {"model-store",    0, FLAG_FILE,     AT(repository),   NULL, 0, 0, 0, TEXT_OPT_REPOSITORY, true, 0, NULL},
    HINT_FLAGS(struct serve_options, hints),
    {"device",         0, FLAG_TEXT,     AT(device),       "cpu", 0, 0, 0, TEXT_OPT_DEVICE, false, 0, NULL},
    {"ort",            0, FLAG_FILE,     AT(ort),          NULL, 0, 0, 0, TEXT_OPT_ORT, false, 0, NULL},
    {"threads",      't', FLAG_INT,      AT(threads),      "0", 0, 64, 0, TEXT_OPT_THREADS, false, 0, NULL},
    {"fixed-loops",    0, FLAG_BOOL,     AT(fixed_loops),  NULL, 0, 0, 0, TEXT_OPT_FIXED_LOOPS, false, 0, NULL},
    {"max-batch",      0, FLAG_INT,      AT(max_batch),    "64", 0, 65536, 0, TEXT_OPT_MAX_BATCH, false, 0, NULL},
    {"max-delay",      0, FLAG_DURATION, AT(max_delay),    "0", 0, 10 * (int64_t)SECOND, 1000, TEXT_OPT_MAX_DELAY, false, 0, NULL},
    {"queue",          0, FLAG_INT,      AT(queue),        "512", 1, 1000000, 0, TEXT_OPT_QUEUE, false, 0, NULL},
    {"timeout",        0, FLAG_DURATION, AT(timeout),      "30s", 1, DAY, SECOND, TEXT_OPT_TIMEOUT, false, 0, NULL},
    {"max-body",       0, FLAG_SIZE,     AT(max_body),     "64M", 1, INT64_C(16) << 30, 0, TEXT_OPT_MAX_BODY, false, 0, NULL},
    {"log-level",      0, FLAG_TEXT,     AT(log_level),    "info", 0, 0, 0, TEXT_OPT_LOG_LEVEL, false, 0, check_log_level},
    {"access-log",     0, FLAG_TEXT,     AT(access_log),   "auto", 0, 0, 0, TEXT_OPT_ACCESS_LOG, false, 0, NULL},
    {"lame-duck",      0, FLAG_DURATION, AT(lame_duck),    "1s", 0, DAY, SECOND, TEXT_OPT_LAME_DUCK, false, 0, NULL},
    {"drain-timeout",  0, FLAG_DURATION, AT(drain),        "30s", 0, DAY, SECOND, TEXT_OPT_DRAIN, false, 0, NULL},
    {"header-timeout", 0, FLAG_DURATION, AT(header_timeout), "10s", MS, DAY, SECOND, TEXT_OPT_HEADER_TIMEOUT, false, 0, NULL},
    {"body-timeout",   0, FLAG_DURATION, AT(body_timeout), "20s", MS, DAY, SECOND, TEXT_OPT_BODY_TIMEOUT, false, 0, NULL},
    {"idle-timeout",   0, FLAG_DURATION, AT(idle_timeout), "75s", MS, DAY, SECOND, TEXT_OPT_IDLE_TIMEOUT, false, 0, NULL},
    {"write-timeout",  0, FLAG_DURATION, AT(write_timeout), "30s", MS, DAY, SECOND, TEXT_OPT_WRITE_TIMEOUT, false, 0, NULL},
    {"insecure",       0, FLAG_BOOL,     AT(insecure),     NULL, 0, 0, 0, TEXT_OPT_INSECURE, false, 0, NULL},
    /* Of Triton's and KServe's command lines; what they ask for is so. */
    {"allow-http",     0, FLAG_BOOL,     AT(ignored_flag), NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0, NULL},
    {"allow-grpc",     0, FLAG_BOOL,     AT(ignored_flag), NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0, NULL},
    {"allow-metrics",  0, FLAG_BOOL,     AT(ignored_flag), NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0, NULL},
    {"strict-readiness", 0, FLAG_BOOL,   AT(ignored_flag), NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0, NULL},
    {"strict-model-config", 0, FLAG_BOOL, AT(ignored_flag), NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0, NULL},
    {"model-control-mode", 0, FLAG_TEXT, AT(ignored),      NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0, NULL},
    {"log-verbose",    0, FLAG_TEXT,     AT(ignored),      NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0, NULL},
    {"exit-timeout-secs", 0, FLAG_DURATION, AT(drain),     NULL, 0, DAY, SECOND, TEXT_OPT_DRAIN, true, 0, NULL},
    {.name = ""},
};
/* clang-format on */

void serve_daemon_options(const struct serve_options *o,
                          const struct flag_args *args,
                          struct daemon_options *out)
{
    unsigned threads = o->threads ? (unsigned)o->threads : cpu_count();
    const char *log = o->access_log;

    if (strcmp(log, "auto") == 0)
        log = isatty(1) == 1 ? "-" : "off";
    *out = (struct daemon_options){
        .service =
            {
                .registry = {.specs = args->rest,
                             .n_specs = (size_t)args->n,
                             .repository = o->repository,
                             .runtime = {.library = o->ort,
                                         .device = o->device,
                                         .threads = 1},
                             .hints = o->hints,
                             .max_batch = o->max_batch,
                             .max_delay_us = o->max_delay / 1000},
                .limits = {.max_body = (size_t)o->max_body,
                           .header_timeout_ms = (int)(o->header_timeout / MS),
                           .body_timeout_ms = (int)(o->body_timeout / MS),
                           .idle_timeout_ms = (int)(o->idle_timeout / MS),
                           .write_timeout_ms = (int)(o->write_timeout / MS)},
                .threads = threads < HTTP_MAX_LOOPS ? threads
                                                    : (unsigned)HTTP_MAX_LOOPS,
                .fixed_loops = o->fixed_loops,
                .queue = (size_t)o->queue,
                .timeout_ns = o->timeout,
                .access_log = log,
            },
        .host = o->host,
        .http_port = (uint16_t)o->http_port,
        .monitor_port = (uint16_t)o->monitor_port,
        .monitor_port_given = o->monitor_port_given,
        .insecure = o->insecure,
        .lame_duck_ns = o->lame_duck,
        .drain_ns = o->drain,
    };
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct serve_options *o = options;
    char path[SETTINGS_PATH_MAX] = "";
    struct plan *plan = calloc(1, sizeof(*plan));
    enum log_level level = LOG_INFO;
    enum errc rc = ERR_OK;

    if (!plan)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (o->config || (args->n == 0 && !o->repository))
        rc = settings_find(o->config, path, cli->language, err);
    if (rc == ERR_NOT_FOUND && !o->config)
        rc = err_set(err, ERR_INVALID, text_in(cli->language, TEXT_TOO_FEW),
                     "serve", "MODEL");
    if (!rc)
        rc = plan_make(cli, path[0] ? path : NULL, o, args, false, plan, err);
    if (!rc) {
        (void)log_level_parse(str_from_cstr(plan->serve.log_level), &level);
        log_setup(2, level, "master");
        rc = master_run(
            &(struct master_options){.argv = cli->argv, .argc = cli->argc},
            &plan->daemon, err);
    }
    plan_free(plan);
    free(plan);
    return rc;
}

const struct command cmd_serve = {
    .name = "serve",
    .args = "[NAME=]MODEL.onnx ... | DIRECTORY",
    .summary = TEXT_CMD_SERVE,
    .max_args = 250,
    .flags = serve_flags,
    .run = run,
};
