/* command.h - what a subcommand looks like.
 *
 * To add one: write cli/cmd_<name>.c with one `const struct command`, add a
 * line to COMMANDS. Help, completion and the man page follow from the struct.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdio.h>

#include "base/err.h"
#include "cli/flag.h"
#include "cli/text.h"

struct cli {
    FILE *out, *err; /* never stdout directly: tests capture these */
    enum language language;
    char **argv; /* of main() */
    char **args; /* a copy, with a NULL at the end */
    int argc;
};

enum { CLI_OPTIONS_MAX = 1024 };

struct command {
    const char *name;
    const char *args; /* as shown in the usage line */
    enum text summary;
    int min_args, max_args;
    const struct flag *flags;
    /* Words that may follow, each with a blank behind, for completion; NULL:
     * files alone. */
    void (*words)(FILE *out);
    void (*more_help)(FILE *out, enum language l); /* may be NULL */
    bool hidden; /* for ourselves: takes its arguments as they are */
    enum errc (*run)(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err);
};

#define COMMANDS(X) \
    X(alert)        \
    X(backup)       \
    X(bench)        \
    X(check_model)  \
    X(compat)       \
    X(completion)   \
    X(config)       \
    X(convert)      \
    X(doctor)       \
    X(down)         \
    X(export)       \
    X(help)         \
    X(import_file)  \
    X(init)         \
    X(inspect)      \
    X(logs)         \
    X(man)          \
    X(monitor)      \
    X(predict)      \
    X(reload)       \
    X(restart)      \
    X(schedule)     \
    X(serve)        \
    X(setup)        \
    X(status)       \
    X(top)          \
    X(up)           \
    X(upgrade)      \
    X(version)      \
    X(why)

#define X(name) extern const struct command cmd_##name;
COMMANDS(X)
#undef X

extern const struct command *const commands[];
extern const size_t command_count;

const struct command *command_find(const char *name);

/* The help of one command, or of all. */
void command_help(struct cli *cli, const struct command *c);
void command_help_all(struct cli *cli);

/* The answer goes to a terminal, and nobody objects (https://no-color.org). */
bool cli_has_colour(const struct cli *cli);

/* Returns the exit status of the process. */
int cli_main(struct cli *cli);

#endif
