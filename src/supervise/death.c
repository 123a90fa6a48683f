#include "supervise/death.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "codec/json_tree.h"
#include "supervise/signals.h"

static const char *const names[] = {
    [DEATH_ITSELF] = "itself",       [DEATH_OOM] = "out-of-memory",
    [DEATH_STOPPED] = "stopped",     [DEATH_REPLACED] = "replaced",
    [DEATH_NOT_READY] = "not-ready", [DEATH_UNHEALTHY] = "unhealthy",
    [DEATH_NO_START] = "no-start"};

const char *death_cause_name(enum death_cause c)
{
    return names[c];
}

bool death_cause_parse(struct str name, enum death_cause *out)
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, str_from_cstr(names[i]))) {
            *out = (enum death_cause)i;
            return true;
        }
    return false;
}

void death_text(const struct death *d, char *out, size_t max)
{
    char signal[32];

    if (d->cause == DEATH_NO_START)
        (void)snprintf(out, max, "%s", d->detail);
    else if (!d->known)
        (void)snprintf(out, max, "gone, its status is not known");
    else if (WIFSIGNALED(d->status))
        (void)snprintf(out, max, "signal %d (%s)%s", WTERMSIG(d->status),
                       signal_name(WTERMSIG(d->status), signal),
                       WCOREDUMP(d->status) ? ", core dumped" : "");
    else
        (void)snprintf(out, max, "exit status %d", WEXITSTATUS(d->status));
}

void death_put(const struct death *d, const char *unit, struct buf *out)
{
    char at[CLOCK_TEXT_MAX];

    clock_format(d->at_ns, at);
    buf_put_field(out, "{\"@timestamp\":", str_from_cstr(at));
    buf_put_field(out, ",\"service\":", str_from_cstr(unit));
    buf_printf(out, ",\"pid\":%d,\"lived_ms\":%lld", (int)d->pid,
               (long long)d->lived_ms);
    buf_put_field(out, ",\"cause\":", str_from_cstr(names[d->cause]));
    if (d->known && WIFSIGNALED(d->status))
        buf_printf(out, ",\"signal\":%d", WTERMSIG(d->status));
    else if (d->known)
        buf_printf(out, ",\"exit_status\":%d", WEXITSTATUS(d->status));
    if (d->settings_ms >= 0)
        buf_printf(out, ",\"settings_ms\":%lld", (long long)d->settings_ms);
    if (d->detail[0])
        buf_put_field(out, ",\"detail\":", str_from_cstr(d->detail));
    buf_puts(out, "}\n");
}

/* W_EXITCODE() of glibc, for what was read back. */
static int status_of(const struct json_node *n)
{
    const struct json_node *exited = json_get(n, "exit_status");

    return exited ? (int)(json_i64_or(exited, 0) & 0xff) << 8
                  : (int)(json_i64_or(json_get(n, "signal"), 0) & 0x7f);
}

static bool death_read(struct str line, const char *unit, struct death *out)
{
    struct arena a;
    int64_t ms = 0;

    arena_init(&a, 1 << 20);
    const struct json_node *n = json_tree_copy(line, &a, NULL);
    bool fine = json_says(json_get(n, "service"), unit) &&
                clock_parse(json_str_or(json_get(n, "@timestamp"), ""), &ms);
    if (fine) {
        struct str detail = json_str_or(json_get(n, "detail"), "");
        *out = (struct death){
            .at_ns = ms * 1000000,
            .lived_ms = json_i64_or(json_get(n, "lived_ms"), 0),
            .pid = (pid_t)json_i64_or(json_get(n, "pid"), 0),
            .known = json_get(n, "exit_status") || json_get(n, "signal"),
            .status = status_of(n),
            .settings_ms = json_i64_or(json_get(n, "settings_ms"), -1)};
        (void)snprintf(out->detail, sizeof(out->detail), STR_FMT,
                       STR_ARG(detail));
        fine = death_cause_parse(json_str_or(json_get(n, "cause"), ""),
                                 &out->cause);
    }
    arena_fini(&a);
    return fine;
}

bool death_find(struct str lines, const char *unit, struct death *out)
{
    struct death one;
    bool found = false;

    while (lines.p && lines.n) {
        if (death_read(str_cut(&lines, '\n'), unit, &one)) {
            *out = one;
            found = true;
        }
    }
    return found;
}
