#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/ask.h"

struct options {
    int64_t timeout;
};

#define AT(field) offsetof(struct options, field)
#define SECOND    INT64_C(1000000000)

/* clang-format off */
static const struct flag flags[] = {
    {"timeout", 0, FLAG_DURATION, AT(timeout), "5m", SECOND, 86400 * SECOND, SECOND, TEXT_OPT_WAIT, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

struct upgrading {
    int64_t generation, serve_pid; /* before */
};

/* Does the program run at all, on this machine? */
static enum errc try_out(const char *program, struct err *err)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        (void)execl(program, program, "version", (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return ERR_OK;
    return err_set(err, ERR_INVALID,
                   "'%s version' does not run: nothing was changed", program);
}

static bool is_upgraded(void *ctx, const struct answer *a, enum errc *rc,
                        struct err *err)
{
    const struct upgrading *u = ctx;
    struct str error = json_str_or(json_get(a->root, "upgrade_error"), "");
    const struct json_node *serve = answer_unit(a, "serve");

    if (error.n) {
        *rc = err_set(err, ERR_UNFIT, STR_FMT, STR_ARG(error));
        return true;
    }
    if (json_i64_or(json_get(a->root, "generation"), 0) <= u->generation)
        return false;
    return !serve || (json_says(json_get(serve, "state"), "ready") &&
                      json_i64_or(json_get(serve, "pid"), 0) != u->serve_pid);
}

static enum errc ask_for(const char *program, struct upgrading *u,
                         struct err *err)
{
    struct answer a;
    enum errc rc = ask("status", NULL, 0, NULL, &a, err);

    if (rc)
        return rc;
    u->generation = json_i64_or(json_get(a.root, "generation"), 0);
    u->serve_pid = json_i64_or(json_get(answer_unit(&a, "serve"), "pid"), 0);
    answer_free(&a);
    rc = ask("upgrade", NULL, 0, program, &a, err);
    if (!rc)
        answer_free(&a);
    return rc;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    const char *given = args->n ? args->rest[0] : "/proc/self/exe";
    struct upgrading u;
    char program[PATH_MAX];
    enum errc rc = realpath(given, program)
                       ? try_out(program, err)
                       : fs_error(err, "cannot use", given);

    if (!rc)
        rc = ask_for(program, &u, err);
    if (!rc)
        rc = await(is_upgraded, &u, false, o->timeout, err);
    if (!rc)
        fprintf(cli->out, "%s\n", text_in(cli->language, TEXT_UPGRADE_DONE));
    return rc;
}

const struct command cmd_upgrade = {
    .name = "upgrade",
    .args = "[PROGRAM]",
    .summary = TEXT_CMD_UPGRADE,
    .max_args = 1,
    .flags = flags,
    .run = run,
};
