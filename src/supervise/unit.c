#include "supervise/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervise/signals.h"
#include "supervise/supervisor.h"

#define SECOND INT64_C(1000000000)
#define HOUR   (3600 * SECOND)

enum { MS = 1000000, STABLE_S = 10, OWN_DELAY_MS = 100, LOOK_AGAIN_MS = 100 };

const char *unit_state_name(enum unit_state s)
{
    static const char *const names[] = {
        [UNIT_STOPPED] = "stopped",   [UNIT_WAITING] = "waiting",
        [UNIT_STARTING] = "starting", [UNIT_READY] = "ready",
        [UNIT_STOPPING] = "stopping", [UNIT_BACKOFF] = "backoff",
        [UNIT_FAILED] = "failed",     [UNIT_DONE] = "done"};

    return names[s];
}

bool unit_is_own(const struct unit *u)
{
    return u->own.become != NULL;
}

static struct run *first_in(struct unit *u, enum run_phase phase)
{
    for (size_t i = 0; i < UNIT_RUNS; i++)
        if (u->runs[i].phase == phase)
            return &u->runs[i];
    return NULL;
}

bool unit_is_up(const struct unit *u)
{
    for (size_t i = 0; i < UNIT_RUNS; i++)
        if (u->runs[i].phase != RUN_NONE)
            return true;
    return false;
}

const struct run *unit_main(const struct unit *u)
{
    static const enum run_phase order[] = {RUN_READY, RUN_STARTING, RUN_ENDING};
    const struct run *best = NULL;

    for (size_t k = 0; k < COUNT(order) && !best; k++)
        for (size_t i = 0; i < UNIT_RUNS; i++) {
            const struct run *r = &u->runs[i];
            if (r->phase == order[k] &&
                (!best || r->started_ns > best->started_ns))
                best = r;
        }
    return best;
}

/* ---- the end -------------------------------------------------------- */

void run_end(struct unit *u, struct run *r, enum death_cause why, int64_t now)
{
    int sig = signal_number(u->spec.stop_signal);

    /* Another one answers already: it need not be announced. */
    if (unit_is_own(u))
        sig = why == DEATH_REPLACED && u->own.overlaps ? SIGQUIT : SIGTERM;

    if (r->phase == RUN_ENDING)
        return;
    r->phase = RUN_ENDING;
    r->asked = why;
    r->deadline_ns = now + u->spec.stop_timeout;
    (void)kill(r->pid, sig);
    (void)kill(r->pid, SIGCONT);
}

void unit_end(struct unit *u, enum death_cause why)
{
    for (size_t i = 0; i < UNIT_RUNS; i++)
        if (u->runs[i].phase != RUN_NONE)
            run_end(u, &u->runs[i], why, clock_mono_ns());
}

static void kill_tree(struct unit *u, const struct run *r)
{
    if (unit_is_own(u)) {
        (void)kill(r->pid, SIGKILL);
        return;
    }
    cgroup_kill(&u->supervisor->cgroups, u->name);
    (void)process_tree(u->mark, r->pid, r->began, SIGKILL);
}

void unit_kill(struct unit *u)
{
    for (size_t i = 0; i < UNIT_RUNS; i++)
        if (u->runs[i].phase != RUN_NONE)
            kill_tree(u, &u->runs[i]);
}

/* ---- a death -------------------------------------------------------- */

static bool is_success(const struct unit *u, const struct death *d)
{
    struct str rest =
        str_from_cstr(u->spec.success_status ? u->spec.success_status : "");
    uint64_t status;

    if (!d->known || !WIFEXITED(d->status))
        return false;
    if (WEXITSTATUS(d->status) == 0)
        return true;
    while (rest.p && rest.n)
        if (str_to_u64(str_trim(str_cut(&rest, ',')), &status) &&
            (int)status == WEXITSTATUS(d->status))
            return true;
    return false;
}

static double chance(void)
{
    return (double)random() / ((double)RAND_MAX + 1);
}

/* Doubled with each death in a row, up to the largest, and up to a quarter more
 * by chance: many that fell together do not rise together. */
