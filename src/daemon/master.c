/*   start --fork--> STARTING --report: ready--> SERVING --death--> WAITING
 *                      |                           |                 |
 *                      | report: failed            | SIGTERM         | delay
 *                      v                           v                 v
 *                first: exit status           STOPPING --> exit   fork again
 *                later: WAITING
 */
#include "daemon/master.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/child.h"
#include "daemon/listen.h"
#include "io/socket.h"

enum {
    DELAY_FIRST_MS = 100,
    DELAY_MAX_MS = 30000,
    STABLE_NS_PER_MS = 1000000,
    STABLE_MS = 10000, /* a child that lived so long is restarted at once */
    MS = 1000000,
};

struct master {
    const struct daemon_options *options;
    int fds[HTTP_MAX_LISTENERS];
    unsigned n_fds;
    int signal_fd;
    int report_fd; /* of the present child, or -1 */
    pid_t child;   /* 0: none */
    bool ever_ready, ready, stopping;
    int64_t started_ns, next_start_ns;
    int64_t delay_ms;
    unsigned deaths;
};

static enum errc open_sockets(struct master *m, struct err *err)
{
    const struct daemon_options *o = m->options;
    enum errc rc = listen_allowed(o->host, o->insecure, err);

    if (rc)
        return rc;
    rc = socket_listen(o->host, o->http_port, &m->fds[0], err);
    if (rc)
        return rc;
    m->n_fds = 1;
    if (!o->monitor)
        return ERR_OK;
    struct err why = {0};
    rc = socket_listen(o->host, o->monitor_port, &m->fds[1], &why);
    if (!rc) {
        m->n_fds = 2;
    } else if (o->monitor_port_given) {
        err_record(err, rc, "%s", why.msg);
        return rc;
    } else {
        log_event(LOG_INFO, "monitor.port",
                  "port %u is taken; going on without it (metrics are on the "
                  "data port too)",
                  o->monitor_port);
    }
    return ERR_OK;
}

static enum errc start_child(struct master *m, struct err *err)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t none;
        (void)close(fds[0]);
        (void)close(m->signal_fd);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        log_setup(2,
                  log_enabled(LOG_DEBUG)  ? LOG_DEBUG
                  : log_enabled(LOG_INFO) ? LOG_INFO
                  : log_enabled(LOG_WARN) ? LOG_WARN
                                          : LOG_ERROR,
                  "serve");
        child_main(m->options, m->fds, m->n_fds, fds[1]);
    }
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        return err_set(err, ERR_IO, "cannot fork: %s", strerror(errno));
    }
    m->child = pid;
    m->report_fd = fds[0];
    m->ready = false;
    m->started_ns = clock_mono_ns();
    return ERR_OK;
}

static void announce(struct master *m)
{
    const struct daemon_options *o = m->options;
    const char *host = strcmp(o->host, "0.0.0.0") == 0 ? "127.0.0.1" : o->host;
    unsigned port = socket_port(m->fds[0]);

    m->ready = true;
    if (m->ever_ready) {
        log_event(LOG_INFO, "serve.restarted", "pid=%d ms=%lld", (int)m->child,
                  (long long)((clock_mono_ns() - m->started_ns) / MS));
        return;
    }
    m->ever_ready = true;
    log_event(LOG_INFO, "server.ready",
              "http://%s:%u  docs=http://%s:%u/docs ms=%lld", host, port, host,
              port, (long long)((clock_mono_ns() - m->started_ns) / MS));
}

/* The child's report. An error is the answer when it is the first start. */
static enum errc on_report(struct master *m, struct err *err)
{
    struct child_report r;
    ssize_t got = read(m->report_fd, &r, sizeof(r));

    (void)close(m->report_fd);
    m->report_fd = -1;
    if (got != (ssize_t)sizeof(r))
        return ERR_OK; /* it died without a word: on_death() says so */
    if (r.rc == ERR_OK) {
        announce(m);
        return ERR_OK;
    }
    if (m->ever_ready) {
        log_event(LOG_ERROR, "serve.failed", "%s", r.msg);
        return ERR_OK;
    }
    err_record(err, r.rc, "%.500s", r.msg);
    return r.rc;
}

