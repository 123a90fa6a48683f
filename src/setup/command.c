/* command.c - commands on the machine that is set up.
 *
 * In a tree, each has mounts of its own: the kernel's file systems, and the
 * bundle of packages at HOST_BUNDLE. They are gone with the process, so
 * nothing is left behind whatever happens to us.
 *
 * What a command says goes straight to the log, unless it is asked for: when we
 * are killed, a package manager in the middle of its work comes to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "setup/host.h"

enum { NO_COMMAND = 127, NO_ROOT = 126, TAIL_MAX = 4096 };

static const char *const environment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LC_ALL=C.UTF-8",
    "DEBIAN_FRONTEND=noninteractive",
    "NEEDRESTART_SUSPEND=1",
    "PIP_DISABLE_PIP_VERSION_CHECK=1",
    NULL};

/* ---- the child ------------------------------------------------------- */

static void mount_at(const struct host *h, const char *from, const char *type,
                     unsigned long flags, const char *at)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", h->path, at);
    (void)mount(from, path, type, flags, NULL);
}

/* What cannot be mounted is missed by the command alone. */
static void mount_apart(const struct host *h)
{
    char path[PATH_MAX];

    if (unshare(CLONE_NEWNS))
        return;
    (void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    if (host_is_tree(h)) {
        mount_at(h, "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "proc");
        mount_at(h, "/sys", NULL, MS_BIND | MS_REC, "sys");
        mount_at(h, "/dev", NULL, MS_BIND | MS_REC, "dev");
        mount_at(h, "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV, "run");
    }
    if (h->bundle) {
        (void)snprintf(path, sizeof(path), "%s" HOST_BUNDLE, h->path);
        (void)mkdir(path, 0755);
        mount_at(h, h->bundle, NULL, MS_BIND, HOST_BUNDLE);
    }
}

static NORETURN void become(const struct host *h, const char *const *argv,
                            int out)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;

    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (host_is_tree(h) || h->bundle)
        mount_apart(h);
    if (host_is_tree(h) && chroot(h->path))
        _exit(NO_ROOT);
    if (chdir("/") || dup2(nothing, 0) < 0 || dup2(out, 1) < 0 ||
        dup2(out, 2) < 0)
        _exit(NO_ROOT);
    (void)umask(022);
    environ = (char **)(uintptr_t)environment; /* its PATH is searched */
    (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(errno == ENOENT ? NO_COMMAND : NO_ROOT);
}

/* ---- the parent ------------------------------------------------------ */

static void hear(int fd, struct buf *out)
{
    char piece[16384];
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) > 0)
        buf_put(out, (struct str){piece, (size_t)n});
}

/* The end of what the log got since then. */
static struct str tail(const struct host *h, off_t since, char *room)
{
    off_t end = h->log < 0 ? 0 : lseek(h->log, 0, SEEK_END);
    off_t from = end - since > TAIL_MAX ? end - TAIL_MAX : since;
    ssize_t n =
        end > from ? pread(h->log, room, (size_t)(end - from), from) : 0;

    return (struct str){room, n > 0 ? (size_t)n : 0};
}

/* Takes the last line with something on it off the text's end. */
static struct str take_last_line(struct str *text)
{
    while (text->n && strchr(" \r\n\t", text->p[text->n - 1]))
        text->n--;
    struct str line = str_behind_last(*text, '\n');
    text->n -= line.n;
    return line;
}

/* What it said of its failure: the last line that calls itself an error, or
 * else the last one. Behind an error may stand what the command said before
 * (a program that writes to a file keeps it back), and what a command that a
 * killed run left at work says in the same log. */
static struct str complaint(struct str text)
{
    struct str last = take_last_line(&text);

    for (struct str line = last; line.n; line = take_last_line(&text))
        if (str_starts(line, STR("E: ")) ||
            memmem(line.p, line.n, "error: ", 7))
            return line;
    return last;
}

static enum errc judge(const char *const *argv, int status, struct str said,
                       struct err *err)
{
    said = complaint(said);

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return ERR_OK;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_COMMAND && !said.n)
        return err_set(err, ERR_NOT_FOUND, "there is no command '%s'", argv[0]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_ROOT && !said.n)
        return err_set(err, ERR_DENIED,
                       "'%s' could not be started: this needs "
                       "root",
                       argv[0]);
    if (WIFSIGNALED(status))
        return err_set(err, ERR_UNAVAIL, "'%s' was killed by signal %d",
                       argv[0], WTERMSIG(status));
    return err_set(err, ERR_UNAVAIL, "'%s' failed with status %d: " STR_FMT,
                   argv[0], WEXITSTATUS(status),
                   (int)(said.n > 300 ? 300 : said.n), said.p);
}

static void log_command(const struct host *h, const char *const *argv)
{
    struct buf line;

    if (h->log < 0)
        return;
    buf_init(&line, 1 << 20);
    buf_puts(&line, "$");
    for (size_t i = 0; argv[i]; i++)
        buf_printf(&line, " %s", argv[i]);
    buf_putc(&line, '\n');
    (void)fs_write_all(h->log, line.p, line.n);
    buf_fini(&line);
}

/* Where its output goes: a pipe, the log, or nowhere. */
static bool open_output(const struct host *h, bool wanted, int ends[2])
{
    ends[0] = -1;
    if (wanted)
        return pipe2(ends, O_CLOEXEC) == 0;
    ends[1] = h->log >= 0 ? fcntl(h->log, F_DUPFD_CLOEXEC, 3)
                          : open("/dev/null", O_WRONLY | O_CLOEXEC);
    return ends[1] >= 0;
}

enum errc host_run(struct host *h, const char *const *argv, struct buf *out,
                   struct err *err)
{
    char room[TAIL_MAX];
    int ends[2], status = 0;

    log_command(h, argv);
    off_t since = h->log < 0 ? 0 : lseek(h->log, 0, SEEK_END);
    if (!open_output(h, out != NULL, ends))
        return fs_error(err, "cannot run", argv[0]);
    pid_t pid = fork();
    if (pid == 0)
        become(h, argv, ends[1]);
    (void)close(ends[1]);
    if (out)
        hear(ends[0], out);
    if (ends[0] >= 0)
        (void)close(ends[0]);
    if (pid < 0)
        return fs_error(err, "cannot run", argv[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return judge(argv, status, out ? buf_str(out) : tail(h, since, room), err);
}

enum errc host_run_line(struct host *h, const char *line, struct buf *out,
                        struct err *err)
{
    const char *argv[HOST_WORDS_MAX];
    struct arena a;
    struct str rest = str_from_cstr(line);
    size_t n = 0;
    bool good = true;

    arena_init(&a, 1 << 20);
    while (rest.n && good) {
        struct str word = str_cut(&rest, ' ');
        if (!word.n)
            continue;
        char *copy = arena_cstr(&a, word);
        for (char *c = copy; c && (c = strchr(c, HOST_BLANK)); c++)
            *c = ' ';
        good = copy && n + 1 < COUNT(argv);
        if (good)
            argv[n++] = copy;
    }
    argv[good ? n : 0] = NULL;
    enum errc rc = ERR_OK;
    if (good && n)
        rc = host_run(h, argv, out, err);
    else
        rc = err_set(err, ERR_LIMIT, "a command is too long: '%.60s'", line);
    arena_fini(&a);
    return rc;
}

bool host_holds(struct host *h, const char *probe)
{
    if (probe[0] == '/')
        return host_has(h, probe);
    return *probe && host_run_line(h, probe, NULL, NULL) == ERR_OK;
}
