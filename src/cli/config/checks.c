#include "cli/config/checks.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/config/sections.h"
#include "http/client.h"
#include "notify/config.h"
#include "schedule/when.h"
#include "supervise/signals.h"

/* ---- values ----------------------------------------------------------------
 */

enum errc check_log_level(const char *value, struct err *err)
{
    enum log_level level;

    return log_level_parse(str_from_cstr(value), &level)
               ? ERR_OK
               : err_set(err, ERR_INVALID, "use debug, info, warn or error");
}

enum errc check_when(const char *value, struct err *err)
{
    struct when w;

    return when_parse(str_from_cstr(value), &w, err);
}

enum errc check_timezone(const char *value, struct err *err)
{
    char path[300];

    if (value[0] == '/' || strstr(value, "..") ||
        snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", value) >=
            (int)sizeof(path) ||
        access(path, R_OK) != 0)
        return err_set(err, ERR_INVALID,
                       "there is no such time zone on this machine (a name "
                       "like Europe/Berlin, package tzdata)");
    return ERR_OK;
}

enum errc check_user(const char *value, struct err *err)
{
    struct passwd entry, *found = NULL;
    char text[16384];

    if (getpwnam_r(value, &entry, text, sizeof(text), &found) == 0 && found)
        return ERR_OK;
    return err_set(err, ERR_INVALID, "this machine has no such user");
}

enum errc check_cpus(const char *value, struct err *err)
{
    char *end;
    double v = strtod(value, &end);

    if (end != value && !*end && v >= 0.01 && v <= 4096)
        return ERR_OK;
    return err_set(err, ERR_INVALID, "a number of processors, like 0.5 or 2");
}

enum errc check_url(const char *value, struct err *err)
{
    struct client_url url;

    return client_url_parse(value, &url, err);
}

enum errc check_address(const char *value, struct err *err)
{
    const char *colon = strrchr(value, ':');
    uint64_t port = 0;

    if (colon && colon > value && str_to_u64(str_from_cstr(colon + 1), &port) &&
        port > 0 && port < 65536)
        return ERR_OK;
    return err_set(err, ERR_INVALID, "use HOST:PORT");
}

enum errc check_restart(const char *value, struct err *err)
{
    static const char *const words[] = {"always", "on-failure", "never"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(value, words[i]) == 0)
            return ERR_OK;
    return err_set(err, ERR_INVALID, "use always, on-failure or never");
}

enum errc check_statuses(const char *value, struct err *err)
{
    struct str rest = str_from_cstr(value);

    while (rest.p && rest.n) {
        uint64_t v;
        if (!str_to_u64(str_trim(str_cut(&rest, ',')), &v) || v > 255)
            return err_set(err, ERR_INVALID, "exit statuses are 0 to 255");
    }
    return ERR_OK;
}

enum errc check_signal(const char *value, struct err *err)
{
    return signal_number(value) > 0
               ? ERR_OK
               : err_set(err, ERR_INVALID,
                         "use the name of a signal, like TERM or INT");
}

/* ---- blocks ----------------------------------------------------------------
 */

/* The place of the block's name. */
static struct yaml name_of(const struct block *b)
{
    struct yaml at = *b->node;

    at.line = at.key_line;
    at.column = at.key_column;
    return at;
}

/* Tells that the block lacks one of its settings. */
static void need(struct yaml_form *f, const struct block *b, const char *value,
                 const char *name, enum language l)
{
    struct yaml at = name_of(b);

    if ((!value || !*value) &&
        !block_value(b, flag_find(b->section->flags, name)))
        yaml_wrong(f, &at, text_in(l, TEXT_CONFIG_NEEDS), b->section->name,
                   b->name, name);
}

void check_model(struct yaml_form *f, const struct settings *s,
                 const struct block *b, enum language l)
{
    const struct model_settings *o = b->options;

    (void)s;
    need(f, b, o->file, "file", l);
}

