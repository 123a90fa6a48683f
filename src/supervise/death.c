#include "supervise/death.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
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
    if (d->detail[0])
        buf_put_field(out, ",\"detail\":", str_from_cstr(d->detail));
    buf_puts(out, "}\n");
}
