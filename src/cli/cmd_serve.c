#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/hint_flags.h"
#include "cli/monitor_start.h"
#include "cli/serve_options.h"
#include "io/cpu.h"

#define AT(field) offsetof(struct serve_options, field)
#define DAY       INT64_C(86400000000000)

enum { MS = 1000000, SECOND = 1000000000 };

/* clang-format off */
const struct flag serve_flags[] = {
    {"host",           0, FLAG_TEXT,     AT(host),         "127.0.0.1", 0, 0, 0, TEXT_OPT_HOST, false, 0},
    {"http-port",    'p', FLAG_INT,      AT(http_port),    "8000", 0, 65535, 0, TEXT_OPT_HTTP_PORT, false, 0},
    {"grpc-port",      0, FLAG_INT,      AT(grpc_port),    "8001", 0, 65535, 0, TEXT_OPT_GRPC_PORT, false, 0},
    {"monitor-port",   0, FLAG_INT,      AT(monitor_port), "8002", 0, 65535, 0, TEXT_OPT_MONITOR_PORT, false, AT(monitor_port_given)},
    {"metrics-port",   0, FLAG_INT,      AT(monitor_port), NULL, 0, 65535, 0, TEXT_OPT_MONITOR_PORT, true, AT(monitor_port_given)},
    {"monitor-interval", 0, FLAG_DURATION, AT(monitor_interval), "15s", 100 * MS, DAY, SECOND, TEXT_OPT_SCRAPE_INTERVAL, false, 0},
    {"history",        0, FLAG_TEXT,     AT(history),      NULL, 0, 0, 0, TEXT_OPT_HISTORY_DIR, false, 0},
    {"no-history",     0, FLAG_BOOL,     AT(no_history),   NULL, 0, 0, 0, TEXT_OPT_NO_HISTORY, false, 0},
    {"rules",          0, FLAG_TEXT,     AT(rules),        NULL, 0, 0, 0, TEXT_OPT_RULES, false, 0},
    {"notify",         0, FLAG_TEXT,     AT(notify),       NULL, 0, 0, 0, TEXT_OPT_NOTIFY, false, 0},
    {"logs-to",        0, FLAG_TEXT,     AT(logs_to),      NULL, 0, 0, 0, TEXT_OPT_LOGS_TO, false, 0},
    {"backups",        0, FLAG_TEXT,     AT(backups),      NULL, 0, 0, 0, TEXT_OPT_BACKUPS, false, 0},
    {"no-monitor",     0, FLAG_BOOL,     AT(no_monitor),   NULL, 0, 0, 0, TEXT_OPT_NO_MONITOR, false, 0},
    {"model-repository", 0, FLAG_TEXT,   AT(repository),   NULL, 0, 0, 0, TEXT_OPT_REPOSITORY, false, 0},
    {"model-store",    0, FLAG_TEXT,     AT(repository),   NULL, 0, 0, 0, TEXT_OPT_REPOSITORY, true, 0},
    HINT_FLAGS(struct serve_options, hints),
    {"device",         0, FLAG_TEXT,     AT(device),       "cpu", 0, 0, 0, TEXT_OPT_DEVICE, false, 0},
    {"ort",            0, FLAG_TEXT,     AT(ort),          NULL, 0, 0, 0, TEXT_OPT_ORT, false, 0},
    {"threads",      't', FLAG_INT,      AT(threads),      "0", 0, 64, 0, TEXT_OPT_THREADS, false, 0},
    {"fixed-loops",    0, FLAG_BOOL,     AT(fixed_loops),  NULL, 0, 0, 0, TEXT_OPT_FIXED_LOOPS, false, 0},
    {"max-batch",      0, FLAG_INT,      AT(max_batch),    "64", 0, 65536, 0, TEXT_OPT_MAX_BATCH, false, 0},
    {"max-delay",      0, FLAG_DURATION, AT(max_delay),    "0", 0, 10 * (int64_t)SECOND, 1000, TEXT_OPT_MAX_DELAY, false, 0},
    {"queue",          0, FLAG_INT,      AT(queue),        "512", 1, 1000000, 0, TEXT_OPT_QUEUE, false, 0},
    {"timeout",        0, FLAG_DURATION, AT(timeout),      "30s", 1, DAY, SECOND, TEXT_OPT_TIMEOUT, false, 0},
    {"max-body",       0, FLAG_SIZE,     AT(max_body),     "64M", 1, INT64_C(16) << 30, 0, TEXT_OPT_MAX_BODY, false, 0},
    {"log-level",      0, FLAG_TEXT,     AT(log_level),    "info", 0, 0, 0, TEXT_OPT_LOG_LEVEL, false, 0},
    {"access-log",     0, FLAG_TEXT,     AT(access_log),   "auto", 0, 0, 0, TEXT_OPT_ACCESS_LOG, false, 0},
    {"lame-duck",      0, FLAG_DURATION, AT(lame_duck),    "1s", 0, DAY, SECOND, TEXT_OPT_LAME_DUCK, false, 0},
    {"drain-timeout",  0, FLAG_DURATION, AT(drain),        "30s", 0, DAY, SECOND, TEXT_OPT_DRAIN, false, 0},
    {"header-timeout", 0, FLAG_DURATION, AT(header_timeout), "10s", MS, DAY, SECOND, TEXT_OPT_HEADER_TIMEOUT, false, 0},
    {"body-timeout",   0, FLAG_DURATION, AT(body_timeout), "20s", MS, DAY, SECOND, TEXT_OPT_BODY_TIMEOUT, false, 0},
    {"idle-timeout",   0, FLAG_DURATION, AT(idle_timeout), "75s", MS, DAY, SECOND, TEXT_OPT_IDLE_TIMEOUT, false, 0},
    {"write-timeout",  0, FLAG_DURATION, AT(write_timeout), "30s", MS, DAY, SECOND, TEXT_OPT_WRITE_TIMEOUT, false, 0},
    {"insecure",       0, FLAG_BOOL,     AT(insecure),     NULL, 0, 0, 0, TEXT_OPT_INSECURE, false, 0},
    /* Of Triton's and KServe's command lines; what they ask for is so. */
    {"allow-http",     0, FLAG_BOOL,     AT(ignored_flag), NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0},
    {"allow-grpc",     0, FLAG_BOOL,     AT(ignored_flag), NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0},
    {"allow-metrics",  0, FLAG_BOOL,     AT(ignored_flag), NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0},
    {"strict-readiness", 0, FLAG_BOOL,   AT(ignored_flag), NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0},
    {"strict-model-config", 0, FLAG_BOOL, AT(ignored_flag), NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0},
    {"model-control-mode", 0, FLAG_TEXT, AT(ignored),      NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0},
    {"log-verbose",    0, FLAG_TEXT,     AT(ignored),      NULL, 0, 0, 0, TEXT_OPT_ACCEPTED, true, 0},
    {"exit-timeout-secs", 0, FLAG_DURATION, AT(drain),     NULL, 0, DAY, SECOND, TEXT_OPT_DRAIN, true, 0},
    {.name = ""},
};
/* clang-format on */

