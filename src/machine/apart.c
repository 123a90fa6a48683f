/* apart.c - answers that may never come. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "machine/facts.h"

/* The child: a byte with what became of it, then the text. */
static NORETURN void ask(struct machine *m, const char *name, int fd)
{
    struct str text = {"", 0};
    char found = (char)machine_fact(m, name, &text);
    bool told = fs_write_all(fd, &found, 1) &&
                (found != FOUND || fs_write_all(fd, text.p, text.n));

    _exit(told ? 0 : 1);
}

enum found machine_hear(int fd, int64_t limit_ms, struct buf *out)
{
    int64_t end = clock_mono_ns() + limit_ms * 1000000;

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = (end - clock_mono_ns()) / 1000000;
        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            return BROKEN;
        char *to = buf_reserve(out, 16384);
        ssize_t n = to ? read(fd, to, 16384) : -1;
        if (n <= 0)
            return n == 0 ? FOUND : BROKEN;
        out->n += (size_t)n;
    }
}

void machine_ask_apart(struct machine *m, const char *name, int64_t limit_ms)
{
    enum found found = BROKEN;
    struct buf said;
    int ends[2];

    if (pipe(ends))
        return;
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        ask(m, name, ends[1]);
    }
    (void)close(ends[1]);
    buf_init(&said, MACHINE_FILE_MAX);
    if (pid > 0 && machine_hear(ends[0], limit_ms, &said) == FOUND && said.n)
        found = (enum found)said.p[0];
    (void)close(ends[0]);
    if (pid > 0) {
        if (found == BROKEN)
            (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, found == BROKEN ? WNOHANG : 0);
    }
    struct str text =
        found == FOUND ? str_slice(buf_str(&said), 1, said.n) : STR("");
    machine_know(m, name, found, text);
    buf_fini(&said);
}

enum found machine_command(const char *const argv[], bool errors,
                           int64_t limit_ms, int *status, struct buf *out)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC))
        return BROKEN;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (errors)
        (void)posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    else
        (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
    int error = posix_spawnp(&pid, argv[0], &actions, NULL,
                             (char *const *)(uintptr_t)argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    enum found found =
        error ? found_errno(error) : machine_hear(ends[0], limit_ms, out);
    (void)close(ends[0]);
    if (error)
        return found;
    if (found != FOUND)
        (void)kill(pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    return found;
}