static int64_t next_delay(const struct unit *u)
{
    int64_t delay = u->spec.delay, most = u->spec.delay_max;

    if (unit_is_own(u) && u->deaths == 1)
        return 0;
    for (unsigned i = unit_is_own(u) ? 2 : 1; i < u->deaths && delay < most;
         i++)
        delay *= 2;
    delay = delay < most ? delay : most;
    return delay + (int64_t)((double)delay * 0.25 * chance());
}

static bool over_limit(struct unit *u, int64_t now)
{
    if (now - u->hour_ns > HOUR) {
        u->hour_ns = now;
        u->in_hour = 0;
    }
    u->in_hour++;
    return u->spec.limit && u->in_hour > u->spec.limit;
}

/* Is it to be started again, and when? */
static void decide(struct unit *u, const struct death *d, bool was_ready,
                   int64_t now)
{
    const char *policy = u->spec.restart;
    bool well = d->cause == DEATH_ITSELF && is_success(u, d);
    bool again = strcmp(policy, "always") == 0 ||
                 (strcmp(policy, "on-failure") == 0 && !well);

    if (was_ready && d->lived_ms >= STABLE_S * 1000)
        u->deaths = 0;
    u->deaths++;
    if (again && over_limit(u, now)) {
        u->wanted = false;
        u->state = UNIT_FAILED;
        supervisor_tell(u->supervisor, u, UNIT_GAVE_UP, "");
        return;
    }
    if (!again) {
        u->wanted = false;
        u->state = well ? UNIT_DONE : UNIT_FAILED;
        return;
    }
    u->restarts++;
    u->state = UNIT_BACKOFF;
    u->delay_ns = next_delay(u);
    u->next_start_ns = now + u->delay_ns;
}

/* In the log of the service, behind its last line. */
static void note_end(struct unit *u, const char *text)
{
    char line[512];

    (void)snprintf(line, sizeof(line), DEATH_NOTE "%s\n", u->name,
                   (int)u->last.pid, text);
    logger_note(&u->logger, line);
}

static void on_death(struct unit *u, struct run *r, bool known, int status,
                     int64_t now)
{
    bool asked = r->phase == RUN_ENDING, was_ready = r->ready_ns != 0;
    enum death_cause cause = asked ? r->asked : DEATH_ITSELF;
    bool replaces = r->replaces && !was_ready;
    char text[300];

    if (!asked &&
        cgroup_oom_kills(&u->supervisor->cgroups, u->name) > r->oom_kills)
        cause = DEATH_OOM;
    u->last = (struct death){.at_ns = clock_wall_ns(),
                             .lived_ms = (now - r->started_ns) / MS,
                             .pid = r->pid,
                             .cause = cause,
                             .known = known,
                             .status = status};
    if (!unit_is_own(u))
        kill_tree(u, r);
    u->unclean = !unit_is_own(u);
    u->since = r->began;
    run_close(r);
    probe_cancel(&u->ready);
    probe_cancel(&u->health);
    u->health_failures = 0;
    death_text(&u->last, text, sizeof(text));
    note_end(u, text);
    if (cause == DEATH_STOPPED || cause == DEATH_REPLACED) {
        u->next_start_ns = now;
        supervisor_tell(u->supervisor, u, UNIT_ENDED, text);
        return;
    }
    if (replaces) {
        supervisor_tell(u->supervisor, u, UNIT_REFUSED, text);
        return;
    }
    if (u->wanted)
        decide(u, &u->last, was_ready, now);
    supervisor_tell(u->supervisor, u, UNIT_DIED, text);
}

bool unit_reaped(struct unit *u, pid_t pid, int status)
{
    int64_t now = clock_mono_ns();
    bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    if (pid == u->ready.pid) {
        u->ready = (struct probe){.next_ns = now + LOOK_AGAIN_MS * MS};
        u->answers = well;
        return true;
    }
    if (pid == u->health.pid) {
        u->health = (struct probe){.next_ns = now + u->spec.health_every};
        u->health_failures = well ? 0 : u->health_failures + 1;
        return true;
    }
    if (pid == u->logger.pid) {
        u->logger.pid = 0;
        return true;
    }
    for (size_t i = 0; i < UNIT_RUNS; i++) {
        struct run *r = &u->runs[i];
        if (r->phase != RUN_NONE && r->pid == pid) {
            on_death(u, r, true, status, now);
            return true;
        }
    }
    return false;
}

void unit_adopted_gone(struct unit *u, struct run *r)
{
    on_death(u, r, false, 0, clock_mono_ns());
}

