#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/command.h"
#include "cli/hint_flags.h"
#include "import/process.h"

struct options {
    const char *output;
    struct import_hints hints;
};

static const struct flag flags[] = {
    {"output", 'o', FLAG_TEXT, offsetof(struct options, output), NULL, 0, 0, 0,
     TEXT_OPT_CONVERT_OUTPUT, false, 0, NULL},
    HINT_FLAGS(struct options, hints),
    {.name = ""},
};

/* Beside its place, then renamed: nobody sees half a file. */
static enum errc publish(const char *path, struct str bytes, struct err *err)
{
    char temporary[4200];

    if (strcmp(path, "-") == 0)
        return fs_write_all(1, bytes.p, bytes.n)
                   ? ERR_OK
                   : fs_error(err, "write", "the output");
    if (snprintf(temporary, sizeof(temporary), "%.4100s.XXXXXX", path) >=
        (int)sizeof(temporary))
        return err_set(err, ERR_LIMIT, "the path is too long");
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return fs_error(err, "write", path);
    mode_t mask = umask(0);
    (void)umask(mask);
    if (fs_write_all(fd, bytes.p, bytes.n) && fchmod(fd, 0666 & ~mask) == 0)
        return fs_publish(fd, temporary, path, err);
    enum errc rc = fs_error(err, "write", path);
    (void)close(fd);
    (void)unlink(temporary);
    return rc;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    const char *path = args->rest[0];
    struct imported m;

    if (!o->output)
        return err_set(err, ERR_INVALID,
                       "where to? Give -o model.onnx (or -o - for standard "
                       "output)");
    if (import_kind_of(path) == IMPORT_ONNX)
        return err_set(err, ERR_INVALID, "'%s' is an ONNX model already", path);
    enum errc rc = imported_open(path, GRAPH_INLINE, &o->hints, &m, err);
    if (rc)
        (void)err_wrap(err, rc, "cannot convert '%s'", path);
    else
        rc = publish(o->output, m.source.bytes, err);
    if (!rc && strcmp(o->output, "-") != 0)
        (void)fprintf(cli->out, "%s: %s, %s, %zu bytes\n", o->output,
                      m.report.kind, m.report.framework, m.source.bytes.n);
    imported_close(&m);
    return rc;
}

const struct command cmd_convert = {
    .name = "convert",
    .args = "MODEL",
    .summary = TEXT_CMD_CONVERT,
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .run = run,
};
