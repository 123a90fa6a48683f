#include <errno.h>
#include <fcntl.h>
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
    int64_t generation, serve_pid, monitor_pid; /* before */
};

/* Does the program run on this machine, and is it a Stoker? */
static enum errc try_out(const char *program, struct err *err)
{
    char said[16] = "";
    size_t n = 0;
    int fds[2], status = -1;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(fds[1], 1);
        (void)execl(program, program, "version", (char *)NULL);
        _exit(127);
    }
    (void)close(fds[1]);
    for (ssize_t got = 1; got > 0 && n < sizeof(said) - 1;) {
        got = read(fds[0], said + n, sizeof(said) - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    }
    (void)close(fds[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    bool ran = pid > 0 && (WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    if (ran && strncmp(said, "stoker ", 7) == 0)
        return ERR_OK;
    return err_set(err, ERR_INVALID,
                   "'%s version' does not tell of a Stoker: nothing was "
                   "changed",
                   program);
}

/* A process of ours is another one than before, and ready. */
static bool is_new(const struct answer *a, const char *name, int64_t old)
{
    const struct json_node *u = answer_unit(a, name);

    return !u || (json_says(json_get(u, "state"), "ready") &&
                  json_i64_or(json_get(u, "pid"), 0) != old);
}

static bool is_upgraded(void *ctx, const struct answer *a, enum errc *rc,
                        struct err *err)
{
    const struct upgrading *u = ctx;

    if (answer_has_trouble(a, rc, err))
        return true;
    if (json_i64_or(json_get(a->root, "generation"), 0) <= u->generation)
        return false;
    return is_new(a, "serve", u->serve_pid) &&
           is_new(a, "monitor", u->monitor_pid);
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
    u->monitor_pid =
        json_i64_or(json_get(answer_unit(&a, "monitor"), "pid"), 0);
    answer_free(&a);
    return ask_to("upgrade", NULL, 0, program, err);
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
