/* config.c - see config.h: the file as a whole. */
#include "notify/config.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "notify/config_internal.h"
#include "notify/messages.h"

enum { MEMORY_MAX = 64 << 20, TEMPLATE_FILES_MAX = 100 };

/* ---- global, inhibition, times ------------------------------------------ */

static void take_global(struct config_reading *r, const struct yaml *n)
{
#define AT(field) offsetof(struct notify_global, field)
    static const struct yaml_field fields[] = {
        {"resolve_timeout", YAML_FIELD_OTHER, AT(resolve_timeout),
         config_duration},
        {"http_config", YAML_FIELD_OTHER, AT(http), yaml_http},
        {"smtp_from", YAML_FIELD_TEXT, AT(smtp_from), NULL},
        {"smtp_smarthost", YAML_FIELD_TEXT, AT(smtp_smarthost), NULL},
        {"smtp_hello", YAML_FIELD_TEXT, AT(smtp_hello), NULL},
        {"smtp_auth_username", YAML_FIELD_TEXT, AT(smtp_username), NULL},
        {"smtp_auth_identity", YAML_FIELD_TEXT, AT(smtp_identity), NULL},
        {"smtp_auth_secret", YAML_FIELD_OTHER, AT(smtp_secret), yaml_secret},
        {"smtp_auth_secret_file", YAML_FIELD_OTHER, AT(smtp_secret),
         yaml_secret_file},
        {"smtp_auth_password", YAML_FIELD_OTHER, AT(smtp_password),
         yaml_secret},
        {"smtp_auth_password_file", YAML_FIELD_OTHER, AT(smtp_password),
         yaml_secret_file},
        {"smtp_require_tls", YAML_FIELD_BOOL, AT(smtp_require_tls), NULL},
        {"slack_api_url", YAML_FIELD_OTHER, AT(slack_url), yaml_secret},
        {"slack_api_url_file", YAML_FIELD_OTHER, AT(slack_url),
         yaml_secret_file},
        {0}};
#undef AT

    r->config->global = (struct notify_global){.smtp_hello = STR("localhost"),
                                               .smtp_require_tls = true,
                                               .resolve_timeout = 5 * 60000};
    yaml_take(&r->form, n, fields, &r->config->global);
}

static void take_inhibit(struct config_reading *r, const struct yaml *n)
{
#define AT(field) offsetof(struct inhibit_rule, field)
    static const struct yaml_field fields[] = {
        {"source_match", YAML_FIELD_OTHER, AT(source), config_match},
        {"source_match_re", YAML_FIELD_OTHER, AT(source), config_match_re},
        {"source_matchers", YAML_FIELD_OTHER, AT(source), config_matchers},
        {"target_match", YAML_FIELD_OTHER, AT(target), config_match},
        {"target_match_re", YAML_FIELD_OTHER, AT(target), config_match_re},
        {"target_matchers", YAML_FIELD_OTHER, AT(target), config_matchers},
        {"equal", YAML_FIELD_TEXTS, AT(equal), NULL},
        {0}};
#undef AT
    struct notify_config *c = r->config;

    c->inhibits = yaml_room(&r->form, n, sizeof(*c->inhibits));
    for (const struct yaml *i = c->inhibits ? n->first : NULL; i; i = i->next) {
        c->inhibits[c->n_inhibits] = (struct inhibit_rule){.equal = {NULL, 0}};
        yaml_take(&r->form, i, fields, &c->inhibits[c->n_inhibits++]);
    }
}

static void take_period_list(struct yaml_form *f, const struct yaml *n,
                             void *field)
{
    struct named_period *p = field;

    if (!yaml_is_list(f, n))
        return;
    p->v = arena_new(f->arena, struct period, yaml_count(n) + 1);
    if (!p->v) {
        yaml_no_memory(f);
        return;
    }
    for (const struct yaml *c = n->first; c; c = c->next)
        period_take(f, c, &p->v[p->n++]);
}

static void take_periods(struct config_reading *r, const struct yaml *n)
{
    static const struct yaml_field fields[] = {
        {"name", YAML_FIELD_TEXT, offsetof(struct named_period, name), NULL},
        {"time_intervals", YAML_FIELD_OTHER, 0, take_period_list},
        {0}};
    struct notify_config *c = r->config;

    if (!yaml_is_list(&r->form, n))
        return;
    for (const struct yaml *i = n->first; i; i = i->next) {
        if (!arena_grow(&c->arena, &c->periods, c->n_periods, &c->cap_periods,
                        sizeof(*c->periods))) {
            yaml_no_memory(&r->form);
            return;
        }
        struct named_period *p = &c->periods[c->n_periods++];
        *p = (struct named_period){.name = STR("")};
        yaml_take(&r->form, i, fields, p);
        if (!p->name.n)
            yaml_wrong(&r->form, i, "missing name in time interval");
    }
}

/* ---- template files ----------------------------------------------------- */

static enum errc add_templates(struct notify_config *c, struct str text,
                               struct err *err)
{
    const struct template *ignored;

    return template_parse_about(text, message_fields, &c->templates, &c->arena,
                                &ignored, err);
}

static void read_templates(struct config_reading *r, const struct yaml *at,
                           const char *path)
{
    struct err why = {0};
    struct buf b;

    buf_init(&b, TEMPLATE_MAX_BYTES);
    enum errc rc = fs_read(path, &b, &why);
    if (rc)
        yaml_wrong(&r->form, at, "%s", why.msg);
    else if (add_templates(r->config, buf_str(&b), &why))
        yaml_wrong(&r->form, at, "%s:%s", path, why.msg);
    buf_fini(&b);
}

