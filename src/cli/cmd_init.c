#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/command.h"
#include "cli/config/settings.h"
#include "model/repo.h"

struct options {
    const char *out;
    bool force;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"output", 'o', FLAG_TEXT, AT(out), "stoker.yaml", 0, 0, 0, TEXT_OPT_INIT_OUT, false, 0, NULL},
    {"force",  'f', FLAG_BOOL, AT(force), NULL, 0, 0, 0, TEXT_OPT_INIT_FORCE, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

enum { TEXT_MAX = 1 << 20 };

/* What to write under a section of several blocks, as comments. */
static const struct {
    const char *section, *lines;
} examples[] = {
    {"notify", "  route: {receiver: team}\n"
               "  receivers:\n"
               "    - name: team\n"
               "      webhook_configs: [{url: https://example.com/hook}]\n"},
    {"services", "  web:\n"
                 "    command: python3 app.py\n"
                 "    ready_http: http://127.0.0.1:9000/health\n"
                 "    memory: 2G\n"},
    {"backups", "  models:\n"
                "    sources: [models]\n"
                "    repo: backups\n"
                "    at: daily at 03:00\n"
                "    keep_daily: 7\n"
                "    keep_weekly: 4\n"},
    {"schedules", "  report:\n"
                  "    at: weekdays at 9:00\n"
                  "    command: ./report.sh\n"},
};

static const char *example_of(const char *section)
{
    for (size_t i = 0; i < COUNT(examples); i++)
        if (strcmp(examples[i].section, section) == 0)
            return examples[i].lines;
    return NULL;
}

static void put_comment(struct buf *out, const char *lines)
{
    struct str rest = str_from_cstr(lines);

    while (rest.p && rest.n) {
        struct str line = str_cut(&rest, '\n');
        buf_printf(out, "# " STR_FMT "\n", STR_ARG(line));
    }
}

/* A section as comments: its defaults, or an example. */
static void put_section(struct buf *out, const struct section *c,
                        enum language l)
{
    const char *example = example_of(c->name);

    buf_printf(out, "\n# ---- %s: %s\n# %s:\n", c->name, text_in(l, c->help),
               c->name);
    if (example) {
        put_comment(out, example);
        return;
    }
    for (const struct flag *f = c->flags; f && f->name[0]; f++) {
        char name[FLAG_NAME_MAX], left[160];
        if (!section_has(c, f) || !f->fallback || !f->fallback[0])
            continue;
        bool quote = strpbrk(f->fallback, "*#,") != NULL;
        (void)snprintf(left, sizeof(left), "%s: %s%s%s", setting_name(f, name),
                       quote ? "\"" : "", f->fallback, quote ? "\"" : "");
        buf_printf(out, "#   %-28s # %s\n", left, text_in(l, f->help));
    }
}

/* The file as it is to be named in stoker.yaml, whose directory is `folder`:
 * without it when it lies beneath. */
static const char *beside(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && path[n] == '/' ? path + n + 1
                                                           : path;
}

static void put_path(struct buf *out, const char *path)
{
    if (strpbrk(path, " :#'\"\\{}[],&*!|>%@`$"))
        buf_put_quoted(out, str_from_cstr(path));
    else
        buf_puts(out, path);
}

static enum errc put_models(struct buf *out, const char *model,
                            const char *folder, struct err *err)
{
    char path[PATH_MAX];
    struct repo repo;
    struct stat st;

    repo_init(&repo);
    enum errc rc = realpath(model, path) && stat(path, &st) == 0
                       ? repo_add(&repo, path, err)
                       : fs_error(err, "cannot use", model);
    if (!rc && S_ISDIR(st.st_mode)) {
        buf_puts(out, "serve:\n  model_repository: ");
        put_path(out, beside(path, folder));
        buf_putc(out, '\n');
    } else if (!rc) {
        buf_printf(out, "models:\n  %s: ", repo.entries[0].name);
        put_path(out, beside(path, folder));
        buf_putc(out, '\n');
    }
    repo_fini(&repo);
    return rc;
}

/* Where the file will be, and the directory it lies in. */
static enum errc place(const char *out, char folder[PATH_MAX], struct err *err)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(out, '/');

    (void)snprintf(parent, sizeof(parent), "%.*s",
                   slash ? (int)(slash - out + (slash == out)) : 1,
                   slash ? out : ".");
    return realpath(parent, folder) ? ERR_OK
                                    : fs_error(err, "cannot use", parent);
}

static enum errc publish(const char *path, const struct buf *text,
                         enum language l, struct err *err)
{
    char temporary[PATH_MAX + 16];
    struct settings s = {0};

    (void)snprintf(temporary, sizeof(temporary), "%.4000s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || !fs_write_all(fd, text->p, text->n)) {
        enum errc rc = fs_error(err, "cannot write", temporary);
        if (fd >= 0)
            (void)close(fd);
        (void)unlink(temporary);
        return rc;
    }
    enum errc rc = settings_read(temporary, l, NULL, NULL, &s, err);
    settings_fini(&s);
    if (!rc)
        return fs_publish(fd, temporary, path, err);
    (void)close(fd);
    (void)unlink(temporary);
    return rc;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    enum language l = cli->language;
    char folder[PATH_MAX];
    struct buf text;

    if (!o->force && access(o->out, F_OK) == 0)
        return err_set(err, ERR_CONFLICT, text_in(l, TEXT_INIT_THERE), o->out);
    buf_init(&text, TEXT_MAX);
    buf_printf(&text, "# %s\n\n", text_in(l, TEXT_INIT_HEAD));
    enum errc rc = place(o->out, folder, err);
    if (!rc)
        rc = put_models(&text, args->rest[0], folder, err);
    for (const struct section *c = sections; c->name && !rc; c++)
        if (strcmp(c->name, "models") != 0)
            put_section(&text, c, l);
    if (!rc && text.failed)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = publish(o->out, &text, l, err);
    if (!rc) {
        fprintf(cli->out, text_in(l, TEXT_INIT_DONE), o->out);
        fputc('\n', cli->out);
    }
    buf_fini(&text);
    return rc;
}

const struct command cmd_init = {
    .name = "init",
    .args = "MODEL",
    .summary = TEXT_CMD_INIT,
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .run = run,
};
