#include "cli/monitor_start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/built_in.h"
#include "base/state.h"

enum { MS = 1000000 };

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

/* JOB=URL, or a URL alone, whose job is "stoker". Changes text. */
static struct scrape_target target_of(char *text)
{
    char *equals = strchr(text, '=');

    if (!equals || memchr(text, ':', (size_t)(equals - text)))
        return (struct scrape_target){.job = "stoker", .url = text};
    *equals = '\0';
    return (struct scrape_target){.job = text, .url = equals + 1};
}

void scrape_targets(char *list, const char *separator,
                    struct scrape_target *targets, size_t max, size_t *n)
{
    char *rest = NULL;

    for (char *p = strtok_r(list, separator, &rest); p && *n < max;
         p = strtok_r(NULL, separator, &rest))
        targets[(*n)++] = target_of(p);
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
    char *rules, *alertmanagers, *labels, *remotes, *logs, *backups;
    const char *files[LIST_MAX], *urls[LIST_MAX], *remote_urls[LIST_MAX];
    const char *log_files[LIST_MAX], *backup_dirs[LIST_MAX];
    struct label external[LIST_MAX];
    char state[STATE_PATH_MAX + 16], queue[STATE_PATH_MAX + 16];
    char notify_state[STATE_PATH_MAX + 16];
};

static void lists_free(struct lists *l)
{
    free(l->rules);
    free(l->alertmanagers);
    free(l->labels);
    free(l->remotes);
    free(l->logs);
    free(l->backups);
}

static enum errc take_rules(const struct monitor_flags *o, const char *dir,
                            struct lists *l, struct engine_options *out,
                            struct err *err)
{
    l->rules = strdup(o->rules ? o->rules : "");
    l->alertmanagers = strdup(o->alertmanager ? o->alertmanager : "");
    l->labels = strdup(o->external_labels ? o->external_labels : "");
    l->remotes = strdup(o->remote_write ? o->remote_write : "");
    l->logs = strdup(o->logs ? o->logs : "");
    l->backups = strdup(o->backups ? o->backups : "");
    if (!l->rules || !l->alertmanagers || !l->labels || !l->remotes ||
        !l->logs || !l->backups)
        return err_set(err, ERR_NOMEM, "out of memory");
    (void)snprintf(l->state, sizeof(l->state), "%.4095s/alerts.db",
                   dir ? dir : "");
    *out = (struct engine_options){
        .files = l->files,
        .n_files = split(l->rules, l->files),
        .alertmanagers = l->urls,
        .n_alertmanagers = split(l->alertmanagers, l->urls),
        .built_in = o->no_built_in ? STR("")
                                   : (struct str){built_in_rules.v[0].text,
                                                  built_in_rules.v[0].n},
        .state = dir ? l->state : NULL,
        .interval = o->evaluation / MS,
        .env = {.external_url =
                    str_from_cstr(o->external_url ? o->external_url : ""),
                .timeout_ms = o->query_timeout / MS}};
    return take_labels(l->labels, l->external, &out->env.external, err);
}

/* What leaves the machine: samples, notifications and logs. Behind
 * take_rules(). */
static void take_outlets(const struct monitor_flags *o, const char *dir,
                         struct lists *l, struct control_options *out)
{
    out->remotes = l->remote_urls;
    out->n_remotes = split(l->remotes, l->remote_urls);
    (void)snprintf(l->queue, sizeof(l->queue), "%.4095s/logs-queue",
                   dir ? dir : "");
    (void)snprintf(l->notify_state, sizeof(l->notify_state),
                   "%.4095s/notify.db", dir ? dir : "");
    out->notify = (struct notify_options){
        .config = o->notify, .state = dir ? l->notify_state : NULL};
    out->logs = (struct logs_options){
        .files = l->log_files,
        .n_files = split(l->logs, l->log_files),
        .url = o->logs_to,
        .authorization = getenv("STOKER_LOGS_AUTHORIZATION"),
        .dir = dir ? l->queue : NULL,
        .queue_size = (uint64_t)o->logs_queue,
    };
}

static enum errc find_dir(const struct monitor_flags *o, char *usual,
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

enum errc monitor_start(const struct monitor_flags *o,
                        const struct scrape_target *targets, size_t n,
                        const struct monitor_beside *beside, struct err *err)
{
    int64_t timeout = o->timeout < o->interval ? o->timeout : o->interval;
    char usual[STATE_PATH_MAX];
    struct lists lists = {0};
    const char *dir;
    enum errc rc = find_dir(o, usual, &dir, err);

    if (rc)
        return rc;
    struct monitor_options m = {
        .control = {.config = o->config,
                    .take_remote = o->take_remote,
                    .scrape = {.targets = targets,
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
        .doctor_ms = o->doctor / MS,
        .no_gpu = o->no_gpu,
        .exporter = o->exporter,
        .exporter_port = (uint16_t)o->exporter_port,
    };
    if (beside) {
        m.fd = beside->fd;
        m.logs_fd = beside->logs_fd;
        m.ready = beside->ready;
        m.ready_ctx = beside->ready_ctx;
        m.control.pass_on = targets[0].url;
    }
    rc = take_rules(o, dir, &lists, &m.control.rules, err);
    take_outlets(o, dir, &lists, &m.control);
    m.backups.n = split(lists.backups, lists.backup_dirs);
    m.backups.paths = lists.backup_dirs;
    if (!rc)
        rc = monitor_run(&m, err);
    lists_free(&lists);
    return rc;
}
