#include "cli/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config/show.h"

enum { MEMORY_MAX = 16 << 20, TARGETS_MAX = 250 };

static const char *print(struct plan *p, const char *fmt, const char *a,
                         const char *b)
{
    struct buf text;

    buf_init(&text, MEMORY_MAX);
    buf_printf(&text, fmt, a, b);
    const char *made =
        text.failed ? NULL : arena_cstr(&p->arena, buf_str(&text));
    buf_fini(&text);
    return made;
}

static const char *copy(struct plan *p, const char *text)
{
    return arena_cstr(&p->arena, str_from_cstr(text));
}

/* The file's models, unless the command line has some. */
static enum errc take_models(struct plan *p, const struct flag_args *args,
                             struct err *err)
{
    const struct block *b = NULL;

    p->models = *args;
    while (!args->n && (b = settings_next(&p->settings, "models", b))) {
        const struct model_settings *m = b->options;
        const char *spec = print(p, "%s=%s", b->name, m->file);
        if (!spec)
            return err_set(err, ERR_NOMEM, "out of memory");
        if (p->n_hints == MODELS_MAX - 6)
            return err_set(err, ERR_LIMIT, "there are more than %d models",
                           MODELS_MAX - 6);
        p->models.rest[p->models.n++] = spec;
        p->hints[p->n_hints++] =
            (struct model_hints){.model = b->name, .hints = m->hints};
    }
    return ERR_OK;
}

/* Directories of backups are the monitor's to watch. */
static enum errc take_backups(struct plan *p, struct err *err)
{
    const struct block *b = NULL;
    struct monitor_flags *m = &p->monitor;

    while ((b = settings_next(&p->settings, "backups", b))) {
        const struct backup_settings *o = b->options;
        m->backups =
            m->backups ? print(p, "%s,%s", m->backups, o->repo) : o->repo;
        if (!m->backups)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return ERR_OK;
}

enum errc plan_place(const char *below, char out[STATE_PATH_MAX],
                     struct err *err)
{
    return state_path(below, out)
               ? ERR_OK
               : err_set(err, ERR_IO,
                         "there is no directory for Stoker's state: set "
                         "STOKER_STATE");
}

static enum errc take_logs(struct plan *p, struct err *err)
{
    const struct block *b = settings_block(&p->settings, "logs", NULL);
    struct logs_settings usual = {0};
    const struct section *c = section_find("logs");
    char path[STATE_PATH_MAX];

    enum errc rc = flags_default(c->flags, &usual, LANGUAGE_EN, err);
    if (!rc && b)
        usual = *(const struct logs_settings *)b->options;
    p->daemon.logs = usual.rotate;
    if (rc || p->daemon.logs.directory)
        return rc;
    rc = plan_place("logs", path, err);
    p->daemon.logs.directory = rc ? NULL : copy(p, path);
    if (!rc && !p->daemon.logs.directory)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    return rc;
}

/* Services, and their logs, which the monitor reads. */
static enum errc take_services(struct plan *p, struct err *err)
{
    const struct block *b = NULL;
    size_t n = 0;
    enum errc rc = take_logs(p, err);

    while ((b = settings_next(&p->settings, "services", b)))
        n++;
    p->services = arena_new(&p->arena, struct daemon_service, n + 1);
    if (!rc && !p->services)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    for (n = 0; !rc && (b = settings_next(&p->settings, "services", b)); n++)
        p->services[n] = (struct daemon_service){
            .name = b->name, .spec = *(const struct service_spec *)b->options};
    p->daemon.services = p->services;
    p->daemon.n_services = n;
    p->daemon.folder = p->settings.folder;
    return rc;
}

/* The logs of services are the monitor's to read. */
static enum errc take_followed(struct plan *p, struct err *err)
{
    struct monitor_flags *m = &p->monitor;

