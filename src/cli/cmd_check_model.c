/* Ourselves, as the process that tries a model; see model/check.h. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "cli/command.h"
#include "import/process.h"
#include "model/check.h"

enum { MODEL_MAX = INT32_MAX };

struct subject {
    const char *folder;
    bool is_imported;
    struct buf bytes;
    struct imported imported;
};

static enum errc read_model(void *ctx, struct model_source *out,
                            struct err *err)
{
    struct subject *s = ctx;
    const int descriptors[2] = {CHECK_FILE_FD, 0};
    enum errc rc;

    buf_init(&s->bytes, MODEL_MAX);
    if (s->is_imported) {
        rc = imported_attach(descriptors, &s->imported, err);
        *out = s->imported.source;
        return rc;
    }
    rc = fs_read("/dev/stdin", &s->bytes, err);
    *out = (struct model_source){.bytes = buf_str(&s->bytes),
                                 .folder = *s->folder ? s->folder : NULL};
    return rc;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    struct runtime_options ro = {.device = args->rest[0], .threads = 1};
    struct subject s = {.folder = args->rest[1],
                        .is_imported = strcmp(args->rest[3], "imported") == 0};
    (void)cli;
    (void)options;
    (void)err;

    if (args->rest[2][0])
        ro.library = args->rest[2];
    int status = check_child_main(&runtime_ort, &ro, read_model, &s);
    buf_fini(&s.bytes);
    if (s.is_imported)
        imported_close(&s.imported);
    exit(status);
}

const struct command cmd_check_model = {
    .name = "check-model",
    .args = "DEVICE FOLDER LIBRARY KIND",
    .summary = TEXT_CMD_INSPECT,
    .min_args = 4,
    .max_args = 4,
    .hidden = true,
    .run = run,
};
