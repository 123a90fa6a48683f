#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervise/supervisor.h"

enum { MS = 1000000, NOTIFY_MAX = 4096, LOOK_MS = 50 };

static struct run *free_run(struct unit *u)
{
    for (size_t i = 0; i < UNIT_RUNS; i++)
        if (u->runs[i].phase == RUN_NONE)
            return &u->runs[i];
    return NULL;
}

static void drop_watch(struct unit *u, struct watch *w)
{
    if (w->fd <= 0)
        return;
    loop_remove(&u->supervisor->loop, w);
    (void)close(w->fd);
    w->fd = -1;
}

void run_close(struct run *r)
{
    drop_watch(r->unit, &r->report);
    drop_watch(r->unit, &r->gone);
    r->phase = RUN_NONE;
    r->pid = 0;
}

/* ---- readiness ------------------------------------------------------ */

void unit_became_ready(struct unit *u, struct run *r, int64_t now)
{
    char text[64];

    r->phase = RUN_READY;
    r->ready_ns = now;
    u->state = UNIT_READY;
    u->health.next_ns = now + u->spec.health_every;
    (void)snprintf(text, sizeof(text), "pid=%d ms=%lld", (int)r->pid,
                   (long long)((now - r->started_ns) / MS));
    for (size_t i = 0; i < UNIT_RUNS; i++) {
        struct run *old = &u->runs[i];
        if (old != r && old->phase == RUN_READY)
            run_end(u, old, DEATH_REPLACED, now);
    }
    supervisor_tell(u->supervisor, u, UNIT_IS_READY, text);
    u->ever_ready = true;
}

void unit_look_ready(struct unit *u, struct run *r, int64_t now)
{
    const struct service_spec *s = &u->spec;
    struct err err = {0};

    if (unit_is_own(u))
        return; /* it reports */
    if (s->ready_notify && !u->said_ready)
        return;
    if (s->ready_file && access(s->ready_file, F_OK) != 0)
        return;
    if (!s->ready_http && !s->ready_tcp) {
        unit_became_ready(u, r, now);
        return;
    }
    if (u->ready.pid || now < u->ready.next_ns)
        return;
    if (u->answers) {
        unit_became_ready(u, r, now);
        return;
    }
    if (probe_start(&u->ready, s->ready_http, s->ready_tcp,
                    (int)(s->health_timeout / MS), &err)) {
        u->ready.next_ns = now + LOOK_MS * MS;
        supervisor_tell(u->supervisor, u, UNIT_TROUBLE, err.msg);
    }
}

/* sd_notify(3): lines NAME=VALUE in a datagram. */
static void take_notice(struct unit *u, struct str line)
{
    struct str value = line, name = str_cut(&value, '=');
    const struct run *r = unit_main(u);
    uint64_t more;

    if (str_eq(name, STR("READY")) && str_eq(value, STR("1")))
        u->said_ready = true;
    else if (str_eq(name, STR("STATUS")))
        (void)snprintf(u->status, sizeof(u->status), STR_FMT, STR_ARG(value));
    else if (str_eq(name, STR("EXTEND_TIMEOUT_USEC")) && r &&
             str_to_u64(value, &more) && more < UINT64_C(86400000000))
        u->runs[r - u->runs].deadline_ns =
            clock_mono_ns() + (int64_t)more * 1000;
}

static void on_notify(struct watch *w, uint32_t events)
{
    struct unit *u =
        (struct unit *)(void *)((char *)w - offsetof(struct unit, notify));
    char text[NOTIFY_MAX];

    (void)events;
    for (ssize_t n; (n = recv(w->fd, text, sizeof(text), MSG_DONTWAIT)) > 0;) {
        struct str rest = {text, (size_t)n};
        while (rest.p && rest.n)
            take_notice(u, str_cut(&rest, '\n'));
    }
}

void unit_take_notify(struct unit *u, int fd)
{
    if (fd < 3)
        return;
    u->notify = (struct watch){.fd = fd, .ready = on_notify};
    if (loop_add(&u->supervisor->loop, &u->notify, EPOLLIN, NULL)) {
        (void)close(fd);
        u->notify.fd = -1;
    }
}

/* A socket whose name the kernel chooses (unix(7), autobind). */
static enum errc open_notify(struct unit *u, struct err *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    socklen_t n = sizeof(a);

    if (!u->spec.ready_notify || u->notify.fd > 0)
        return ERR_OK;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a.sun_family)) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
        enum errc rc =
            err_set(err, ERR_IO, "cannot make a socket: %s", strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return rc;
    }
    (void)snprintf(
        u->notify_name, sizeof(u->notify_name), "NOTIFY_SOCKET=@%.*s",
        (int)(n - offsetof(struct sockaddr_un, sun_path) - 1), a.sun_path + 1);
    u->notify = (struct watch){.fd = fd, .ready = on_notify};
    return loop_add(&u->supervisor->loop, &u->notify, EPOLLIN, err);
}

