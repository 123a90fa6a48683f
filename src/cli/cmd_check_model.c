/* Ourselves, as the process that tries a model; see model/check.h. */
#include <stdlib.h>

#include "cli/command.h"
#include "model/check.h"

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    struct runtime_options ro = {.device = args->rest[0], .threads = 1};
    (void)cli;
    (void)options;
    (void)err;

    if (args->rest[2][0])
        ro.library = args->rest[2];
    exit(check_child_main(&runtime_ort, &ro, args->rest[1]));
}

const struct command cmd_check_model = {
    .name = "check-model",
    .args = "DEVICE FOLDER LIBRARY",
    .summary = TEXT_CMD_INSPECT,
    .min_args = 3,
    .max_args = 3,
    .hidden = true,
    .run = run,
};
