/* time.c - the clock and its zone. */
#include "doctor/check.h"

void check_time_synchronised(struct exam *x)
{
    struct str said = {NULL, 0};

    if (!got(x, machine_fact(x->m, "clock", &said), "adjtimex"))
        return;
    bool yes = fact_number(said, "synchronised", 0) == 1;
    /* The clock of a container is the host's to keep. */
    bool ours = !machine_kind(x->m, "/.dockerenv");
    evidence(x, "%s%s", yes ? "synchronised" : "not synchronised",
             ours ? "" : ", the host's to keep");
    if (yes || !ours)
        return;
    say(x, VERDICT_WARNING, TIME_NOT_SYNCHRONISED);
    fix(x, "timedatectl set-ntp true   # or: apt install chrony");
}

void check_time_zone(struct exam *x)
{
    struct str to = {NULL, 0};

    if (machine_link(x->m, "/etc/localtime", &to) == FOUND)
        evidence(x, STR_FMT, STR_ARG(to));
}