/* ---- Stoker's own --------------------------------------------------- */

static void on_report(struct watch *w, uint32_t events)
{
    struct run *r =
        (struct run *)(void *)((char *)w - offsetof(struct run, report));
    struct unit *u = r->unit;
    struct unit_report said;
    ssize_t n = read(w->fd, &said, sizeof(said));

    (void)events;
    drop_watch(u, w);
    if (n != (ssize_t)sizeof(said) || r->phase != RUN_STARTING)
        return; /* it died without a word */
    if (said.rc == ERR_OK) {
        unit_became_ready(u, r, clock_mono_ns());
        return;
    }
    u->said_rc = said.rc;
    (void)snprintf(u->said, sizeof(u->said), "%s", said.msg);
}

static enum errc start_own(struct unit *u, struct run *r, bool replaces,
                           struct err *err)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        supervisor_leave(u->supervisor);
        u->own.become(u->own.ctx, replaces, fds[1]);
        _exit(errc_exit_status(ERR_INTERNAL));
    }
    (void)close(fds[1]);
    if (pid < 0) {
        (void)close(fds[0]);
        return err_set(err, ERR_IO, "cannot fork: %s", strerror(errno));
    }
    r->pid = pid;
    r->report = (struct watch){.fd = fds[0], .ready = on_report};
    return loop_add(&u->supervisor->loop, &r->report, EPOLLIN, err);
}

/* ---- a service ------------------------------------------------------ */

static enum errc start_service(struct unit *u, struct run *r, struct err *err)
{
    struct supervisor *s = u->supervisor;
    const char *extra[2] = {NULL};
    struct process_start p = {.spec = &u->spec.process,
                              .folder = s->options.folder,
                              .mark = u->mark,
                              .extra = extra,
                              .cgroup = -1,
                              .outlives = u->spec.outlives};
    enum errc rc = ERR_OK;

    if (u->logger.from <= 0)
        rc = logger_open(&u->logger, u->name, &s->options.logs, s->options.show,
                         err);
    if (!rc)
        rc = open_notify(u, err);
    if (!rc)
        rc =
            cgroup_make(&s->cgroups, u->name, &u->spec.process, &p.cgroup, err);
    if (rc)
        return rc;
    if (u->spec.ready_file)
        (void)unlink(u->spec.ready_file);
    if (u->spec.ready_notify)
        extra[0] = u->notify_name;
    p.output = u->logger.to;
    r->oom_kills = cgroup_oom_kills(&s->cgroups, u->name);
    rc = process_start(&p, &r->pid, err);
    if (p.cgroup >= 0)
        (void)close(p.cgroup);
    return rc;
}

bool unit_start(struct unit *u, bool replaces, int64_t now)
{
    struct run *r = free_run(u);
    struct err err = {0};

    if (!r)
        return false;
    *r = (struct run){.unit = u,
                      .report.fd = -1,
                      .gone.fd = -1,
                      .replaces = replaces,
                      .started_ns = now};
    u->said_ready = u->answers = false;
    u->said[0] = u->status[0] = '\0';
    u->ready = (struct probe){.next_ns = now};
    enum errc rc = unit_is_own(u) ? start_own(u, r, replaces, &err)
                                  : start_service(u, r, &err);
    if (rc) {
        unit_failed_to_start(u, r, &err, now);
        return false;
    }
    r->phase = RUN_STARTING;
    r->began = process_began(r->pid);
    r->deadline_ns = u->spec.ready_timeout ? now + u->spec.ready_timeout : 0;
    supervisor_tell(u->supervisor, u, UNIT_STARTED, "");
    unit_look_ready(u, r, now);
    return true;
}

/* ---- one that is there already -------------------------------------- */

static void on_gone(struct watch *w, uint32_t events)
{
    struct run *r =
        (struct run *)(void *)((char *)w - offsetof(struct run, gone));

    (void)events;
    unit_adopted_gone(r->unit, r);
}

void unit_adopt(struct unit *u, const struct run *was, bool child)
{
    struct run *r = free_run(u);
    int fd = child ? -1 : (int)syscall(SYS_pidfd_open, was->pid, 0);

    /* The same process as then, also behind pidfd_open()? A child that has
     * ended is still to be waited for. */
    if (!r || (!child && (fd < 0 || process_began(was->pid) != was->began))) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    *r = *was;
    r->unit = u;
    r->ready_ns = r->phase == RUN_READY ? r->started_ns : 0;
    r->report = (struct watch){.fd = -1};
    r->gone = (struct watch){.fd = fd, .ready = on_gone};
    u->ever_ready = u->ever_ready || r->phase == RUN_READY;
    u->unclean = false;
    u->state = r->phase == RUN_READY ? UNIT_READY : UNIT_STARTING;
    if (fd >= 0 && loop_add(&u->supervisor->loop, &r->gone, EPOLLIN, NULL)) {
        (void)close(fd);
        r->phase = RUN_NONE;
    }
}