static void schedule(struct master *m)
{
    int64_t lived_ms = (clock_mono_ns() - m->started_ns) / MS;

    if (m->ready && (lived_ms >= STABLE_MS || m->deaths == 0))
        m->delay_ms = 0;
    else if (m->delay_ms == 0)
        m->delay_ms = DELAY_FIRST_MS;
    else
        m->delay_ms = m->delay_ms * 2 < DELAY_MAX_MS ? m->delay_ms * 2
                                                     : (int64_t)DELAY_MAX_MS;
    m->deaths = lived_ms >= STABLE_MS ? 1 : m->deaths + 1;
    m->next_start_ns = clock_mono_ns() + m->delay_ms * MS;
}

static void describe(int status, char *out, size_t n)
{
    if (WIFSIGNALED(status))
        (void)snprintf(out, n, "signal %d (%s)%s", WTERMSIG(status),
                       strsignal(WTERMSIG(status)),
                       WTERMSIG(status) == SIGKILL
                           ? ", perhaps by the kernel for lack of memory: "
                             "see dmesg"
                           : "");
    else
        (void)snprintf(out, n, "exit status %d", WEXITSTATUS(status));
}

/* True: nothing is left to do. */
static bool on_death(struct master *m, int status, enum errc *rc,
                     struct err *err)
{
    char cause[160];

    describe(status, cause, sizeof(cause));
    if (m->report_fd >= 0) {
        *rc = on_report(m, err);
        if (*rc)
            return true;
    }
    m->child = 0;
    if (m->stopping) {
        log_event(LOG_INFO, "server.stopped", "%s", cause);
        return true;
    }
    if (!m->ever_ready) {
        *rc =
            err_set(err, ERR_INTERNAL,
                    "the serving process ended before it was ready: %s", cause);
        return true;
    }
    schedule(m);
    log_event(LOG_ERROR, "serve.died",
              "cause: %s; the port stays open, requests under way are lost; "
              "restart_in_ms=%lld",
              cause, (long long)m->delay_ms);
    return false;
}

static bool reap(struct master *m, enum errc *rc, struct err *err)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == m->child && on_death(m, status, rc, err))
            return true;
    return false;
}

/* True: end now. */
static bool on_signal(struct master *m, enum errc *rc, struct err *err)
{
    struct signalfd_siginfo info;

    if (read(m->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return false;
    if (info.ssi_signo == SIGCHLD)
        return reap(m, rc, err);
    if (info.ssi_signo == SIGHUP)
        return false;
    if (m->stopping || !m->child) {
        if (m->child)
            (void)kill(m->child, SIGKILL);
        if (m->stopping)
            _exit(128 + (int)info.ssi_signo);
        return true;
    }
    m->stopping = true;
    log_event(LOG_INFO, "server.stopping",
              "signal %u; a second one ends everything at once",
              info.ssi_signo);
    (void)kill(m->child, SIGTERM);
    return false;
}

static int time_left_ms(const struct master *m)
{
    int64_t ns = m->next_start_ns - clock_mono_ns();

    if (m->child)
        return -1;
    return ns <= 0 ? 0 : (int)(ns / MS + 1);
}

static enum errc supervise(struct master *m, struct err *err)
{
    enum errc rc = start_child(m, err);

    while (!rc) {
        struct pollfd p[2] = {{.fd = m->signal_fd, .events = POLLIN},
                              {.fd = m->report_fd, .events = POLLIN}};
        int n = poll(p, 2, time_left_ms(m));
        if (n < 0 && errno != EINTR)
            return err_set(err, ERR_INTERNAL, "poll: %s", strerror(errno));
        if (n > 0 && p[1].revents)
            rc = on_report(m, err);
        if (!rc && n > 0 && p[0].revents && on_signal(m, &rc, err))
            return rc;
        if (!rc && !m->child && !m->stopping && time_left_ms(m) == 0)
            rc = start_child(m, err);
    }
    /* A failed start: the child is on its way out by itself. */
    if (m->child)
        (void)waitpid(m->child, NULL, 0);
    return rc;
}

enum errc master_run(const struct daemon_options *options, struct err *err)
{
    struct master m = {.options = options, .report_fd = -1};
    sigset_t set;
    enum errc rc = open_sockets(&m, err);

    if (rc)
        return rc;
    process_title(options, "stoker: master");
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    m.signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (m.signal_fd < 0)
        return err_set(err, ERR_IO, "signalfd: %s", strerror(errno));
    return supervise(&m, err);
}
