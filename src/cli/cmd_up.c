#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/ask.h"
#include "cli/plan.h"
#include "daemon/takeover.h"
#include "supervise/logger.h"

struct options {
    const char *config;
    int64_t timeout;
    bool detach;
};

#define AT(field) offsetof(struct options, field)
#define SECOND    INT64_C(1000000000)

/* clang-format off */
static const struct flag flags[] = {
    {"config",  'c', FLAG_TEXT, AT(config), NULL, 0, 0, 0, TEXT_OPT_SETTINGS, false, 0, NULL},
    {"detach",  'd', FLAG_BOOL, AT(detach), NULL, 0, 0, 0, TEXT_OPT_DETACH, false, 0, NULL},
    {"timeout",   0, FLAG_DURATION, AT(timeout), "5m", SECOND, 86400 * SECOND, SECOND, TEXT_OPT_WAIT, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

/* Everything that the master needs, for as long as it runs. */
struct rising {
    struct cli *cli;
    char path[SETTINGS_PATH_MAX], control[STATE_PATH_MAX];
    struct serve_options given; /* nothing is: the file says it */
    struct flag_args args;
    struct plan plan;
    struct plan_again again;
};

static enum errc prepare(struct rising *r, struct cli *cli,
                         const struct options *o, struct err *err)
{
    enum errc rc = settings_find(o->config, r->path, cli->language, err);

    r->cli = cli;
    if (!rc)
        rc = plan_place("up", r->control, err);
    if (!rc)
        rc = flags_parse(serve_flags, &r->given, 0, NULL, cli->language,
                         &r->args, err);
    if (!rc)
        rc = plan_make(cli, r->path, &r->given, &r->args, true, &r->plan, err);
    r->again = (struct plan_again){.cli = cli,
                                   .path = r->path,
                                   .given = &r->given,
                                   .args = &r->args,
                                   .first = &r->plan};
    return rc;
}

static enum errc run_master(struct rising *r, bool show, struct logger *log,
                            struct err *err)
{
    const struct master_options m = {.argv = r->cli->argv,
                                     .argc = r->cli->argc,
                                     .args = r->cli->args,
                                     .show = show,
                                     .log = log,
                                     .control = r->control,
                                     .again = plan_again,
                                     .release = plan_release,
                                     .ctx = &r->again};
    enum log_level level = LOG_INFO;

    (void)log_level_parse(str_from_cstr(r->plan.serve.log_level), &level);
    log_setup(2, level, "master");
    return master_run(&m, &r->plan.daemon, err);
}

/* ---- in the background ---------------------------------------------- */

struct failure {
    enum errc rc;
    char msg[512];
};

/* Whoever started us must not wait for an output that stays open. Our own log
 * is a service's: a file that is rotated. */
static enum errc detach_output(struct rising *r, struct logger *log,
                               struct err *err)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; fd < 3; fd++)
        if (null < 0 || dup2(null, fd) < 0)
            return err_set(err, ERR_IO, "/dev/null: %s", strerror(errno));
    (void)close(null);
    enum errc rc = logger_open(log, "stoker", &r->plan.daemon.logs, false, err);
    if (!rc && dup2(log->to, 2) < 0)
        rc = err_set(err, ERR_IO, "%s", strerror(errno));
    return rc;
}

static void background(struct rising *r, int report) NORETURN;
static void background(struct rising *r, int report)
{
    struct failure f = {.rc = ERR_OK};
    struct logger log = {0};
    struct err err = {0};

    (void)setsid();
    f.rc = detach_output(r, &log, &err);
    if (!f.rc)
        f.rc = run_master(r, false, &log, &err);
    (void)snprintf(f.msg, sizeof(f.msg), "%s", err.msg);
    ssize_t n = write(report, &f, sizeof(f));
    plan_free(&r->plan);
    _exit(n > 0 && f.rc ? errc_exit_status(f.rc) : 0);
}

struct upping {
    enum language language;
    int64_t pid; /* of the master */
};

static bool is_up(void *ctx, const struct answer *a, enum errc *rc,
                  struct err *err)
{
    const struct json_node *units = json_get(a->root, "units");
    struct upping *up = ctx;

    up->pid = json_i64_or(json_get(a->root, "pid"), 0);
    for (size_t i = 0; units && i < units->n; i++) {
        const struct json_node *u = json_at(units, i);
        const struct json_node *state = json_get(u, "state");
        struct str name = json_str_or(json_get(u, "name"), "");
        if (json_says(state, "failed") || json_says(state, "backoff")) {
            *rc = err_set(err, ERR_WARNED, text_in(up->language, TEXT_UP_SOME),
                          STR_ARG(name));
            return true;
        }
        if (!json_says(state, "ready") && !json_says(state, "done"))
            return false;
    }
    return true;
}

/* Until everything is ready, or the master has said why it cannot be. */
static enum errc watch(int report, pid_t child, int64_t timeout,
                       struct upping *up, struct err *err)
{
    const struct timespec pause = {0, 20000000};
    struct failure f;
    struct answer a;

    for (int i = 0;; i++) {
        ssize_t n = read(report, &f, sizeof(f));
        if (n == (ssize_t)sizeof(f) && f.rc)
            return err_set(err, f.rc, "%s", f.msg);
        if (n == 0 || n == (ssize_t)sizeof(f))
            return err_set(err, ERR_INTERNAL, "it ended before it was ready");
        enum errc rc = ask("status", NULL, 0, NULL, &a, NULL);
        bool ours = !rc && json_i64_or(json_get(a.root, "pid"), 0) == child;
        if (!rc)
            answer_free(&a);
        if (ours)
            return await(is_up, up, false, timeout, err);
        if ((int64_t)i * pause.tv_nsec > timeout)
            return err_set(err, ERR_TIMEOUT, "it does not answer");
        (void)nanosleep(&pause, NULL);
    }
}

static enum errc detach(struct rising *r, int64_t timeout, struct err *err)
{
    struct upping up = {.language = r->cli->language};
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    pid_t child = fork();
    if (child == 0) {
        (void)close(fds[0]);
        background(r, fds[1]);
    }
    (void)close(fds[1]);
    enum errc rc = ERR_OK;
    if (child > 0)
        rc = watch(fds[0], child, timeout, &up, err);
    else
        rc = err_set(err, ERR_IO, "cannot fork: %s", strerror(errno));
    (void)close(fds[0]);
    if (!rc || rc == ERR_WARNED) {
        fprintf(r->cli->out, text_in(r->cli->language, TEXT_UP_READY),
                (long long)up.pid);
        fputc('\n', r->cli->out);
    }
    return rc;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct rising *r = calloc(1, sizeof(*r));
    struct logger log = {0}; /* of the program before us */

    (void)args;
    if (!r)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = prepare(r, cli, o, err);
    if (rc)
        takeover_back(cli->args);
    else if (o->detach && !takeover_is_on())
        rc = detach(r, o->timeout, err);
    else
        rc = run_master(r, !o->detach, o->detach ? &log : NULL, err);
    plan_free(&r->plan);
    free(r);
    return rc;
}

const struct command cmd_up = {
    .name = "up",
    .args = "",
    .summary = TEXT_CMD_UP,
    .flags = flags,
    .run = run,
};
