#include "cli/command.h"

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    (void)options;

    if (args->n == 0) {
        command_help_all(cli);
        return ERR_OK;
    }
    const struct command *c = command_find(args->rest[0]);
    if (!c || c->hidden)
        return err_set(err, ERR_INVALID,
                       text_in(cli->language, TEXT_NO_COMMAND), args->rest[0]);
    command_help(cli, c);
    return ERR_OK;
}

const struct command cmd_help = {
    .name = "help",
    .args = "[COMMAND]",
    .summary = TEXT_CMD_HELP,
    .max_args = 1,
    .run = run,
};