void serve_daemon_options(const struct serve_options *o, struct cli *cli,
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
        .argv = cli->argv,
        .argc = cli->argc,
    };
}

/* In the monitor's process. */
static enum errc run_monitor(const void *ctx,
                             const struct monitor_beside *beside,
                             struct err *err)
{
    const struct serve_options *o = ctx;
    struct monitor_flags flags = {0};
    struct flag_args none;
    char url[300];
    const struct scrape_target target = {.job = "stoker", .url = url};

    enum errc rc = flags_parse(monitor_flags_table, &flags, 0, NULL,
                               LANGUAGE_EN, &none, err);
    bool any = strcmp(o->host, "0.0.0.0") == 0 || strcmp(o->host, "::") == 0;
    bool six = !any && strchr(o->host, ':');
    (void)snprintf(url, sizeof(url), "http://%s%.200s%s:%u/metrics",
                   six ? "[" : "", any ? "127.0.0.1" : o->host, six ? "]" : "",
                   beside->port);
    flags.host = o->host;
    flags.interval = o->monitor_interval;
    flags.data = o->history;
    flags.no_history = o->no_history;
    flags.rules = o->rules;
    flags.notify = o->notify;
    flags.logs_to = o->logs_to;
    flags.backups = o->backups;
    return rc ? rc : monitor_start(&flags, &target, 1, beside, err);
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct serve_options *o = options;
    struct daemon_options daemon;
    enum log_level level;

    if (!log_level_parse(str_from_cstr(o->log_level), &level))
        return err_set(err, ERR_INVALID,
                       "--log-level '%s': use debug, info, warn or error",
                       o->log_level);
    if (args->n == 0 && !o->repository)
        return err_set(err, ERR_INVALID, text_in(cli->language, TEXT_TOO_FEW),
                       "serve", "MODEL");
    log_setup(2, level, "master");
    serve_daemon_options(o, cli, args, &daemon);
    daemon.run_monitor = o->no_monitor ? NULL : run_monitor;
    daemon.monitor_ctx = o;
    return master_run(&daemon, err);
}

const struct command cmd_serve = {
    .name = "serve",
    .args = "[NAME=]MODEL.onnx ... | DIRECTORY",
    .summary = TEXT_CMD_SERVE,
    .max_args = 250,
    .flags = serve_flags,
    .run = run,
};