    for (size_t i = 0; i < p->daemon.n_services; i++) {
        const char *path = print(p, "%s/%s.log", p->daemon.logs.directory,
                                 p->services[i].name);
        m->logs = path && m->logs ? print(p, "%s,%s", m->logs, path) : path;
        if (!m->logs)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return ERR_OK;
}

/* What the options of `serve` say about its monitor: rows of its table, and
 * the fields they go to. */
static void take_given(struct plan *p, const struct flag_args *args)
{
    const struct serve_options *s = &p->serve;
    struct monitor_flags *m = &p->monitor;
    const struct {
        const char *name;
        const void *from;
        void *to;
        size_t size;
    } rows[] = {
        {"monitor-interval", &s->monitor_interval, &m->interval, 8},
        {"monitor-port", &s->monitor_port, &m->port, 8},
        {"history", &s->history, &m->data, sizeof(char *)},
        {"no-history", &s->no_history, &m->no_history, sizeof(bool)},
        {"rules", &s->rules, &m->rules, sizeof(char *)},
        {"notify", &s->notify, &m->notify, sizeof(char *)},
        {"logs-to", &s->logs_to, &m->logs_to, sizeof(char *)},
        {"backups", &s->backups, &m->backups, sizeof(char *)},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct flag *f = flag_find(serve_flags, rows[i].name);
        if (f && flag_set_has(&args->given, (size_t)(f - serve_flags)))
            memcpy(rows[i].to, rows[i].from, rows[i].size);
    }
}

static bool in_file(const struct plan *p, const char *section,
                    const char *setting)
{
    const struct block *b = settings_block(&p->settings, section, NULL);

    return b && block_value(b, flag_find(b->section->flags, setting));
}

static enum errc take_monitor(struct plan *p, const struct flag_args *args,
                              struct err *err)
{
    const struct block *b = settings_block(&p->settings, "monitor", NULL);
    struct monitor_flags *m = &p->monitor;
    enum errc rc = flags_default(monitor_flags_table, m, LANGUAGE_EN, err);

    if (rc)
        return rc;
    if (b)
        *m = *(const struct monitor_flags *)b->options;
    if (settings_block(&p->settings, "notify", NULL)) {
        m->notify = print(p, "%s%s", p->settings.path, "#notify");
        if (!m->notify)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (!in_file(p, "monitor", "host"))
        m->host = p->serve.host;
    rc = take_backups(p, err);
    if (!rc)
        rc = take_followed(p, err);
    take_given(p, args);
    p->serve.monitor_port = m->port;
    p->serve.monitor_port_given |= in_file(p, "monitor", "port");
    return rc;
}

/* In the monitor's process. The service is the first target. */
static enum errc run_monitor(const void *ctx,
                             const struct monitor_beside *beside,
                             struct err *err)
{
    const struct plan *p = ctx;
    const char *host = p->serve.host;
    struct scrape_target targets[TARGETS_MAX];
    struct monitor_flags flags = p->monitor;
    char url[300], list[1 << 16];
    size_t n;

    bool any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
    bool six = !any && strchr(host, ':');
    (void)snprintf(url, sizeof(url), "http://%s%.200s%s:%u/metrics",
                   six ? "[" : "", any ? "127.0.0.1" : host, six ? "]" : "",
                   beside->port);
    targets[0] = (struct scrape_target){.job = "stoker", .url = url};
    n = p->daemon.no_service ? 0 : 1;
    (void)snprintf(list, sizeof(list), "%s", flags.scrape ? flags.scrape : "");
    scrape_targets(list, ",", targets, TARGETS_MAX, &n);
    return monitor_start(&flags, targets, n, beside, err);
}

static void take_daemon(struct plan *p)
{
    struct registry_options *r = &p->daemon.service.registry;
    const struct daemon_options mine = p->daemon;

    serve_daemon_options(&p->serve, &p->models, &p->daemon);
    p->daemon.no_service = mine.no_service;
    p->daemon.services = mine.services;
    p->daemon.n_services = mine.n_services;
    p->daemon.logs = mine.logs;
    p->daemon.folder = mine.folder;
    r->model_hints = p->hints;
    r->n_model_hints = p->n_hints;
    p->daemon.monitor_host = p->monitor.host;
    p->daemon.run_monitor = p->serve.no_monitor ? NULL : run_monitor;
    p->daemon.monitor_ctx = p;
}

enum errc plan_make(struct cli *cli, const char *path,
                    const struct serve_options *given,
                    const struct flag_args *args, bool services,
                    struct plan *out, struct err *err)
{
    enum errc rc = ERR_OK;

