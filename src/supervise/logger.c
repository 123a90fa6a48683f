#include "supervise/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"

enum {
    CHUNK = 1 << 16,
    PIPE_BYTES = 1 << 20,
    LINE_MAX_BYTES = 1 << 20, /* a longer line may be cut by a new file */
    RETRY_MS = 1000,
};

#define SECOND INT64_C(1000000000)

/* In the process of a logger. */
struct writing {
    const char *name;
    const struct rotate_spec *spec;
    char path[LOG_PATH_MAX];
    bool show;
    int fd;         /* -1: not open */
    int64_t size;   /* of the file */
    int64_t period; /* that it belongs to */
    bool in_line;   /* the last byte was no end of a line */
    int64_t line;   /* bytes of that line */
    pid_t tidying;  /* 0: none */
    bool untidy;    /* to be done when that one has ended */
};

/* Which of the stretches of `every` that time is in, by the local clock. */
static int64_t period_of(const struct writing *w, time_t t)
{
    struct tm tm;
    int64_t every = w->spec->every / SECOND;

    if (every <= 0 || !localtime_r(&t, &tm))
        return 0;
    return ((int64_t)t + tm.tm_gmtoff) / every;
}

static void open_file(struct writing *w)
{
    struct stat st;

    w->fd = open(w->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (w->fd < 0 || fstat(w->fd, &st) != 0)
        return;
    w->size = st.st_size;
    w->period = period_of(w, st.st_size ? st.st_mtime : time(NULL));
}

/* In a process of its own: the service must not wait for it. */
static void tidy(struct writing *w)
{
    if (w->tidying && waitpid(w->tidying, NULL, WNOHANG) == 0)
        return;
    w->tidying = 0;
    if (!w->untidy)
        return;
    w->untidy = false;
    pid_t pid = fork();
    if (pid == 0) {
        (void)setpriority(PRIO_PROCESS, 0, 19);
        log_tidy(w->spec, w->name);
        _exit(0);
    }
    w->tidying = pid > 0 ? pid : 0;
}

static void rotate(struct writing *w)
{
    (void)close(w->fd);
    w->fd = -1;
    if (w->size && !log_put_aside(w->spec->directory, w->name, NULL))
        w->untidy = true;
    open_file(w);
    w->period = period_of(w, time(NULL));
}

/* Between two lines. */
static void rotate_if_due(struct writing *w, size_t more)
{
    bool large = w->size && w->size + (int64_t)more > w->spec->size;
    bool old = w->size && period_of(w, time(NULL)) != w->period;

    if (w->fd >= 0 && (large || old))
        rotate(w);
}

static void show(const struct writing *w, struct str text)
{
    char line[4096 + 128];

    while (text.n) {
        struct str one = str_cut(&text, '\n');
        int n = snprintf(line, sizeof(line), "%s | %.*s\n", w->name,
                         (int)(one.n < 4096 ? one.n : 4096), one.p);
        if (n > 0 && !fs_write_all(2, line, (size_t)n))
            return;
    }
}

/* Waits, without reading on, while the disk takes nothing: the service then
 * waits for its pipe, and nothing is lost. */
static void put(struct writing *w, struct str text)
{
    struct timespec pause = {RETRY_MS / 1000, 0};

    while (text.n) {
        if (w->fd < 0)
            open_file(w);
        ssize_t n = w->fd < 0 ? -1 : write(w->fd, text.p, text.n);
        if (n > 0) {
            w->size += n;
            text = str_slice(text, (size_t)n, text.n);
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else {
            (void)nanosleep(&pause, NULL);
        }
    }
}

static void take(struct writing *w, struct str text)
{
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t n = text.n;
        if (!w->in_line || w->line > LINE_MAX_BYTES)
            rotate_if_due(w, end ? (size_t)(end - text.p) + 1 : text.n);
        /* As many lines as fit, at once. */
        int64_t room = w->spec->size - w->size;
        if (end && (int64_t)n > room) {
            const char *last =
                room > 0 ? memrchr(text.p, '\n', (size_t)room) : NULL;
            n = (size_t)((last ? last : end) - text.p) + 1;
        }
        put(w, str_slice(text, 0, n));
        w->in_line = text.p[n - 1] != '\n';
        w->line = w->in_line ? w->line + (int64_t)n : 0;
        text = str_slice(text, n, text.n);
    }
}

static void run(struct writing *w, int from) NORETURN;
static void run(struct writing *w, int from)
{
    char *block = malloc(CHUNK);

    open_file(w);
    w->untidy = true; /* what the last one left */
    for (;;) {
        tidy(w);
        struct pollfd p = {.fd = from, .events = POLLIN};
        if ((w->untidy || w->tidying) && poll(&p, 1, RETRY_MS) == 0)
            continue;
        ssize_t n = block ? read(from, block, CHUNK) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        take(w, (struct str){block, (size_t)n});
        if (w->show)
            show(w, (struct str){block, (size_t)n});
    }
    if (w->tidying)
        (void)waitpid(w->tidying, NULL, 0);
    _exit(0);
}

/* Everything but the pipe, and standard error where lines are shown: our
 * sockets must not outlive us in there. */
static void keep_only(int fd, bool show)
{
    if (fd != 3)
        (void)dup2(fd, 3);
    int null = open("/dev/null", O_RDWR);
    (void)dup2(null, 0);
    (void)dup2(null, 1);
    if (!show) /* which may be the pipe of another logger, or our own */
        (void)dup2(null, 2);
    (void)close_range(4, ~0u, 0);
}

enum errc logger_start(struct logger *l, const char *name,
                       const struct rotate_spec *spec, bool show,
                       struct err *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t none;
    pid_t pid = fork();

    if (pid < 0)
        return err_set(err, ERR_IO, "cannot fork: %s", strerror(errno));
    if (pid > 0) {
        l->pid = pid;
        return ERR_OK;
    }
    (void)setsid();
    (void)prctl(PR_SET_NAME, "stoker: log");
    (void)sigaction(SIGINT, &ignore, NULL);
    (void)sigaction(SIGTERM, &ignore, NULL);
    (void)sigaction(SIGHUP, &ignore, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    keep_only(l->from, show);
    struct writing w = {.name = name, .spec = spec, .show = show, .fd = -1};
    (void)snprintf(w.path, sizeof(w.path), "%.4000s/%.128s.log",
                   spec->directory, name);
    run(&w, 3);
}

enum errc logger_open(struct logger *l, const char *name,
                      const struct rotate_spec *spec, bool show,
                      struct err *err)
{
    int fds[2];
    enum errc rc = fs_make_dirs(spec->directory, err);

    if (!rc && pipe2(fds, O_CLOEXEC) != 0)
        rc = err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    if (rc)
        return rc;
    (void)fcntl(fds[0], F_SETPIPE_SZ, PIPE_BYTES);
    *l = (struct logger){.from = fds[0], .to = fds[1]};
    rc = logger_start(l, name, spec, show, err);
    if (rc)
        logger_close(l);
    return rc;
}

void logger_note(struct logger *l, const char *line)
{
    struct pollfd p = {.fd = l->to, .events = POLLOUT};
    size_t n = strlen(line);

    if (l->to > 0 && n < PIPE_BUF && poll(&p, 1, 0) == 1 &&
        (p.revents & POLLOUT))
        (void)fs_write_all(l->to, line, n);
}

void logger_close(struct logger *l)
{
    if (l->from > 0)
        (void)close(l->from);
    if (l->to > 0)
        (void)close(l->to);
    *l = (struct logger){0};
}
