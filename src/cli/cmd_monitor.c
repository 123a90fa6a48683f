#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/built_in.h"
#include "base/log.h"
#include "base/state.h"
#include "cli/command.h"
#include "daemon/monitor.h"

enum { MS = 1000000, SECOND = 1000000000, TARGETS_MAX = 250 };

struct options {
    const char *host, *log_level;
    int64_t port, interval, timeout, query_timeout;
    const char *data, *rules, *external_url, *external_labels, *alertmanager;
    const char *notify;
    int64_t evaluation;
    int64_t retention, retention_size, out_of_order;
    int64_t exporter_port;
    bool no_history, no_built_in, no_self, no_host, no_gpu, exporter, insecure;
};

#define AT(field) offsetof(struct options, field)
#define DAY       INT64_C(86400000000000)

/* clang-format off */
static const struct flag flags[] = {
    {"host",          0, FLAG_TEXT,     AT(host),      "127.0.0.1", 0, 0, 0, TEXT_OPT_HOST, false, 0},
    {"port",        'p', FLAG_INT,      AT(port),      "8002", 0, 65535, 0, TEXT_OPT_CONTROL_PORT, false, 0},
    {"interval",      0, FLAG_DURATION, AT(interval),  "15s", 100 * MS, DAY, SECOND, TEXT_OPT_SCRAPE_INTERVAL, false, 0},
    {"timeout",       0, FLAG_DURATION, AT(timeout),   "10s", MS, DAY, SECOND, TEXT_OPT_SCRAPE_TIMEOUT, false, 0},
    {"no-self",       0, FLAG_BOOL,     AT(no_self),   NULL, 0, 0, 0, TEXT_OPT_NO_SELF, false, 0},
    {"no-host",       0, FLAG_BOOL,     AT(no_host),   NULL, 0, 0, 0, TEXT_OPT_NO_HOST, false, 0},
    {"no-gpu",        0, FLAG_BOOL,     AT(no_gpu),    NULL, 0, 0, 0, TEXT_OPT_NO_GPU, false, 0},
    {"exporter",      0, FLAG_BOOL,     AT(exporter),  NULL, 0, 0, 0, TEXT_OPT_EXPORTER, false, 0},
    {"exporter-port", 0, FLAG_INT,      AT(exporter_port), "9400", 0, 65535, 0, TEXT_OPT_EXPORTER_PORT, false, 0},
    {"query-timeout", 0, FLAG_DURATION, AT(query_timeout), "2m", MS, DAY, SECOND, TEXT_OPT_QUERY_TIMEOUT, false, 0},
    {"data",        'd', FLAG_TEXT,     AT(data),      NULL, 0, 0, 0, TEXT_OPT_HISTORY_DIR, false, 0},
    {"retention",     0, FLAG_DURATION, AT(retention), "15d", 0, 3650 * DAY, DAY, TEXT_OPT_RETENTION, false, 0},
    {"retention-size", 0, FLAG_SIZE,    AT(retention_size), "0", 0, INT64_MAX, 0, TEXT_OPT_RETENTION_SIZE, false, 0},
    {"out-of-order",  0, FLAG_DURATION, AT(out_of_order), "0s", 0, DAY, SECOND, TEXT_OPT_OUT_OF_ORDER, false, 0},
    {"no-history",    0, FLAG_BOOL,     AT(no_history), NULL, 0, 0, 0, TEXT_OPT_NO_HISTORY, false, 0},
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

enum { LIST_MAX = 32 };

/* The parts of a text with commas between them. Changes text. */
static size_t split(char *text, const char **out)
{
    char *rest = NULL;
    size_t n = 0;

    for (char *p = text ? strtok_r(text, ",", &rest) : NULL; p && n < LIST_MAX;
         p = strtok_r(NULL, ",", &rest))
        out[n++] = p;
    return n;
}

/* name=value,... as labels. Changes text. */
static enum errc take_labels(char *text, struct label *v, struct labels *out,
                             struct err *err)
{
    const char *parts[LIST_MAX];
    size_t n = split(text, parts);

    for (size_t i = 0; i < n; i++) {
        struct str value = str_from_cstr(parts[i]);
        v[i].name = str_cut(&value, '=');
        v[i].value = value;
        if (!value.n || !label_name_is_plain(v[i].name))
            return err_set(err, ERR_INVALID,
                           "--external-labels: '%s' is not name=value",
                           parts[i]);
        if (i && str_compare(v[i - 1].name, v[i].name) >= 0)
            return err_set(err, ERR_INVALID,
                           "--external-labels: names must rise, each once");
    }
    *out = (struct labels){v, n};
    return ERR_OK;
}

/* What the options say, cut apart; texts are owned. */
struct lists {
    char *rules, *alertmanagers, *labels;
    const char *files[LIST_MAX], *urls[LIST_MAX];
    struct label external[LIST_MAX];
    char state[STATE_PATH_MAX + 16];
};

static enum errc take_rules(const struct options *o, const char *dir,
                            struct lists *l, struct engine_options *out,
                            struct err *err)
{
    l->rules = strdup(o->rules ? o->rules : "");
    l->alertmanagers = strdup(o->alertmanager ? o->alertmanager : "");
    l->labels = strdup(o->external_labels ? o->external_labels : "");
    if (!l->rules || !l->alertmanagers || !l->labels)
        return err_set(err, ERR_NOMEM, "out of memory");
    (void)snprintf(l->state, sizeof(l->state), "%.4095s/alerts.db",
                   dir ? dir : "");
    *out = (struct engine_options){
        .files = l->files,
        .n_files = split(l->rules, l->files),
        .alertmanagers = l->urls,
        .n_alertmanagers = split(l->alertmanagers, l->urls),
        .built_in = o->no_built_in ? STR("")
                                   : (struct str){built_in_rules[0].text,
                                                  built_in_rules[0].n},
        .state = dir ? l->state : NULL,
        .interval = o->evaluation / MS,
        .env = {.external_url =
                    str_from_cstr(o->external_url ? o->external_url : ""),
                .timeout_ms = o->query_timeout / MS}};
    return take_labels(l->labels, l->external, &out->env.external, err);
}

static enum errc find_dir(const struct options *o, char *usual,
                          const char **out, struct err *err)
{
    *out = o->no_history ? NULL : o->data;
    if (*out || o->no_history)
        return ERR_OK;
    *out = usual;
    return state_path("metrics", usual)
               ? ERR_OK
               : err_set(err, ERR_IO,
                         "there is no directory for the history: say "
                         "--data DIR, or --no-history");
}

static enum errc run_with(const struct options *o,
                          const struct scrape_target *targets, size_t n,
                          struct err *err)
{
    int64_t timeout = o->timeout < o->interval ? o->timeout : o->interval;
    char usual[STATE_PATH_MAX];
    struct lists lists = {0};
    char notify_state[STATE_PATH_MAX + 16];
    const char *dir;
    enum errc rc = find_dir(o, usual, &dir, err);

    if (rc)
        return rc;
    struct monitor_options m = {
        .control = {.scrape = {.targets = targets,
                               .n = n,
                               .interval_ms = o->interval / MS,
                               .timeout_ms = timeout / MS,
                               .max_body = 64u << 20,
                               .max_samples = 1000000},
                    .store = {.dir = dir,
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
        .no_self = o->no_self,
        .no_host = o->no_host,
        .no_gpu = o->no_gpu,
        .exporter = o->exporter,
        .exporter_port = (uint16_t)o->exporter_port,
    };
    (void)snprintf(notify_state, sizeof(notify_state), "%.4095s/notify.db",
                   dir ? dir : "");
    m.control.notify = (struct notify_options){
        .config = o->notify, .state = dir ? notify_state : NULL};
    rc = take_rules(o, dir, &lists, &m.control.rules, err);
    if (!rc)
        rc = monitor_run(&m, err);
    free(lists.rules);
    free(lists.alertmanagers);
    free(lists.labels);
    return rc;
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
