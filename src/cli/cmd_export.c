#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "export/export.h"

struct options {
    const char *directory, *monitor, *target, *log;
    bool json;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"output",  'o', FLAG_TEXT, AT(directory), NULL, 0, 0, 0, TEXT_OPT_EXPORT_OUTPUT, false, 0, NULL},
    {"monitor",   0, FLAG_TEXT, AT(monitor), "127.0.0.1:8002", 0, 0, 0, TEXT_OPT_EXPORT_MONITOR, false, 0, NULL},
    {"target",    0, FLAG_TEXT, AT(target), "127.0.0.1:8000", 0, 0, 0, TEXT_OPT_EXPORT_TARGET, false, 0, NULL},
    {"log",       0, FLAG_TEXT, AT(log), "/var/log/stoker/stoker.log", 0, 0, 0, TEXT_OPT_EXPORT_LOG, false, 0, NULL},
    {"json",      0, FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

struct telling {
    struct cli *cli;
    bool json, any;
};

static void tell(void *ctx, const char *path)
{
    struct telling *t = ctx;
    struct buf b;

    buf_init(&b, 1 << 16);
    if (t->json) {
        buf_puts(&b, t->any ? "," : "");
        buf_put_quoted(&b, str_from_cstr(path));
    } else {
        buf_printf(&b, "%s\n", path);
    }
    fprintf(t->cli->out, STR_FMT, STR_ARG(buf_str(&b)));
    buf_fini(&b);
    t->any = true;
}

/* From the root: Grafana wants to know where its files lie. */
static void find_directory(const char *given, char *out, size_t max)
{
    char here[4096];

    if (given[0] == '/' || !getcwd(here, sizeof(here)))
        here[0] = '\0';
    (void)snprintf(out, max, "%s%s%s", here, here[0] ? "/" : "", given);
}

static const struct export_kind *kind_named(const char *name)
{
    for (size_t i = 0; i < n_export_kinds; i++)
        if (strcmp(export_kinds[i].name, name) == 0)
            return &export_kinds[i];
    return NULL;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    const struct export_kind *kind = kind_named(args->rest[0]);
    struct telling t = {.cli = cli, .json = o->json};
    char directory[8200];

    if (!kind)
        return err_set(err, ERR_INVALID,
                       text_in(cli->language, TEXT_EXPORT_WHAT), args->rest[0]);
    find_directory(o->directory ? o->directory : kind->name, directory,
                   sizeof(directory));
    const struct export_options e = {.directory = directory,
                                     .monitor = o->monitor,
                                     .target = o->target,
                                     .log = o->log,
                                     .chinese = cli->language == LANGUAGE_ZH};
    if (o->json)
        fputs("[", cli->out);
    enum errc rc = export_write(kind, &e, tell, &t, err);
    if (o->json)
        fputs("]\n", cli->out);
    return rc;
}

static void words(FILE *out)
{
    for (size_t i = 0; i < n_export_kinds; i++)
        fprintf(out, "%s ", export_kinds[i].name);
}

const struct command cmd_export = {
    .name = "export",
    .args = "alertmanager|filebeat|grafana|prometheus",
    .summary = TEXT_CMD_EXPORT,
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .words = words,
    .run = run,
};
