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

/* A process of the master's: serve, and the monitor. */
struct kid {
    const char *name;
    bool is_monitor;
    pid_t pid;     /* 0: none */
    int report_fd; /* of the present process, or -1 */
    bool ever_ready, ready;
    int64_t started_ns, next_start_ns;
    int64_t delay_ms;
    unsigned deaths;
};

struct master {
    const struct daemon_options *options;
    int fds[2];    /* of the data plane, of the monitor */
    int logs[2];   /* lines to the monitor: its end, the end of all others */
    unsigned port; /* of the data plane */
    int signal_fd;
    bool stopping;
    struct kid kids[2];
    size_t n_kids;
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
    m->port = socket_port(m->fds[0]);
    m->n_kids = 1;
    if (!o->run_monitor)
        return ERR_OK;
    struct err why = {0};
    rc = socket_listen(o->host, o->monitor_port, &m->fds[1], &why);
    if (!rc) {
        m->n_kids = 2;
        return socket_packets(m->logs, err);
    }
    if (o->monitor_port_given) {
        err_record(err, rc, "%s", why.msg);
        return rc;
    }
    log_event(LOG_INFO, "monitor.port",
              "port %u is taken; going on without it (metrics are on the "
              "data port too)",
              o->monitor_port);
    return ERR_OK;
}

/* In the new process: does not return. */
static void become(struct master *m, const struct kid *k, int report_fd)
{
    sigset_t none;

    (void)close(m->signal_fd);
    if (m->n_kids > 1)
        (void)close(m->fds[!k->is_monitor]); /* the other one's socket */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    log_setup(2,
              log_enabled(LOG_DEBUG)  ? LOG_DEBUG
              : log_enabled(LOG_INFO) ? LOG_INFO
              : log_enabled(LOG_WARN) ? LOG_WARN
                                      : LOG_ERROR,
              k->name);
    if (k->is_monitor)
        monitor_main(m->options,
                     &(struct monitor_beside){.fd = m->fds[1],
                                              .logs_fd = m->logs[0],
                                              .port = m->port},
                     report_fd);
    child_main(m->options, &m->fds[0], 1, report_fd);
}

static enum errc start(struct master *m, struct kid *k, struct err *err)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        become(m, k, fds[1]);
    }
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        return err_set(err, ERR_IO, "cannot fork: %s", strerror(errno));
    }
    k->pid = pid;
    k->report_fd = fds[0];
    k->ready = false;
    k->started_ns = clock_mono_ns();
    return ERR_OK;
}

static void announce(struct master *m, struct kid *k)
{
    const struct daemon_options *o = m->options;
    const char *host = strcmp(o->host, "0.0.0.0") == 0 ? "127.0.0.1" : o->host;
    long long ms = (long long)((clock_mono_ns() - k->started_ns) / MS);
    bool again = k->ever_ready;
    char console[300] = "";

    if (m->n_kids > 1)
        (void)snprintf(console, sizeof(console), " console=http://%.250s:%u",
                       host, socket_port(m->fds[1]));
    k->ready = k->ever_ready = true;
    if (again && k->is_monitor)
        log_event(LOG_INFO, "monitor.restarted", "pid=%d ms=%lld", (int)k->pid,
                  ms);
    else if (again)
        log_event(LOG_INFO, "serve.restarted", "pid=%d ms=%lld", (int)k->pid,
                  ms);
    else if (!k->is_monitor)
        log_event(LOG_INFO, "server.ready",
                  "http://%s:%u  docs=http://%s:%u/docs%s ms=%lld", host,
                  m->port, host, m->port, console, ms);
}

/* The process's report. An error is the answer when it is the first start, of
 * the monitor only when it is a mistake of whoever started it. */
static enum errc on_report(struct master *m, struct kid *k, struct err *err)
{
    struct child_report r;
    ssize_t got = read(k->report_fd, &r, sizeof(r));

    (void)close(k->report_fd);
    k->report_fd = -1;
    if (got != (ssize_t)sizeof(r))
        return ERR_OK; /* it died without a word: on_death() says so */
    if (r.rc == ERR_OK) {
        announce(m, k);
        return ERR_OK;
    }
    if (k->is_monitor && (k->ever_ready || r.rc != ERR_INVALID)) {
        log_event(LOG_ERROR, "monitor.failed", "%s", r.msg);
        return ERR_OK;
    }
    if (k->ever_ready) {
        log_event(LOG_ERROR, "serve.failed", "%s", r.msg);
        return ERR_OK;
    }
    err_record(err, r.rc, "%.500s", r.msg);
    return r.rc;
}

