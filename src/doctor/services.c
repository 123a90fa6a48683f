/* services.c - units, processes, and restarts that are due. */
#include <string.h>

#include "doctor/check.h"

void check_services_failed(struct exam *x)
{
    struct str said = {NULL, 0};
    enum found found = machine_fact(x->m, "failed-units", &said);

    if (!got(x, found, "systemctl"))
        return;
    evidence(x, "%s", said.n ? "failed units" : "none");
    while (said.n) {
        struct str unit = str_cut(&said, '\n');
        (void)str_cut(&unit, ' ');
        const char *name = cstr(x, unit);
        say(x, VERDICT_WARNING, SERVICES_FAILED, name);
        fix(x, "journalctl -u %s -n 20   # then: systemctl restart %s", name,
            name);
    }
}

void check_services_restart(struct exam *x)
{
    struct str text = STR("");

    if (!machine_kind(x->m, "/run/reboot-required") &&
        !machine_kind(x->m, "/var/run/reboot-required")) {
        evidence(x, "no");
        return;
    }
    (void)machine_read(x->m, "/run/reboot-required.pkgs", &text);
    struct str first = str_cut(&text, '\n');
    say(x, VERDICT_WARNING, SERVICES_RESTART, first.n ? ": " : "",
        cstr(x, first));
    fix(x, "reboot");
}

/* The state in /proc/PID/stat: behind the last ')'. */
static char state(struct str stat, struct str *name)
{
    const char *from = stat.n ? memchr(stat.p, '(', stat.n) : NULL,
               *to = stat.n ? memrchr(stat.p, ')', stat.n) : NULL;

    if (!from || !to || to < from || to + 2 >= stat.p + stat.n)
        return '?';
    *name = (struct str){from + 1, (size_t)(to - from - 1)};
    return to[2];
}

void check_services_stuck(struct exam *x)
{
    struct names pids = {.n = 0};
    size_t zombies = 0, stuck = 0;

    (void)machine_list(x->m, "/proc", &pids);
    for (size_t i = 0; i < pids.n; i++) {
        struct str stat = {NULL, 0}, name = {NULL, 0};
        const char *pid = pids.v[i].p;
        if (pid[0] < '0' || pid[0] > '9')
            continue;
        const char *path = machine_path(x->m, "/proc/%s/stat", pid);
        if (machine_read(x->m, path, &stat) != FOUND)
            continue;
        char is = state(stat, &name);
        zombies += is == 'Z';
        if (is != 'D' || stuck == 5)
            continue;
        /* One that waits for a disk does so for milliseconds. */
        if (machine_read(x->m, path, &stat) != FOUND ||
            state(stat, &name) != 'D')
            continue;
        stuck++;
        say(x, VERDICT_WARNING, SERVICES_STUCK, cstr(x, name), pid);
        fix(x, "cat /proc/%s/stack   # which says what it waits for", pid);
    }
    evidence(x, "stuck %zu, zombies %zu", stuck, zombies);
    if (zombies > 20)
        say(x, VERDICT_WARNING, SERVICES_ZOMBIES, zombies);
}

void check_services_logrotate(struct exam *x)
{
    struct str text = {NULL, 0};

    if (!machine_kind(x->m, "/etc/logrotate.conf"))
        return;
    enum found found = machine_read(x->m, "/var/lib/logrotate/status", &text);
    if (found != ABSENT) {
        evidence(x, "status %s", found == FOUND ? "there" : "not readable");
        return;
    }
    say(x, VERDICT_WARNING, SERVICES_LOGROTATE);
    fix(x, "systemctl enable --now logrotate.timer   # or cron, which runs it "
           "daily");
}

void check_services_journal(struct exam *x)
{
    if (!machine_kind(x->m, "/run/systemd/journal"))
        return;
    bool kept = machine_kind(x->m, "/var/log/journal");
    evidence(x, "%s", kept ? "on disk" : "in memory");
    if (kept)
        return;
    say(x, VERDICT_INFO, SERVICES_JOURNAL);
    fix(x, "mkdir -p /var/log/journal && systemctl restart systemd-journald");
}
