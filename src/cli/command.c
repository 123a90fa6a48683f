#include "cli/command.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"

const struct command *const commands[] = {
#define X(name) &cmd_##name,
    COMMANDS(X)
#undef X
};
const size_t command_count = COUNT(commands);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

void command_help(struct cli *cli, const struct command *c)
{
    enum language l = cli->language;

    fprintf(cli->out, "%s: stoker %s%s%s%s%s\n\n%s\n", text_in(l, TEXT_USAGE),
            c->name, c->flags ? " [" : "",
            c->flags ? text_in(l, TEXT_OPTIONS_TITLE) : "",
            c->flags ? "] " : " ", c->args, text_in(l, c->summary));
    if (!c->flags)
        return;
    fprintf(cli->out, "\n%s:\n", text_in(l, TEXT_OPTIONS_TITLE));
    flags_help(c->flags, cli->out, l);
    if (c->more_help)
        c->more_help(cli->out, l);
}

void command_help_all(struct cli *cli)
{
    enum language l = cli->language;

    fprintf(cli->out, "%s\n\n%s: stoker COMMAND ...\n\n%s:\n",
            text_in(l, TEXT_TAGLINE), text_in(l, TEXT_USAGE),
            text_in(l, TEXT_COMMANDS_TITLE));
    for (size_t i = 0; i < command_count; i++)
        if (!commands[i]->hidden)
            fprintf(cli->out, "  %-12s %s\n", commands[i]->name,
                    text_in(l, commands[i]->summary));
    fprintf(cli->out, "\n%s\n", text_in(l, TEXT_HELP_MORE));
}

static int fail(struct cli *cli, const struct err *err, const char *command)
{
    bool colour = isatty(fileno(cli->err)) == 1;

    fflush(cli->out);
    fprintf(cli->err, "stoker: %s%s:%s %s\n", colour ? "\033[31m" : "",
            text_in(cli->language, TEXT_ERROR), colour ? "\033[0m" : "",
            err->msg);
    if (command) {
        fprintf(cli->err, text_in(cli->language, TEXT_HELP_HINT), command);
        fputc('\n', cli->err);
    }
    return errc_exit_status(err->code);
}

bool cli_has_colour(const struct cli *cli)
{
    return !getenv("NO_COLOR") && isatty(fileno(cli->out)) == 1;
}

static int unknown_command(struct cli *cli, const char *name)
{
    const char *names[64];
    struct err err = {0};
    size_t n = 0;

    for (size_t i = 0; i < command_count && n < COUNT(names); i++)
        if (!commands[i]->hidden)
            names[n++] = commands[i]->name;
    const char *near = nearest_word(name, names, n);
    err_record(&err, ERR_INVALID, text_in(cli->language, TEXT_NO_COMMAND),
               name);
    size_t used = strlen(err.msg);
    if (near) {
        char hint[96];
        (void)snprintf(hint, sizeof(hint),
                       text_in(cli->language, TEXT_DID_YOU_MEAN), near);
        (void)snprintf(err.msg + used, sizeof(err.msg) - used, "; %s", hint);
    }
    return fail(cli, &err, "");
}

static enum errc check_count(struct cli *cli, const struct command *c,
                             const struct flag_args *args, struct err *err)
{
    enum language l = cli->language;

    if (args->n < c->min_args)
        return err_set(err, ERR_INVALID, text_in(l, TEXT_TOO_FEW), c->name,
                       c->args);
    if (args->n > c->max_args)
        return err_set(err, ERR_INVALID, text_in(l, TEXT_TOO_MANY), c->name,
                       args->rest[c->max_args]);
    return ERR_OK;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run_command(struct cli *cli, const struct command *c, int argc,
                       char **argv)
{
    static const struct flag none[] = {{.name = ""}};
    _Alignas(max_align_t) char options[CLI_OPTIONS_MAX] = {0};
    struct flag_args args = {.n = 0};
    struct err err = {0};

    if (asks_help(argc, argv)) {
        command_help(cli, c);
        return 0;
    }
    enum errc rc = flags_parse(c->flags ? c->flags : none, options, argc, argv,
                               cli->language, &args, &err);
    if (!rc)
        rc = check_count(cli, c, &args, &err);
    if (rc)
        return fail(cli, &err, c->name);
    rc = c->run(cli, options, &args, &err);
    if (rc)
        return fail(cli, &err, NULL);
    return fflush(cli->out) == 0 ? 0 : errc_exit_status(ERR_IO);
}

static int dispatch(struct cli *cli, char **argv)
{
    const char *name = cli->argc > 1 ? argv[1] : NULL;

    if (!name || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        command_help_all(cli);
        return name ? 0 : errc_exit_status(ERR_INVALID);
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        name = "version";
    const struct command *c = command_find(name);
    if (!c)
        return unknown_command(cli, name);
    return run_command(cli, c, cli->argc - 2, argv + 2);
}

/* Commands get a copy of the arguments: the memory of the real ones becomes
 * the title of the process (daemon/child.c). */
int cli_main(struct cli *cli)
{
    char **argv = calloc((size_t)cli->argc + 1, sizeof(*argv));
    bool fine = argv != NULL;
    int status = errc_exit_status(ERR_NOMEM);

    for (int i = 0; fine && i < cli->argc; i++) {
        argv[i] = strdup(cli->argv[i]);
        fine = argv[i] != NULL;
    }
    cli->args = argv;
    if (fine)
        status = dispatch(cli, argv);
    for (int i = 0; argv && i < cli->argc; i++)
        free(argv[i]);
    free(argv);
    return status;
}
