#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t now(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_mono_ns(void)
{
    return now(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
    return now(CLOCK_REALTIME);
}

void clock_format(int64_t wall_ns, char out[CLOCK_TEXT_MAX])
{
    time_t s = (time_t)(wall_ns / 1000000000);
    unsigned ms = (unsigned)(wall_ns / 1000000 % 1000);
    char day[24];
    struct tm tm;

    gmtime_r(&s, &tm);
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, CLOCK_TEXT_MAX, "%s.%03uZ", day, ms);
}

void clock_deadline(int64_t ms, struct timespec *out)
{
    int64_t ns = clock_wall_ns() + ms * 1000000;

    out->tv_sec = (time_t)(ns / 1000000000);
    out->tv_nsec = (long)(ns % 1000000000);
}
