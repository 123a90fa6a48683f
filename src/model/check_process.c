/* The child processes of check.h: limits, verdicts, deaths. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "model/check.h"
#include "model/sandbox.h"

enum { CPU_SECONDS = 600 };

struct verdict {
    uint32_t index;
    enum errc rc;
    char msg[512];
    struct model_facts facts;
};

static bool read_all(int fd, void *p, size_t n)
{
    char *at = p;

    while (n) {
        ssize_t got = read(fd, at, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        n -= (size_t)got;
    }
    return true;
}

static struct verdict judge(const struct runtime_ops *ops, struct runtime *rt,
                            const struct model_source *source, uint32_t index)
{
    struct verdict v;
    struct err err = {0};

    memset(&v, 0, sizeof(v));
    v.index = index;
    v.rc = check_here(ops, rt, source, &v.facts, &err);
    memcpy(v.msg, err.msg, sizeof(v.msg));
    return v;
}

static void limit_child(void)
{
    struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, core = {0, 0};

    (void)setrlimit(RLIMIT_CPU, &cpu);
    (void)setrlimit(RLIMIT_CORE, &core);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    sandbox_enter();
}

static void describe_death(int status, struct check_job *job)
{
    if (WIFSIGNALED(status))
        job->rc = err_set(&job->err, ERR_INVALID,
                          "the file crashes ONNX Runtime (%s); it is damaged "
                          "or hostile",
                          strsignal(WTERMSIG(status)));
    else
        job->rc = err_set(&job->err, ERR_INVALID,
                          "the process that tried the file ended early "
                          "(exit status %d)",
                          WEXITSTATUS(status));
}

static void take(const struct verdict *v, struct check_job *job)
{
    job->rc = v->rc;
    job->facts = v->facts;
    job->facts.why[sizeof(job->facts.why) - 1] = '\0';
    if (v->rc)
        err_record(&job->err, v->rc, "%.*s", (int)sizeof(v->msg) - 1, v->msg);
}

static int reap(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* One child for jobs[from..n); returns how many it finished. */
static size_t run_child(const struct runtime_ops *ops, struct runtime *rt,
                        struct check_job *jobs, size_t from, size_t n)
{
    int fds[2];
    struct verdict v;

    if (pipe2(fds, O_CLOEXEC) != 0) {
        jobs[from].rc = fs_error(&jobs[from].err, "make", "a pipe");
        return from + 1;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        limit_child();
        for (size_t i = from; i < n; i++) {
            v = judge(ops, rt, &jobs[i].source, (uint32_t)i);
            if (!fs_write_all(fds[1], &v, sizeof(v)))
                break;
        }
        _exit(0);
    }
    (void)close(fds[1]);
    size_t done = from;
    while (pid > 0 && done < n && read_all(fds[0], &v, sizeof(v)))
        take(&v, &jobs[done++]);
    (void)close(fds[0]);
    if (pid < 0) {
        jobs[done].rc = fs_error(&jobs[done].err, "fork", "a child process");
        return done + 1;
    }
    int status = reap(pid);
    if (done < n)
        describe_death(status, &jobs[done++]);
    return done;
}

void check_forked(const struct runtime_ops *ops, struct runtime *rt,
                  struct check_job *jobs, size_t n)
{
    for (size_t done = 0; done < n;)
        done = run_child(ops, rt, jobs, done, n);
}

/* The model's bytes as a file without a name; of an imported one there is such
 * a file already. */
static int input_file(const struct model_source *source)
{
    if (source->descriptors)
        return fcntl(source->descriptors[1], F_DUPFD_CLOEXEC, 3);
    int in = memfd_create("model", MFD_CLOEXEC);
    if (in >= 0 && (!fs_write_all(in, source->bytes.p, source->bytes.n) ||
                    lseek(in, 0, SEEK_SET) != 0)) {
        (void)close(in);
        return -1;
    }
    return in;
}

/* The model goes in as an anonymous file, the verdict comes out of a pipe. */
static enum errc spawn(const struct runtime_options *options,
                       struct check_job *job, pid_t *pid, int *out)
{
    int fds[2];
    int in = input_file(&job->source);
    const char *argv[] = {"stoker: checker",
                          "check-model",
                          options->device,
                          job->source.folder ? job->source.folder : "",
                          options->library ? options->library : "",
                          job->source.descriptors ? "imported" : "onnx",
                          NULL};
    posix_spawn_file_actions_t actions;

    if (in < 0 || pipe2(fds, O_CLOEXEC) != 0) {
        if (in >= 0)
            (void)close(in);
        return fs_error(&job->err, "prepare", "the check");
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
    if (job->source.descriptors)
        posix_spawn_file_actions_adddup2(&actions, job->source.descriptors[0],
                                         CHECK_FILE_FD);
    int rc = posix_spawn(pid, "/proc/self/exe", &actions, NULL,
                         (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    (void)close(in);
    (void)close(fds[1]);
    if (rc) {
        (void)close(fds[0]);
        errno = rc;
        return fs_error(&job->err, "start", "the checker");
    }
    *out = fds[0];
    return ERR_OK;
}

void check_spawned(const struct runtime_options *options, struct check_job *job)
{
    struct verdict v;
    pid_t pid;
    int out = -1;

    job->rc = spawn(options, job, &pid, &out);
    if (job->rc)
        return;
    bool told = read_all(out, &v, sizeof(v));
    (void)close(out);
    int status = reap(pid);
    if (told)
        take(&v, job);
    else
        describe_death(status, job);
}

int check_child_main(const struct runtime_ops *ops,
                     const struct runtime_options *options,
                     enum errc (*read)(void *ctx, struct model_source *out,
                                       struct err *err),
                     void *ctx)
{
    struct verdict v;
    struct model_source source = {.folder = NULL};
    struct runtime *rt = NULL;
    struct err err = {0};

    memset(&v, 0, sizeof(v));
    enum errc rc = read(ctx, &source, &err);
    if (!rc)
        rc = ops->open(options, &rt, &err);
    if (rc) {
        v.rc = rc;
        memcpy(v.msg, err.msg, sizeof(v.msg));
    } else {
        limit_child();
        v = judge(ops, rt, &source, 0);
    }
    ops->close(rt);
    return fs_write_all(1, &v, sizeof(v)) ? 0 : 1;
}
