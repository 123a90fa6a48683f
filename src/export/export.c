#include "export/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alert/built_in.h"
#include "base/fs.h"

enum { FILE_MAX = 4 << 20, PATH_BYTES = 4400 };

/* ---- texts -------------------------------------------------------------- */

static struct str template_named(const char *name)
{
    for (size_t i = 0; i < export_templates.n; i++)
        if (strcmp(export_templates.v[i].name, name) == 0)
            return (struct str){export_templates.v[i].text,
                                export_templates.v[i].n};
    return STR("");
}

/* The word at the text's beginning, and what stands for it. */
static size_t replaced(struct str s, const struct export_options *o,
                       const char **value)
{
    const struct {
        const char *word, *value;
    } words[] = {{"@MONITOR@", o->monitor},
                 {"@TARGET@", o->target},
                 {"@LOG@", o->log},
                 {"@DIRECTORY@", o->directory}};

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_starts(s, str_from_cstr(words[i].word))) {
            *value = words[i].value;
            return strlen(words[i].word);
        }
    return 0;
}

static void write_template(const struct export_file *f,
                           const struct export_options *o, struct buf *out)
{
    struct str rest = template_named(f->from);
    const char *value;

    while (rest.n) {
        size_t n = replaced(rest, o, &value);
        if (n)
            buf_puts(out, value);
        else
            buf_putc(out, rest.p[0]);
        rest = str_slice(rest, n ? n : 1, rest.n);
    }
}

static void write_rules(const struct export_file *f,
                        const struct export_options *o, struct buf *out)
{
    (void)f;
    (void)o;
    buf_put(out, (struct str){built_in_rules.v[0].text, built_in_rules.v[0].n});
}

/* ---- kinds -------------------------------------------------------------- */

static const struct export_file prometheus[] = {
    {"prometheus.yml", write_template, "prometheus.yml", NULL},
    {"rules/stoker.rules.yml", write_rules, NULL, NULL},
    {0}};
static const struct export_file alertmanager[] = {
    {"alertmanager.yml", write_template, "alertmanager.yml", NULL}, {0}};
static const struct export_file filebeat[] = {
    {"filebeat.yml", write_template, "filebeat.yml", NULL}, {0}};
static const struct export_file grafana[] = {
    {"provisioning/datasources/stoker.yml", write_template, "datasource.yml",
     NULL},
    {"provisioning/dashboards/stoker.yml", write_template, "dashboards.yml",
     NULL},
    {"dashboards/stoker-service.json", dashboard_write, NULL,
     &dashboard_service},
    {"dashboards/stoker-gpu.json", dashboard_write, NULL, &dashboard_gpu},
    {"dashboards/stoker-host.json", dashboard_write, NULL, &dashboard_host},
    {0}};

const struct export_kind export_kinds[] = {{"alertmanager", alertmanager},
                                           {"filebeat", filebeat},
                                           {"grafana", grafana},
                                           {"prometheus", prometheus}};
const size_t n_export_kinds = COUNT(export_kinds);

/* ---- files -------------------------------------------------------------- */

static enum errc write_file(const char *path, struct str text, struct err *err)
{
    char draft[PATH_BYTES + 8], dir[PATH_BYTES];

    (void)snprintf(dir, sizeof(dir), "%s", path);
    *strrchr(dir, '/') = '\0';
    (void)snprintf(draft, sizeof(draft), "%s.new", path);
    enum errc rc = fs_make_dirs(dir, err);
    if (rc)
        return rc;
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || !fs_write_all(fd, text.p, text.n)) {
        if (fd >= 0)
            (void)close(fd);
        return err_set(err, ERR_IO, "cannot write '%s': %s", draft,
                       strerror(errno));
    }
    return fs_publish(fd, draft, path, err);
}

enum errc export_write(const struct export_kind *kind,
                       const struct export_options *o,
                       void (*each)(void *ctx, const char *path), void *ctx,
                       struct err *err)
{
    enum errc rc = ERR_OK;
    char path[PATH_BYTES];

    for (const struct export_file *f = kind->files; f->path && !rc; f++) {
        struct buf text;
        buf_init(&text, FILE_MAX);
        f->write(f, o, &text);
        (void)snprintf(path, sizeof(path), "%.4000s/%.300s", o->directory,
                       f->path);
        if (text.failed)
            rc = err_set(err, ERR_NOMEM, "out of memory");
        else
            rc = write_file(path, buf_str(&text), err);
        buf_fini(&text);
        if (!rc)
            each(ctx, path);
    }
    return rc;
}