void unit_failed_to_start(struct unit *u, struct run *r, const struct err *why,
                          int64_t now)
{
    u->last = (struct death){.at_ns = clock_wall_ns(), .cause = DEATH_NO_START};
    (void)snprintf(u->last.detail, sizeof(u->last.detail), "%.255s", why->msg);
    run_close(r);
    if (!r->replaces)
        decide(u, &u->last, false, now);
    supervisor_tell(u->supervisor, u, r->replaces ? UNIT_REFUSED : UNIT_DIED,
                    why->msg);
}

/* ---- what is due ---------------------------------------------------- */

static void step_health(struct unit *u, struct run *r, int64_t now)
{
    const struct service_spec *s = &u->spec;
    struct err err = {0};

    if (!s->health_http && !s->health_tcp)
        return;
    if (u->health_failures >= s->health_failures) {
        u->health_failures = 0;
        run_end(u, r, DEATH_UNHEALTHY, now);
        return;
    }
    if (u->health.pid || now < u->health.next_ns)
        return;
    if (probe_start(&u->health, s->health_http, s->health_tcp,
                    (int)(s->health_timeout / MS), &err)) {
        u->health.next_ns = now + s->health_every;
        supervisor_tell(u->supervisor, u, UNIT_TROUBLE, err.msg);
    }
}

static void step_run(struct unit *u, struct run *r, int64_t now)
{
    if (r->phase == RUN_STARTING) {
        unit_look_ready(u, r, now);
        if (r->phase == RUN_STARTING && r->deadline_ns && now > r->deadline_ns)
            run_end(u, r, DEATH_NOT_READY, now);
    } else if (r->phase == RUN_READY) {
        step_health(u, r, now);
    } else if (r->phase == RUN_ENDING && now > r->deadline_ns) {
        kill_tree(u, r);
        r->deadline_ns = now + SECOND;
    }
}

static void step_replace(struct unit *u, int64_t now)
{
    if (!u->own.overlaps || !first_in(u, RUN_READY)) {
        unit_end(u, DEATH_REPLACED);
        u->replace = false;
        u->next_start_ns = now;
        u->deaths = 0;
    } else if (!first_in(u, RUN_STARTING) && first_in(u, RUN_NONE)) {
        u->replace = false;
        (void)unit_start(u, true, now);
    }
}

/* What an earlier process left must go before the next one starts. */
static bool is_clean(struct unit *u)
{
    if (u->unclean && process_tree(u->mark, 0, u->since, SIGKILL) == 0)
        u->unclean = false;
    return !u->unclean;
}

static void step_logger(struct unit *u)
{
    struct err err = {0};

    if (u->logger.from > 0 && !u->logger.pid &&
        logger_start(&u->logger, u->name, &u->supervisor->options.logs,
                     u->supervisor->options.show, &err))
        supervisor_tell(u->supervisor, u, UNIT_TROUBLE, err.msg);
}

static enum unit_state state_of(struct unit *u, int64_t now)
{
    if (first_in(u, RUN_READY))
        return UNIT_READY;
    if (first_in(u, RUN_STARTING))
        return UNIT_STARTING;
    if (first_in(u, RUN_ENDING))
        return UNIT_STOPPING;
    if (u->wanted)
        return now < u->next_start_ns ? UNIT_BACKOFF : UNIT_WAITING;
    return u->state == UNIT_FAILED || u->state == UNIT_DONE ? u->state
                                                            : UNIT_STOPPED;
}

void unit_step(struct unit *u, int64_t now)
{
    step_logger(u);
    for (size_t i = 0; i < UNIT_RUNS; i++)
        step_run(u, &u->runs[i], now);
    if (!u->wanted && !supervisor_is_needed(u->supervisor, u))
        for (size_t i = 0; i < UNIT_RUNS; i++)
            if (u->runs[i].phase == RUN_STARTING ||
                u->runs[i].phase == RUN_READY)
                run_end(u, &u->runs[i], DEATH_STOPPED, now);
    if (u->wanted && u->replace)
        step_replace(u, now);
    if (u->wanted && !unit_is_up(u) && now >= u->next_start_ns &&
        supervisor_is_due(u->supervisor, u) && is_clean(u))
        (void)unit_start(u, false, now);
    u->state = state_of(u, now);
}
