#include "daemon/monitor.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/listen.h"
#include "http/fetch.h"
#include "io/socket.h"

static enum errc open_port(const struct monitor_options *o, int *fd,
                           struct err *err)
{
    enum errc rc = listen_allowed(o->host, o->insecure, err);

    return rc ? rc : socket_listen(o->host, o->port, fd, err);
}

static void wait_for_end(const sigset_t *set)
{
    int sig;

    do
        sig = sigwaitinfo(set, NULL);
    while (sig < 0 && errno == EINTR);
    log_event(LOG_INFO, "monitor.stopping", "signal %d", sig);
}

static void say(void *ctx, bool bad, const char *event, const char *text)
{
    (void)ctx;
    log_event(bad ? LOG_WARN : LOG_INFO, event, "%s", text);
}

enum errc monitor_run(const struct monitor_options *options, struct err *err)
{
    struct control_options control = options->control;
    struct control *c = NULL;
    int64_t start = clock_mono_ns();
    sigset_t set;
    int fd;

    /* Threads come and go with little: each need not keep memory of its own. */
    (void)mallopt(M_ARENA_MAX, 2);
    control.store.say = say;
    control.rules.say = say;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file's limit is as a full disk */
    enum errc rc = open_port(options, &fd, err);
    if (rc)
        return rc;
    unsigned port = socket_port(fd);
    rc = fetch_init(err);
    char usual[300];
    (void)snprintf(usual, sizeof(usual), "http://%.250s:%u", options->host,
                   port);
    if (!control.rules.env.external_url.n)
        control.rules.env.external_url = str_from_cstr(usual);
    if (!rc)
        rc = control_new(&control, &c, err);
    if (rc) {
        (void)close(fd);
        return rc;
    }
    rc = control_start(c, fd, err);
    if (!rc) {
        log_event(LOG_INFO, "monitor.ready",
                  "http://%s:%u  targets=%zu ms=%lld", options->host, port,
                  options->control.scrape.n,
                  (long long)((clock_mono_ns() - start) / 1000000));
        wait_for_end(&set);
    }
    control_free(c);
    return rc;
}