static void pass_on(void *ctx, const char *file, const char *message)
{
    struct err why = {0};

    (void)file;
    err_record(&why, ERR_INVALID, "%.500s", message);
    yaml_broken(ctx, &why);
}

void check_notify(struct yaml_form *f, const struct settings *s,
                  const struct block *b, enum language l)
{
    char place[SETTINGS_PATH_MAX + 16];
    struct notify_config *c = calloc(1, sizeof(*c));

    (void)b;
    (void)l;
    if (!c) {
        yaml_no_memory(f);
        return;
    }
    (void)snprintf(place, sizeof(place), "%s#notify", s->path);
    if (notify_config_load(c, place, pass_on, f, NULL) == ERR_NOMEM)
        yaml_no_memory(f);
    notify_config_fini(c);
    free(c);
}

/* The processes of Stoker's own. */
static bool is_own(const char *name)
{
    return strcmp(name, "serve") == 0 || strcmp(name, "monitor") == 0;
}

/* Does the service, or one it waits for, wait for `name`? */
static bool waits_for(const struct settings *s, const struct block *b,
                      const char *name, unsigned depth)
{
    const struct service_spec *o = b->options;
    struct str rest = str_from_cstr(o->after ? o->after : "");

    while (rest.p && rest.n) {
        struct str part = str_trim(str_cut(&rest, ','));
        char other[128];
        (void)snprintf(other, sizeof(other), STR_FMT, STR_ARG(part));
        const struct block *next = settings_block(s, "services", other);
        if (strcmp(other, name) == 0)
            return true;
        if (other[0] && next && depth < 64 &&
            waits_for(s, next, name, depth + 1))
            return true;
    }
    return false;
}

static void check_after(struct yaml_form *f, const struct settings *s,
                        const struct block *b, enum language l)
{
    const struct service_spec *o = b->options;
    const struct yaml *at =
        block_value(b, flag_find(b->section->flags, "after"));
    struct str rest = str_from_cstr(o->after ? o->after : "");
    const char *names[FLAGS_MAX];
    size_t n = 0;

    for (const struct block *i = NULL; (i = settings_next(s, "services", i));)
        if (n < COUNT(names) && i != b)
            names[n++] = i->name;
    while (at && rest.p && rest.n) {
        struct str part = str_trim(str_cut(&rest, ','));
        char *other = arena_cstr(f->arena, part);
        if (!other || (*other && settings_block(s, "services", other)) ||
            is_own(other))
            continue;
        const char *near = nearest_word(other, names, n);
        char hint[128] = "";
        if (near)
            (void)snprintf(hint, sizeof(hint), text_in(l, TEXT_DID_YOU_MEAN),
                           near);
        yaml_wrong(f, at, text_in(l, TEXT_CONFIG_NO_SERVICE), b->name, other,
                   near ? "; " : "", hint);
    }
    if (at && waits_for(s, b, b->name, 0))
        yaml_wrong(f, at, text_in(l, TEXT_CONFIG_CYCLE), b->name);
}

void check_service(struct yaml_form *f, const struct settings *s,
                   const struct block *b, enum language l)
{
    const struct service_spec *o = b->options;
    struct yaml at = name_of(b);

    if (is_own(b->name) || strcmp(b->name, "stoker") == 0)
        yaml_wrong(f, &at, text_in(l, TEXT_CONFIG_OWN_NAME), b->name);
    need(f, b, o->process.command, "command", l);
    check_after(f, s, b, l);
}

void check_backup(struct yaml_form *f, const struct settings *s,
                  const struct block *b, enum language l)
{
    const struct backup_settings *o = b->options;

    (void)s;
    need(f, b, o->sources, "sources", l);
    need(f, b, o->repo, "repo", l);
}

void check_schedule(struct yaml_form *f, const struct settings *s,
                    const struct block *b, enum language l)
{
    const struct job_spec *o = b->options;

    (void)s;
    need(f, b, o->process.command, "command", l);
    need(f, b, o->at, "at", l);
}
