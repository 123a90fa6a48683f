#include "daemon/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

void process_title(const struct master_options *o, const char *title)
{
    size_t room = 0;

    (void)prctl(PR_SET_NAME, title);
    /* The kernel shows the arguments' own memory: they lie in one piece, also
     * when an earlier title is in it. */
    for (int i = 0; i < o->argc; i++)
        room = (size_t)(o->argv[i] - o->argv[0]) + strlen(o->argv[i]) + 1;
    size_t n = strlen(title);
    if (room <= 1)
        return;
    memset(o->argv[0], 0, room);
    memcpy(o->argv[0], title, n < room ? n : room - 1);
}

/* Of a connection on which a request may be on its way just now. */
enum { LINGER_NS = 1000000000 };

static void report(int fd, enum errc rc, const struct err *err)
{
    struct unit_report r;

    memset(&r, 0, sizeof(r));
    r.rc = rc;
    if (rc)
        memcpy(r.msg, err->msg, sizeof(r.msg));
    if (write(fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
        log_event(LOG_WARN, "serve.report", "the master cannot be told: %s",
                  strerror(errno));
    (void)close(fd);
}

/* As many descriptors as we may have: every connection takes one. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Sleeps, but not through a second signal: that one ends everything. */
static void wait_or_die(const sigset_t *set, int64_t ns)
{
    struct timespec t = {ns / 1000000000, ns % 1000000000};

    if (ns > 0 && sigtimedwait(set, NULL, &t) == SIGTERM)
        _exit(128 + SIGTERM);
}

static void die_on_second(int sig)
{
    _exit(128 + sig);
}

/* SIGTERM: whoever sends requests is told, by readiness, to send them somewhere
 * else. SIGQUIT: our successor answers at the same address already. */
static void end_gracefully(const struct daemon_options *o, struct service *s,
                           const sigset_t *set, int sig)
{
    struct sigaction action = {.sa_handler = die_on_second};

    if (sig == SIGQUIT) {
        log_event(LOG_INFO, "serve.stopping",
                  "replaced; finishing the requests under way");
    } else {
        log_event(LOG_INFO, "serve.stopping",
                  "not ready any more; serving on for %lld ms, then finishing "
                  "the requests under way",
                  (long long)(o->lame_duck_ns / 1000000));
        service_lame_duck(s);
        wait_or_die(set, o->lame_duck_ns);
    }
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigprocmask(SIG_UNBLOCK, set, NULL);
    bool clean = service_drain(s, sig == SIGQUIT ? LINGER_NS : 0, o->drain_ns);
    if (!clean)
        log_event(LOG_WARN, "serve.drain",
                  "requests were still under way after %lld ms and are cut off",
                  (long long)(o->drain_ns / 1000000));
    log_event(LOG_INFO, "serve.stopped", "%s", clean ? "clean" : "forced");
    if (!clean)
        _exit(0);
    service_free(s);
}

void child_main(const struct master_options *m, const struct daemon_options *o,
                const int *fds, unsigned n_fds, int report_fd)
{
    struct service *s = NULL;
    struct err err = {0};
    sigset_t set;
    int sig;

    process_title(m, "stoker: serve");
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGQUIT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGINT, SIG_IGN); /* the terminal's; the master passes it on */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    raise_limits();

    enum errc rc = service_new(&o->service, &s, &err);
    if (!rc)
        rc = service_start(s, fds, n_fds, &err);
    report(report_fd, rc, &err);
    if (rc)
        _exit(errc_exit_status(rc));
    do
        sig = sigwaitinfo(&set, NULL);
    while (sig < 0 && errno == EINTR);
    end_gracefully(o, s, &set, sig);
    exit(0);
}

/* ---- the monitor ---------------------------------------------------- */

static void report_ready(void *arg)
{
    int *fd = arg;

    report(*fd, ERR_OK, NULL);
    *fd = -1;
}

void monitor_main(const struct master_options *m,
                  const struct daemon_options *o, struct monitor_beside *beside,
                  int report_fd)
{
    struct err err = {0};

    process_title(m, "stoker: monitor");
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    beside->ready = report_ready;
    beside->ready_ctx = &report_fd;
    enum errc rc = o->run_monitor(o->monitor_ctx, beside, &err);
    if (rc && report_fd >= 0)
        report(report_fd, rc, &err);
    exit(errc_exit_status(rc));
}
