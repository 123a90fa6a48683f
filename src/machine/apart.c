/* apart.c - a fact that may never come. */
#include <poll.h>
#include <signal.h>
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