    *out = (struct plan){.serve = *given};
    arena_init(&out->arena, MEMORY_MAX);
    if (path)
        rc =
            settings_read(path, cli->language, NULL, NULL, &out->settings, err);
    if (rc) {
        arena_fini(&out->arena);
        return rc;
    }
    const struct block *b = settings_block(&out->settings, "serve", NULL);
    if (b)
        flags_merge(serve_flags, b->options, &b->given, &out->serve,
                    &args->given);
    rc = take_models(out, args, err);
    if (!rc && services)
        rc = take_services(out, err);
    if (!rc)
        rc = take_monitor(out, args, err);
    out->daemon.no_service = out->models.n == 0 && !out->serve.repository;
    if (!rc && out->daemon.no_service && (!services || out->serve.no_monitor))
        rc = err_set(err, ERR_INVALID,
                     text_in(cli->language, TEXT_PLAN_NO_MODELS),
                     path ? path : "serve");
    if (rc)
        plan_free(out);
    else
        take_daemon(out);
    return rc;
}

void plan_free(struct plan *p)
{
    settings_fini(&p->settings);
    arena_fini(&p->arena);
    *p = (struct plan){0};
}

/* ---- again ------------------------------------------------------------------
 */

struct differing {
    struct daemon_change *change;
    struct buf names;
};

/* A socket stays as it is, and what every process was started with. */
static bool is_lasting(const struct setting *s)
{
    static const char *const names[] = {"serve.host",      "serve.http_port",
                                        "serve.log_level", "serve.no_monitor",
                                        "serve.insecure",  "monitor.host",
                                        "monitor.port"};
    char key[192];

    if (strcmp(s->section->name, "logs") == 0)
        return true;
    (void)snprintf(key, sizeof(key), "%s.%s", s->section->name, s->name);
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

static void on_difference(void *ctx, const struct setting *was,
                          const struct setting *is)
{
    const struct setting *s = was ? was : is;
    struct differing *d = ctx;
    const char *section = s->section->name;

    if (is_lasting(s)) {
        buf_puts(&d->names, d->names.n ? ", " : "");
        setting_put_key(s, &d->names);
        return;
    }
    d->change->serve |=
        strcmp(section, "serve") == 0 || strcmp(section, "models") == 0;
    d->change->monitor |=
        strcmp(section, "monitor") == 0 || strcmp(section, "notify") == 0 ||
        strcmp(section, "backups") == 0 || strcmp(section, "services") == 0;
}

static enum errc compare(const struct plan *was, const struct plan *is,
                         struct daemon_change *change, struct err *err)
{
    struct differing d = {.change = change};
    const int what = LIST_ALL | LIST_SECRETS;
    struct setting_list a, b;
    struct arena arena;

    arena_init(&arena, 8 * (size_t)MEMORY_MAX);
    buf_init(&d.names, MEMORY_MAX);
    enum errc rc = settings_list(&was->settings, what, &arena, &a, err);
    if (!rc)
        rc = settings_list(&is->settings, what, &arena, &b, err);
    if (!rc)
        settings_differ(&a, &b, on_difference, &d);
    (void)snprintf(change->listen, sizeof(change->listen), STR_FMT,
                   STR_ARG(buf_str(&d.names)));
    buf_fini(&d.names);
    arena_fini(&arena);
    return rc;
}

/* The lasting settings of the old plan, for the new one. */
static enum errc keep_lasting(struct plan *p, const struct plan *old,
                              struct err *err)
{
    struct daemon_options *n = &p->daemon;
    const struct daemon_options *o = &old->daemon;

    p->serve.host = copy(p, old->serve.host);
    p->monitor.host = copy(p, old->monitor.host);
    n->logs = o->logs;
    n->logs.directory = copy(p, o->logs.directory);
    if (!p->serve.host || !p->monitor.host || !n->logs.directory)
        return err_set(err, ERR_NOMEM, "out of memory");
    n->host = p->serve.host;
    n->monitor_host = p->monitor.host;
    n->http_port = o->http_port;
    n->monitor_port = o->monitor_port;
    n->insecure = o->insecure;
    if (n->no_service != o->no_service)
        return err_set(err, ERR_CONFLICT,
                       "the first model, or the last one, needs a restart");
    return ERR_OK;
}

static struct plan *plan_of(const struct daemon_options *o)
{
    return (struct plan *)(void *)((char *)(uintptr_t)o -
                                   offsetof(struct plan, daemon));
}

enum errc plan_again(void *ctx, const struct daemon_options *now,
                     const struct daemon_options **out,
                     struct daemon_change *change, struct err *err)
{
    const struct plan_again *a = ctx;
    const struct plan *old = plan_of(now);
    struct plan *p = calloc(1, sizeof(*p));

    if (!p)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = plan_make(a->cli, a->path, a->given, a->args, true, p, err);
    if (!rc)
        rc = compare(old, p, change, err);
    if (!rc)
        rc = keep_lasting(p, old, err);
    if (rc) {
        plan_free(p);
        free(p);
        return rc;
    }
    *out = &p->daemon;
    return ERR_OK;
}

void plan_release(void *ctx, const struct daemon_options *options)
{
    const struct plan_again *a = ctx;
    struct plan *p = plan_of(options);

    plan_free(p);
    if (p != a->first)
        free(p);
}
