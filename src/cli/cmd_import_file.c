/* Ourselves, as the process that reads a model file of another framework; see
 * import/process.h. */
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "import/process.h"

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    (void)cli;
    (void)options;
    (void)err;
    /* No exit handlers: they belong to libraries that were not used. */
    _exit(import_child_main(
        strcmp(args->rest[0], "inline") == 0 ? GRAPH_INLINE : GRAPH_EXTERNAL));
}

const struct command cmd_import_file = {
    .name = "import-file",
    .args = "inline|external",
    .summary = TEXT_CMD_INSPECT,
    .min_args = 1,
    .max_args = 1,
    .hidden = true,
    .run = run,
};