static void take_templates(struct config_reading *r, const struct yaml *n)
{
    char pattern[8300];
    glob_t found;

    if (!yaml_is_list(&r->form, n))
        return;
    for (const struct yaml *c = n->first; c; c = c->next) {
        struct str name = yaml_take_text(&r->form, c);
        yaml_beside(&r->form, name, pattern, sizeof(pattern));
        if (glob(pattern, 0, NULL, &found) != 0)
            continue; /* Alertmanager takes a pattern without files, too */
        for (size_t i = 0; i < found.gl_pathc && i < TEMPLATE_FILES_MAX; i++)
            read_templates(r, c, found.gl_pathv[i]);
        globfree(&found);
    }
}

/* ---- the file ----------------------------------------------------------- */

/* In the order in which parts need each other. */
static void take_all(struct config_reading *r, const struct yaml *root)
{
    static const struct yaml_field known[] = {
        {"global", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"templates", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"route", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"receivers", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"inhibit_rules", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"time_intervals", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"mute_time_intervals", YAML_FIELD_OTHER, 0, yaml_ignore},
        {0}};
    const struct yaml start = {.line = 1, .column = 1};
    const struct yaml *periods = yaml_get(root, "time_intervals");

    yaml_take(&r->form, root, known, r);
    take_global(r, yaml_get(root, "global"));
    take_templates(r, yaml_get(root, "templates"));
    take_inhibit(r, yaml_get(root, "inhibit_rules"));
    take_periods(r, periods);
    take_periods(r, yaml_get(root, "mute_time_intervals"));
    config_receivers(r, yaml_get(root, "receivers"));
    config_routes(r, yaml_get(root, "route"), root ? root : &start);
    if (!r->form.rc)
        config_check_messages(r, root ? root : &start);
}

static void keep_original(struct config_reading *r, struct str text)
{
    struct buf b;

    buf_init(&b, 2 * CONFIG_MAX_BYTES);
    yaml_hide(&b, text);
    const char *copy = arena_cstr(&r->config->arena, buf_str(&b));
    if (copy && !b.failed)
        r->config->original = (struct str){copy, b.n};
    else
        yaml_no_memory(&r->form);
    buf_fini(&b);
}

/* The lines of what is under that key of the file; all of them when key is
 * NULL. */
static struct str lines_of(struct str text, const struct yaml *root,
                           const char *key)
{
    const struct yaml *n = key ? yaml_get(root, key) : NULL;
    unsigned first = n ? n->key_line : 1, line = 1;
    unsigned end = n && n->next ? n->next->key_line : UINT_MAX;
    size_t from = first == 1 ? 0 : text.n, to = text.n;

    for (size_t i = 0; i < text.n && line < end; i++) {
        if (text.p[i] != '\n')
            continue;
        line++;
        from = line == first ? i + 1 : from;
        to = line == end ? i + 1 : to;
    }
    struct str lines = str_slice(text, from, to);
    if (n)
        (void)str_cut(&lines, '\n'); /* the key's own */
    return lines;
}

/* What is under the key (NULL: all of it); r->form names the file, and whom to
 * tell. */
static enum errc read_under(struct config_reading *r, const char *key,
                            struct str text)
{
    struct notify_config *c = r->config;
    struct yaml_form *f = &r->form;
    const struct yaml *root = NULL;
    struct err why = {0};

    *c = (struct notify_config){.original = STR("")};
    arena_init(&c->arena, MEMORY_MAX);
    enum errc rc =
        add_templates(c, str_from_cstr(built_in_messages.v[0].text), &why);
    if (!rc)
        rc = yaml_read(text, &c->arena, &root, &why);
    if (rc && f->report)
        f->report(f->ctx, f->file, why.msg);
    if (rc)
        rc = err_set(f->err, rc, "%s:%s", f->file, why.msg);
    if (!rc) {
        take_all(r, key ? yaml_get(root, key) : root);
        keep_original(r, lines_of(text, root, key));
        rc = f->rc;
    }
    if (rc)
        notify_config_fini(c);
    return rc;
}

enum errc notify_config_read(struct notify_config *c, const char *file,
                             struct str text,
                             void (*report)(void *ctx, const char *file,
                                            const char *message),
                             void *ctx, struct err *err)
{
    struct config_reading r = {.form = {.file = file,
                                        .arena = &c->arena,
                                        .report = report,
                                        .ctx = ctx,
                                        .err = err},
                               .config = c};

    return read_under(&r, NULL, text);
}

enum errc notify_config_load(struct notify_config *c, const char *place,
                             void (*report)(void *ctx, const char *file,
                                            const char *message),
                             void *ctx, struct err *err)
{
    const char *hash = access(place, F_OK) == 0 ? NULL : strrchr(place, '#');
    char *file = hash ? strndup(place, (size_t)(hash - place)) : strdup(place);
    struct buf b;

    if (!file)
        return err_set(err, ERR_NOMEM, "out of memory");
    struct config_reading r = {.form = {.file = file,
                                        .arena = &c->arena,
                                        .report = report,
                                        .ctx = ctx,
                                        .err = err},
                               .config = c};
    buf_init(&b, CONFIG_MAX_BYTES);
    enum errc rc = fs_read(file, &b, err);
    if (!rc)
        rc = read_under(&r, hash ? hash + 1 : NULL, buf_str(&b));
    buf_fini(&b);
    free(file);
    return rc;
}

void notify_config_fini(struct notify_config *c)
{
    for (size_t i = 0; i < c->n_inhibits; i++) {
        matchers_fini(&c->inhibits[i].source);
        matchers_fini(&c->inhibits[i].target);
    }
    config_route_free(c->root);
    arena_fini(&c->arena);
    *c = (struct notify_config){.original = STR("")};
}
