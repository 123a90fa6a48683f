#include "daemon/master.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/listen.h"
#include "daemon/master_internal.h"
#include "io/socket.h"

#define SECOND INT64_C(1000000000)

enum { MS = 1000000, GRACE_S = 5, MONITOR_END_S = 20, FACTS_MAX = 32 << 20 };

const char *master_reachable(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : host;
}

static enum errc open_sockets(struct master *m, struct err *err)
{
    const struct daemon_options *o = m->options;
    struct err why = {0};
    enum errc rc = ERR_OK;

    if (m->generation) {
        m->port = m->fds[0] >= 0 ? socket_port(m->fds[0]) : 0;
        return ERR_OK;
    }
    if (!o->no_service)
        rc = listen_allowed(o->host, o->insecure, err);
    if (!rc && !o->no_service)
        rc = socket_listen(o->host, o->http_port, &m->fds[0], err);
    if (rc)
        return rc;
    m->port = o->no_service ? 0 : socket_port(m->fds[0]);
    if (!o->run_monitor)
        return ERR_OK;
    rc = listen_allowed(o->monitor_host, o->insecure, err);
    if (rc)
        return rc;
    rc = socket_listen(o->monitor_host, o->monitor_port, &m->fds[1], &why);
    if (!rc)
        return socket_packets(m->logs, err);
    m->fds[1] = -1;
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

/* ---- our own processes ---------------------------------------------- */

static void become(struct master *m, const char *name)
{
    control_socket_leave(&m->control);
    if (m->master->log) {
        (void)close(m->master->log->from);
        (void)close(m->master->log->to);
    }
    log_setup(2,
              log_enabled(LOG_DEBUG)  ? LOG_DEBUG
              : log_enabled(LOG_INFO) ? LOG_INFO
              : log_enabled(LOG_WARN) ? LOG_WARN
                                      : LOG_ERROR,
              name);
}

static void become_serve(void *ctx, bool replaces, int report_fd)
{
    struct master *m = ctx;
    const struct daemon_options *o =
        replaces && m->reload.next ? m->reload.next : m->options;

    become(m, "serve");
    if (m->fds[1] >= 0)
        (void)close(m->fds[1]);
    child_main(m->master, o, &m->fds[0], 1, report_fd);
}

static void become_monitor(void *ctx, bool replaces, int report_fd)
{
    struct master *m = ctx;
    struct monitor_beside beside = {
        .fd = m->fds[1], .logs_fd = m->logs[0], .port = m->port};

    (void)replaces;
    become(m, "monitor");
    if (m->fds[0] >= 0)
        (void)close(m->fds[0]);
    monitor_main(m->master, m->options, &beside, report_fd);
}

static enum errc add_own(struct master *m, struct err *err)
{
    const struct daemon_options *o = m->options;
    struct service_spec spec = {.restart = "always",
                                .stop_signal = "TERM",
                                .delay = 100 * MS,
                                .delay_max = 30 * SECOND};
    const struct unit_own serve = {
        .become = become_serve, .ctx = m, .overlaps = true};
    const struct unit_own monitor = {.become = become_monitor, .ctx = m};

