#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "daemon/master_internal.h"
#include "io/socket.h"

enum { MS = 1000000, CAUSE_MAX = 400 };

/* ---- Stoker's own processes ----------------------------------------- */

static void announce(struct master *m, const char *text)
{
    const struct daemon_options *o = m->options;
    const char *host = master_reachable(o->host);
    const char *ms = strstr(text, "ms=");
    char console[300] = "";

    if (m->monitor)
        (void)snprintf(console, sizeof(console), " console=http://%.250s:%u",
                       master_reachable(o->monitor_host),
                       socket_port(m->fds[1]));
    m->announced = true;
    log_event(LOG_INFO, "server.ready",
              "http://%s:%u  docs=http://%s:%u/docs%s %s", host, m->port, host,
              m->port, console, ms ? ms : "");
}

static void ready_again(bool serve, const char *text)
{
    if (serve)
        log_event(LOG_INFO, "serve.restarted", "%s", text);
    else
        log_event(LOG_INFO, "monitor.restarted", "%s", text);
}

static void on_ready(struct master *m, struct unit *u, const char *text)
{
    const struct run *r = unit_main(u);

    if (u == m->serve && r && r->replaces) {
        log_event(LOG_INFO, "serve.replaced", "%s", text);
        master_reload_went(m, true, "");
    } else if (u->ever_ready) {
        ready_again(u == m->serve, text);
    } else if (u == m->serve) {
        announce(m, text);
    } else if (!m->serve) {
        m->announced = true;
        log_event(LOG_INFO, "server.ready", "console=http://%s:%u %s",
                  master_reachable(m->options->monitor_host),
                  socket_port(m->fds[1]), text);
    }
}

/* Did the kernel kill it? It does not say. */
static const char *suspicion(const struct death *d)
{
    return d->known && WIFSIGNALED(d->status) && WTERMSIG(d->status) == SIGKILL
               ? ", perhaps by the kernel for lack of memory: see dmesg"
               : "";
}

/* The first start of the service has failed: there is nothing to go on with. Of
 * the monitor only when it is a mistake of whoever started it. */
static bool is_fatal(struct master *m, const struct unit *u)
{
    return !u->ever_ready && !m->announced &&
           (u == m->serve || !m->serve || u->said_rc == ERR_INVALID);
}

static void on_death(struct master *m, struct unit *u, const char *cause)
{
    bool serve = u == m->serve;

    if (is_fatal(m, u)) {
        m->rc = u->said[0] ? u->said_rc : ERR_INTERNAL;
        if (u->said[0])
            err_record(m->err, m->rc, "%.500s", u->said);
        else
            err_record(
                m->err, m->rc, "the %s process ended before it was ready: %s%s",
                serve ? "serving" : "monitor's", cause, suspicion(&u->last));
        return;
    }
    if (u->said[0] && serve)
        log_event(LOG_ERROR, "serve.failed", "%s", u->said);
    else if (u->said[0])
        log_event(LOG_ERROR, "monitor.failed", "%s", u->said);
    if (serve)
        log_event(
            LOG_ERROR, "serve.died",
            "cause: %s%s; the port stays open, requests under way are lost; "
            "restart_in_ms=%lld",
            cause, suspicion(&u->last), (long long)(u->delay_ns / MS));
    else
        log_event(LOG_ERROR, "monitor.died", "cause: %s%s; restart_in_ms=%lld",
                  cause, suspicion(&u->last), (long long)(u->delay_ns / MS));
}

/* The new process of a reload, a restart or an upgrade cannot be ready. */
static void on_refused(struct master *m, const struct unit *u, const char *why)
{
    if (m->reload.next) {
        master_reload_went(m, false, why);
        return;
    }
    (void)snprintf(m->trouble, sizeof(m->trouble), "%s", why);
    log_event(LOG_ERROR, "serve.refused",
              "%s: %s; the process from before goes on", u->name, why);
}

static void own_told(struct master *m, struct unit *u, enum unit_event e,
                     const char *text)
{
    if (e == UNIT_IS_READY)
        on_ready(m, u, text);
    else if (e == UNIT_DIED && !m->stopping)
        on_death(m, u, text);
    else if ((e == UNIT_ENDED || e == UNIT_DIED) && m->stopping &&
             u == m->serve)
        log_event(LOG_INFO, "server.stopped", "%s", text);
    else if (e == UNIT_REFUSED)
        on_refused(m, u, u->said[0] ? u->said : text);
    else if (e == UNIT_TROUBLE)
        log_event(LOG_WARN, "server.trouble", "%s: %s", u->name, text);
}

/* ---- services ------------------------------------------------------- */

static const char *cause_text(const struct unit *u, const char *text,
                              char out[CAUSE_MAX])
{
    const struct death *d = &u->last;

    switch (d->cause) {
    case DEATH_OOM:
        (void)snprintf(out, CAUSE_MAX, "out of memory (its limit): %s", text);
        break;
    case DEATH_NOT_READY:
        (void)snprintf(out, CAUSE_MAX, "it was not ready in time (%lld s): %s",
                       (long long)(u->spec.ready_timeout / MS / 1000), text);
        break;
    case DEATH_UNHEALTHY:
        (void)snprintf(out, CAUSE_MAX, "it did not answer any more: %s", text);
        break;
    case DEATH_ITSELF:
    case DEATH_STOPPED:
    case DEATH_REPLACED:
    case DEATH_NO_START:
        (void)snprintf(out, CAUSE_MAX, "%s%s", text, suspicion(d));
        break;
    }
    return out;
}

static void service_died(const struct unit *u, const char *text)
{
    char cause[CAUSE_MAX];

    cause_text(u, text, cause);
    if (u->state == UNIT_BACKOFF)
        log_event(LOG_ERROR, "service.died",
                  "service=%s pid=%d cause: %s; restart_in_ms=%lld", u->name,
                  (int)u->last.pid, cause, (long long)(u->delay_ns / MS));
    else if (u->state == UNIT_DONE)
        log_event(LOG_INFO, "service.done", "service=%s pid=%d", u->name,
                  (int)u->last.pid);
    else
        log_event(LOG_ERROR, "service.died",
                  "service=%s pid=%d cause: %s; it is not started again",
                  u->name, (int)u->last.pid, cause);
}

static void service_told(struct unit *u, enum unit_event e, const char *text)
{
    switch (e) {
    case UNIT_STARTED:
        log_event(LOG_INFO, "service.started", "service=%s pid=%d", u->name,
                  unit_main(u) ? (int)unit_main(u)->pid : 0);
        break;
    case UNIT_IS_READY:
        log_event(LOG_INFO, "service.ready", "service=%s %s", u->name, text);
        break;
    case UNIT_ENDED:
        log_event(LOG_INFO, "service.stopped", "service=%s %s", u->name, text);
        break;
    case UNIT_DIED:
        service_died(u, text);
        break;
    case UNIT_GAVE_UP:
        log_event(LOG_ERROR, "service.failed",
                  "service=%s was restarted more than %lld times in an hour, "
                  "and is given up; 'stoker restart %s' tries again",
                  u->name, (long long)u->spec.limit, u->name);
        break;
    case UNIT_REFUSED:
    case UNIT_TROUBLE:
        log_event(LOG_WARN, "service.trouble", "service=%s %s", u->name, text);
        break;
    }
}

void master_told(void *ctx, struct unit *u, enum unit_event e, const char *text)
{
    struct master *m = ctx;

    if (unit_is_own(u))
        own_told(m, u, e, text);
    else
        service_told(u, e, text);
    if (e == UNIT_DIED || e == UNIT_ENDED)
        master_record(m, u);
    master_remember(m);
}
