#include "supervise/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { UNIT_MEMORY_MAX = 4 << 20 };

static void step_all(struct supervisor *s)
{
    int64_t now = clock_mono_ns();

    for (struct unit *u = s->units, *next; u; u = next) {
        next = u->next;
        unit_step(u, now);
        if (u->removed && !unit_is_up(u))
            supervisor_drop(s, u);
    }
    if (s->options.step)
        s->options.step(s->options.ctx, now);
}

static void on_turn(void *ctx)
{
    step_all(ctx);
}

/* ---- signals -------------------------------------------------------- */

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        bool known = false;
        for (struct unit *u = s->units; u && !known; u = u->next)
            known = unit_reaped(u, pid, status);
        if (!known && s->options.reaped)
            s->options.reaped(s->options.ctx, pid, status);
    }
}

static void on_signal(struct watch *w, uint32_t events)
{
    struct supervisor *s =
        (struct supervisor *)(void *)((char *)w -
                                      offsetof(struct supervisor, signals));
    struct signalfd_siginfo info;

    (void)events;
    while (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            reap(s);
        else
            s->options.signal(s->options.ctx, (int)info.ssi_signo);
    }
}

static enum errc open_signals(struct supervisor *s, struct err *err)
{
    static const int numbers[] = {SIGTERM, SIGINT,  SIGHUP, SIGCHLD,
                                  SIGUSR1, SIGUSR2, SIGQUIT};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < COUNT(numbers); i++)
        sigaddset(&set, numbers[i]);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    s->signals =
        (struct watch){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
                       .ready = on_signal};
    if (s->signals.fd < 0)
        return err_set(err, ERR_IO, "signalfd: %s", strerror(errno));
    return loop_add(&s->loop, &s->signals, EPOLLIN, err);
}

/* ---- units ---------------------------------------------------------- */

struct unit *supervisor_find(const struct supervisor *s, const char *name)
{
    for (struct unit *u = s->units; u; u = u->next)
        if (strcmp(u->name, name) == 0 && !u->removed)
            return u;
    return NULL;
}

/* Does u wait for the other, by its `after`? */
static bool waits_for(const struct unit *u, const char *other)
{
    struct str rest = str_from_cstr(u->spec.after ? u->spec.after : "");

    while (rest.p && rest.n)
        if (str_eq(str_trim(str_cut(&rest, ',')), str_from_cstr(other)))
            return true;
    return false;
}

bool supervisor_is_due(const struct supervisor *s, const struct unit *u)
{
    for (const struct unit *o = s->units; o; o = o->next) {
        if (o == u)
            continue;
        /* The one before it, of other settings, is still to end. */
        if (o->removed && strcmp(o->name, u->name) == 0)
            return false;
        if (waits_for(u, o->name) && o->state != UNIT_READY &&
            o->state != UNIT_DONE)
            return false;
    }
    return true;
}

bool supervisor_is_needed(const struct supervisor *s, const struct unit *u)
{
    for (const struct unit *o = s->units; o; o = o->next)
        if (o != u && !o->wanted && unit_is_up(o) && waits_for(o, u->name))
            return true;
    return false;
}

enum errc supervisor_add(struct supervisor *s, const char *name,
                         const struct service_spec *spec,
                         const struct unit_own *own, struct unit **out,
                         struct err *err)
{
    struct unit *u = calloc(1, sizeof(*u));

    if (!u)
        return err_set(err, ERR_NOMEM, "out of memory");
    *u = (struct unit){
        .supervisor = s, .spec = *spec, .wanted = true, .unclean = !own};
    if (own)
        u->own = *own;
    arena_init(&u->arena, UNIT_MEMORY_MAX);
    (void)snprintf(u->name, sizeof(u->name), "%s", name);
    (void)snprintf(u->mark, sizeof(u->mark), "%.48s/%.64s", s->options.id,
                   name);
    for (size_t i = 0; i < UNIT_RUNS; i++)
        u->runs[i] = (struct run){.unit = u, .report.fd = -1, .gone.fd = -1};
    if (!spec_keep(&u->spec, &u->arena)) {
        arena_fini(&u->arena);
        free(u);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    *s->tail = u;
    s->tail = &u->next;
    *out = u;
    return ERR_OK;
}

static void unit_free(struct unit *u)
{
    for (size_t i = 0; i < UNIT_RUNS; i++) {
        pid_t pid = u->runs[i].pid;
        bool ours = u->runs[i].phase != RUN_NONE && u->runs[i].gone.fd < 0;
        if (ours && kill(pid, SIGKILL) == 0)
            (void)waitpid(pid, NULL, 0);
        run_close(&u->runs[i]);
    }
    if (u->notify.fd > 0) {
        loop_remove(&u->supervisor->loop, &u->notify);
        (void)close(u->notify.fd);
    }
    probe_cancel(&u->ready);
    probe_cancel(&u->health);
    logger_close(&u->logger);
    cgroup_remove(&u->supervisor->cgroups, u->name);
    arena_fini(&u->arena);
    free(u);
}

void supervisor_remove(struct supervisor *s, struct unit *u)
{
    (void)s;
    u->wanted = false;
    u->removed = true;
}

void supervisor_drop(struct supervisor *s, struct unit *u)
{
    for (struct unit **at = &s->units; *at; at = &(*at)->next) {
        if (*at != u)
            continue;
        *at = u->next;
        if (s->tail == &u->next)
            s->tail = at;
        unit_free(u);
        return;
    }
}

/* ---- the whole ------------------------------------------------------ */

enum errc supervisor_init(struct supervisor *s,
                          const struct supervisor_options *o, struct err *err)
{
    *s = (struct supervisor){.options = *o, .signals.fd = -1};
    s->tail = &s->units;
    srandom((unsigned)clock_mono_ns() ^ (unsigned)getpid());
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    enum errc rc = loop_init(&s->loop, err);
    if (rc)
        return rc;
    s->loop.turn_end = on_turn;
    s->loop.ctx = s;
    if (o->cgroups)
        cgroups_open(&s->cgroups, o->id);
    return open_signals(s, err);
}

void supervisor_leave(struct supervisor *s)
{
    sigset_t none;

    for (struct unit *u = s->units; u; u = u->next) {
        for (size_t i = 0; i < UNIT_RUNS; i++) {
            if (u->runs[i].report.fd > 0)
                (void)close(u->runs[i].report.fd);
            if (u->runs[i].gone.fd > 0)
                (void)close(u->runs[i].gone.fd);
        }
        if (u->notify.fd > 0)
            (void)close(u->notify.fd);
        if (u->logger.from > 0)
            (void)close(u->logger.from);
        if (u->logger.to > 0)
            (void)close(u->logger.to);
    }
    (void)close(s->signals.fd);
    (void)close(s->loop.epoll_fd);
    (void)close(s->loop.event_fd);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void supervisor_run(struct supervisor *s)
{
    step_all(s);
    loop_run(&s->loop);
}

void supervisor_end(struct supervisor *s)
{
    loop_stop(&s->loop);
}

void supervisor_fini(struct supervisor *s)
{
    while (s->units)
        supervisor_drop(s, s->units);
    cgroups_close(&s->cgroups);
    if (s->signals.fd >= 0)
        (void)close(s->signals.fd);
    loop_fini(&s->loop);
}

void supervisor_tell(struct supervisor *s, struct unit *u, enum unit_event e,
                     const char *text)
{
    if (s->options.told)
        s->options.told(s->options.ctx, u, e, text);
}