static void schedule(struct kid *k)
{
    int64_t lived_ms = (clock_mono_ns() - k->started_ns) / MS;

    if (k->ready && (lived_ms >= STABLE_MS || k->deaths == 0))
        k->delay_ms = 0;
    else if (k->delay_ms == 0)
        k->delay_ms = DELAY_FIRST_MS;
    else
        k->delay_ms = k->delay_ms * 2 < DELAY_MAX_MS ? k->delay_ms * 2
                                                     : (int64_t)DELAY_MAX_MS;
    k->deaths = lived_ms >= STABLE_MS ? 1 : k->deaths + 1;
    k->next_start_ns = clock_mono_ns() + k->delay_ms * MS;
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

static bool any_lives(const struct master *m)
{
    for (size_t i = 0; i < m->n_kids; i++)
        if (m->kids[i].pid)
            return true;
    return false;
}

/* The monitor goes when the service has gone: until then it watches. */
static void on_stopped(struct master *m, const struct kid *k, const char *cause)
{
    if (k->is_monitor)
        return;
    log_event(LOG_INFO, "server.stopped", "%s", cause);
    if (m->n_kids > 1 && m->kids[1].pid)
        (void)kill(m->kids[1].pid, SIGTERM);
}

static enum errc on_death(struct master *m, struct kid *k, int status,
                          struct err *err)
{
    char cause[160];

    describe(status, cause, sizeof(cause));
    enum errc rc = k->report_fd >= 0 ? on_report(m, k, err) : ERR_OK;
    k->pid = 0;
    if (rc)
        return rc;
    if (m->stopping) {
        on_stopped(m, k, cause);
        return ERR_OK;
    }
    if (!k->ever_ready && !k->is_monitor)
        return err_set(err, ERR_INTERNAL,
                       "the serving process ended before it was ready: %s",
                       cause);
    schedule(k);
    if (k->is_monitor)
        log_event(LOG_ERROR, "monitor.died", "cause: %s; restart_in_ms=%lld",
                  cause, (long long)k->delay_ms);
    else
        log_event(
            LOG_ERROR, "serve.died",
            "cause: %s; the port stays open, requests under way are lost; "
            "restart_in_ms=%lld",
            cause, (long long)k->delay_ms);
    return ERR_OK;
}

static enum errc reap(struct master *m, struct err *err)
{
    enum errc rc = ERR_OK;
    int status;
    pid_t pid;

    while (!rc && (pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < m->n_kids; i++)
            if (pid == m->kids[i].pid)
                rc = on_death(m, &m->kids[i], status, err);
    return rc;
}

static void kill_all(const struct master *m, int sig)
{
    for (size_t i = 0; i < m->n_kids; i++)
        if (m->kids[i].pid)
            (void)kill(m->kids[i].pid, sig);
}

static enum errc on_signal(struct master *m, struct err *err)
{
    struct signalfd_siginfo info;

    if (read(m->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return ERR_OK;
    if (info.ssi_signo == SIGCHLD)
        return reap(m, err);
    if (info.ssi_signo == SIGHUP)
        return ERR_OK;
    if (m->stopping) {
        kill_all(m, SIGKILL);
        _exit(128 + (int)info.ssi_signo);
    }
    m->stopping = true;
    log_event(LOG_INFO, "server.stopping",
              "signal %u; a second one ends everything at once",
              info.ssi_signo);
    if (m->kids[0].pid)
        (void)kill(m->kids[0].pid, SIGTERM);
    else
        kill_all(m, SIGTERM);
    return ERR_OK;
}

/* ms until a process is to be started; -1: none is. */
static int time_left_ms(const struct master *m)
{
    int least = -1;

    for (size_t i = 0; i < m->n_kids && !m->stopping; i++) {
        int64_t ns = m->kids[i].next_start_ns - clock_mono_ns();
        int ms = ns <= 0 ? 0 : (int)(ns / MS + 1);
        if (!m->kids[i].pid && (least < 0 || ms < least))
            least = ms;
    }
    return least;
}

static enum errc start_due(struct master *m, struct err *err)
{
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < m->n_kids && !rc && !m->stopping; i++)
        if (!m->kids[i].pid && clock_mono_ns() >= m->kids[i].next_start_ns)
            rc = start(m, &m->kids[i], err);
    return rc;
}

static enum errc supervise(struct master *m, struct err *err)
{
    enum errc rc = start_due(m, err);

    while (!rc && (any_lives(m) || !m->stopping)) {
        struct pollfd p[3] = {
            {.fd = m->signal_fd, .events = POLLIN},
            {.fd = m->kids[0].report_fd, .events = POLLIN},
            {.fd = m->kids[1].report_fd, .events = POLLIN},
        };
        int n = poll(p, 1 + m->n_kids, time_left_ms(m));
        if (n < 0 && errno != EINTR)
            return err_set(err, ERR_INTERNAL, "poll: %s", strerror(errno));
        for (size_t i = 0; i < m->n_kids && !rc && n > 0; i++)
            if (p[1 + i].revents)
                rc = on_report(m, &m->kids[i], err);
        if (!rc && n > 0 && p[0].revents)
            rc = on_signal(m, err);
        if (!rc)
            rc = start_due(m, err);
    }
    /* A failed start: nothing was served yet. */
    if (rc)
        kill_all(m, SIGKILL);
    for (size_t i = 0; i < m->n_kids; i++)
        if (rc && m->kids[i].pid)
            (void)waitpid(m->kids[i].pid, NULL, 0);
    return rc;
}

enum errc master_run(const struct daemon_options *options, struct err *err)
{
    struct master m = {
        .options = options,
        .kids = {{.name = "serve", .report_fd = -1},
                 {.name = "monitor", .is_monitor = true, .report_fd = -1}}};
    sigset_t set;
    enum errc rc = open_sockets(&m, err);

    if (rc)
        return rc;
    process_title(options, "stoker: master");
    if (m.n_kids > 1)
        log_tee(m.logs[1]);
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
