#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/config/show.h"

struct options {
    const char *config;
    bool all, json;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"config", 'c', FLAG_TEXT, AT(config), NULL, 0, 0, 0, TEXT_OPT_SETTINGS, false, 0, NULL},
    {"all",    'a', FLAG_BOOL, AT(all), NULL, 0, 0, 0, TEXT_OPT_CONFIG_ALL, false, 0, NULL},
    {"json",     0, FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

enum { MEMORY_MAX = 64 << 20 };

struct doing {
    struct cli *cli;
    const struct options *o;
    size_t mistakes;
    struct buf out; /* JSON */
};

static void show_buf(struct doing *d)
{
    fprintf(d->cli->out, STR_FMT, STR_ARG(buf_str(&d->out)));
}

/* ---- check -----------------------------------------------------------------
 */

static void on_mistake(void *ctx, const char *file, const char *message)
{
    struct doing *d = ctx;
    struct str rest = str_from_cstr(message), line, column;
    uint64_t at = 0, place = 0;

    if (d->o->json) {
        line = str_cut(&rest, ':');
        column = str_cut(&rest, ':');
        bool placed =
            rest.p && str_to_u64(line, &at) && str_to_u64(column, &place);
        buf_put_field(&d->out, d->mistakes ? ",\n{\"file\":" : "{\"file\":",
                      str_from_cstr(file));
        if (placed)
            buf_printf(&d->out, ",\"line\":%llu,\"column\":%llu",
                       (unsigned long long)at, (unsigned long long)place);
        buf_put_field(&d->out, ",\"message\":",
                      placed ? str_trim(rest) : str_from_cstr(message));
        buf_putc(&d->out, '}');
    } else {
        fprintf(d->cli->out, "%s:%s\n", file, message);
    }
    d->mistakes++;
}

static size_t count(const struct settings *s, const char *section)
{
    size_t n = 0;

    for (const struct block *b = NULL; (b = settings_next(s, section, b));)
        n++;
    return n;
}

static enum errc do_check(struct doing *d, const char *path, struct err *err)
{
    struct settings s;

    buf_puts(&d->out, "[");
    enum errc rc =
        settings_read(path, d->cli->language, on_mistake, d, &s, err);
    buf_puts(&d->out, "]\n");
    if (d->o->json)
        show_buf(d);
    else if (!rc) {
        fprintf(d->cli->out, text_in(d->cli->language, TEXT_CONFIG_FINE), path,
                count(&s, "models"), count(&s, "services"),
                count(&s, "backups"), count(&s, "schedules"));
        fputc('\n', d->cli->out);
    }
    if (rc && d->mistakes)
        rc = err_set(err, ERR_INVALID,
                     text_in(d->cli->language, TEXT_CONFIG_MISTAKES), path,
                     d->mistakes);
    settings_fini(&s);
    return rc;
}

/* ---- show, diff ------------------------------------------------------------
 */

/* A file and its settings; a zeroed one may be closed. */
struct listed {
    struct settings settings;
    struct arena arena;
    struct setting_list list;
};

static enum errc listed_open(struct doing *d, const char *path, int what,
                             struct listed *out, struct err *err)
{
    arena_init(&out->arena, MEMORY_MAX);
    enum errc rc =
        settings_read(path, d->cli->language, NULL, NULL, &out->settings, err);
    return rc ? rc
              : settings_list(&out->settings, what, &out->arena, &out->list,
                              err);
}

static void listed_close(struct listed *l)
{
    settings_fini(&l->settings);
    arena_fini(&l->arena);
}

static enum errc do_show(struct doing *d, const char *path, struct err *err)
{
    struct listed l = {0};
    enum errc rc =
        listed_open(d, path, d->o->all ? LIST_ALL : LIST_GIVEN, &l, err);

    if (!rc) {
        if (d->o->json)
            settings_put_json(&l.list, &d->out);
        else
            settings_put_yaml(&l.list, &d->out);
        show_buf(d);
    }
    listed_close(&l);
    return rc;
}

static void on_difference(void *ctx, const struct setting *was,
                          const struct setting *is)
{
    struct doing *d = ctx;
    const struct setting *s = was ? was : is;
    bool json = d->o->json;

    if (json) {
        struct buf key;
        buf_init(&key, 4096);
        setting_put_key(s, &key);
        buf_put_field(
            &d->out,
            d->out.n > 1 ? ",\n{\"setting\":" : "{\"setting\":", buf_str(&key));
        if (was)
            buf_put_field(&d->out, ",\"was\":", str_from_cstr(was->value));
        if (is)
            buf_put_field(&d->out, ",\"is\":", str_from_cstr(is->value));
        buf_putc(&d->out, '}');
        buf_fini(&key);
        return;
    }
    for (int i = 0; i < 2; i++) {
        const struct setting *one = i == 0 ? was : is;
        if (!one)
            continue;
        buf_puts(&d->out, i == 0 ? "- " : "+ ");
        setting_put_key(one, &d->out);
        buf_printf(&d->out, ": %s\n", one->value);
    }
}

static enum errc do_diff(struct doing *d, const char *was, const char *is,
                         struct err *err)
{
    struct listed a = {0}, b = {0};
    enum errc rc = listed_open(d, was, LIST_ALL, &a, err);

    if (!rc)
        rc = listed_open(d, is, LIST_ALL, &b, err);
    if (!rc) {
        buf_puts(&d->out, d->o->json ? "[" : "");
        size_t n = settings_differ(&a.list, &b.list, on_difference, d);
        buf_puts(&d->out, d->o->json ? "]\n" : "");
        show_buf(d);
        if (n)
            rc = err_set(err, ERR_WARNED,
                         text_in(d->cli->language, TEXT_CONFIG_DIFFERS), n);
        else if (!d->o->json)
            fprintf(d->cli->out, "%s\n",
                    text_in(d->cli->language, TEXT_CONFIG_SAME));
    }
    listed_close(&a);
    listed_close(&b);
    return rc;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    struct doing d = {.cli = cli, .o = options};
    const char *what = args->rest[0];
    char path[SETTINGS_PATH_MAX];
    bool diff = strcmp(what, "diff") == 0;
    const char *given = d.o->config            ? d.o->config
                        : !diff && args->n > 1 ? args->rest[1]
                                               : NULL;
    enum errc rc = settings_find(given, path, cli->language, err);

    buf_init(&d.out, MEMORY_MAX);
    if (!rc && strcmp(what, "check") == 0)
        rc = do_check(&d, path, err);
    else if (!rc && strcmp(what, "show") == 0)
        rc = do_show(&d, path, err);
    else if (!rc && diff && args->n > 1)
        rc = do_diff(&d, args->rest[1], path, err);
    else if (!rc)
        rc = err_set(err, ERR_INVALID, text_in(cli->language, TEXT_CONFIG_WHAT),
                     what);
    buf_fini(&d.out);
    return rc;
}

static void words(FILE *out)
{
    fputs("check show diff ", out);
}

static void more_help(FILE *out, enum language l)
{
    fputc('\n', out);
    settings_help(out, l);
}

const struct command cmd_config = {
    .name = "config",
    .args = "check|show [FILE] | diff OLDER",
    .summary = TEXT_CMD_CONFIG,
    .min_args = 1,
    .max_args = 2,
    .flags = flags,
    .words = words,
    .more_help = more_help,
    .run = run,
};