    spec.stop_timeout = o->lame_duck_ns + o->drain_ns + GRACE_S * SECOND;
    enum errc rc = ERR_OK;
    if (!o->no_service)
        rc = supervisor_add(&m->supervisor, "serve", &spec, &serve, &m->serve,
                            err);
    spec.stop_timeout = MONITOR_END_S * SECOND;
    if (!rc && m->fds[1] >= 0)
        rc = supervisor_add(&m->supervisor, "monitor", &spec, &monitor,
                            &m->monitor, err);
    return rc;
}

/* ---- the end -------------------------------------------------------- */

void master_stop(struct master *m)
{
    m->stopping = true;
}

/* The monitor goes when all others have gone: until then it watches. */
static void step_stop(struct master *m)
{
    bool others = false;

    for (struct unit *u = m->supervisor.units; u; u = u->next) {
        if (u == m->monitor)
            continue;
        u->wanted = false;
        others = others || unit_is_up(u);
    }
    if (m->monitor && !others)
        m->monitor->wanted = false;
    if (!others && (!m->monitor || !unit_is_up(m->monitor)))
        supervisor_end(&m->supervisor);
}

/* Our own log is written by a process, too. */
static void step_log(struct master *m)
{
    struct logger *log = m->master->log;
    struct err err = {0};

    if (log && log->from > 0 && !log->pid &&
        logger_start(log, "stoker", &m->options->logs, false, &err))
        log->pid = 0; /* again at the next step */
}

static void upgrade(struct master *m)
{
    struct err err = {0};

    enum errc rc = takeover_give(m, m->upgrade, &err);
    if (rc == ERR_BUSY)
        return; /* again at the next step */
    if (rc)
        log_event(LOG_ERROR, "server.upgrade", "%s; going on as before",
                  err.msg);
    (void)snprintf(m->trouble, sizeof(m->trouble), "%s", err.msg);
    m->upgrade[0] = '\0';
}

static void step(void *ctx, int64_t now)
{
    struct master *m = ctx;

    (void)now;
    step_log(m);
    if (m->stopping)
        step_stop(m);
    else if (m->reload.wanted && !m->reload.next)
        master_reload(m);
    else if (m->upgrade[0])
        upgrade(m);
    if (m->rc)
        supervisor_end(&m->supervisor);
}

static void on_reaped(void *ctx, pid_t pid, int status)
{
    struct master *m = ctx;

    (void)status;
    if (m->master->log && pid == m->master->log->pid)
        m->master->log->pid = 0;
}

static void on_signal(void *ctx, int signal)
{
    struct master *m = ctx;

    if (signal == SIGHUP) {
        m->reload.wanted = m->master->again != NULL;
        return;
    }
    if (signal != SIGTERM && signal != SIGINT && signal != SIGQUIT)
        return;
    if (m->stopping) {
        for (struct unit *u = m->supervisor.units; u; u = u->next)
            unit_kill(u);
        _exit(128 + signal);
    }
    log_event(LOG_INFO, "server.stopping",
              "signal %d; a second one ends everything at once", signal);
    master_stop(m);
}

/* ---- the whole ------------------------------------------------------ */

static enum errc start(struct master *m, const struct json_node *facts,
                       struct err *err)
{
    struct supervisor_options o = {.folder = m->options->folder,
                                   .id = m->id,
                                   .logs = m->options->logs,
                                   .show = m->master->show,
                                   .cgroups = m->options->n_services > 0,
                                   .told = master_told,
                                   .step = step,
                                   .signal = on_signal,
                                   .reaped = on_reaped,
                                   .ctx = m};
    enum errc rc = ERR_OK;

    if (facts)
        takeover_take_sockets(m, facts);
    if (m->master->control)
        rc = control_socket_open(&m->control, m->master->control, master_asked,
                                 m, err);
    if (!rc)
        rc = open_sockets(m, err);
    if (rc)
        return rc;
    control_socket_id(&m->control, m->id, sizeof(m->id));
    (void)signal(SIGPIPE, SIG_IGN); /* a log that nobody reads any more */
    process_title(m->master, "stoker: master");
    if (m->fds[1] >= 0)
        log_tee(m->logs[1]);
    rc = supervisor_init(&m->supervisor, &o, err);
    if (!rc)
        rc = control_socket_watch(&m->control, &m->supervisor.loop, err);
    if (!rc)
        rc = add_own(m, err);
    if (!rc)
        rc = master_add_services(m, m->options, err);
    if (!rc && facts)
        takeover_take_units(m, facts);
    else if (!rc)
        master_adopt(m);
    return rc;
}

enum errc master_run(const struct master_options *master,
                     const struct daemon_options *options, struct err *err)
{
    struct master *m = calloc(1, sizeof(*m));
    struct arena arena;

    if (!m)
        return err_set(err, ERR_NOMEM, "out of memory");
    *m = (struct master){.master = master,
                         .options = options,
                         .fds = {-1, -1},
                         .control = {.fd = -1, .lock = -1},
                         .started_ns = clock_wall_ns(),
                         .err = err};
    arena_init(&arena, FACTS_MAX);
    enum errc rc = start(m, takeover_read(&arena), err);
    arena_fini(&arena);
    if (!rc) {
        supervisor_run(&m->supervisor);
        rc = m->rc;
    }
    if (m->supervisor.tail)
        supervisor_fini(&m->supervisor);
    log_tee(-1);
    for (size_t i = 0; i < 2; i++) {
        if (m->fds[i] >= 0)
            (void)close(m->fds[i]);
        if (m->logs[i] > 0)
            (void)close(m->logs[i]);
    }
    control_socket_close(&m->control);
    free(m);
    return rc;
}
