#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int64_t clock_wall_ms(void)
{
    return clock_wall_ns() / 1000000;
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

/* ---- reading ------------------------------------------------------------ */

static bool two_digits(const char *p, int *out)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *out = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

/* Days from 1970 to a date of the Gregorian calendar
 * (https://howardhinnant.github.io/date_algorithms.html). */
static int64_t days_to(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Z or +08:00, in ms. */
static bool read_zone(const char *p, int64_t *out)
{
    int hours, minutes;

    *out = 0;
    if (strcmp(p, "Z") == 0 || strcmp(p, "z") == 0)
        return true;
    if ((p[0] != '+' && p[0] != '-') || strlen(p) != 6 ||
        !two_digits(p + 1, &hours) || p[3] != ':' ||
        !two_digits(p + 4, &minutes))
        return false;
    *out = (hours * 60 + minutes) * 60000 * (p[0] == '-' ? -1 : 1);
    return true;
}

bool clock_parse(struct str s, int64_t *ms)
{
    char t[48];
    int century, year, month, day, hour, minute, second;
    int64_t zone;

    if (s.n < 20 || s.n >= sizeof(t))
        return false;
    memcpy(t, s.p, s.n);
    t[s.n] = '\0';
    if (!two_digits(t, &century) || !two_digits(t + 2, &year) || t[4] != '-' ||
        !two_digits(t + 5, &month) || t[7] != '-' || !two_digits(t + 8, &day) ||
        (t[10] != 'T' && t[10] != 't') || !two_digits(t + 11, &hour) ||
        t[13] != ':' || !two_digits(t + 14, &minute) || t[16] != ':' ||
        !two_digits(t + 17, &second) || month < 1 || month > 12 || day < 1 ||
        day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    char *rest = t + 19;
    double fraction = *rest == '.' ? strtod(rest, &rest) : 0;
    if (!read_zone(rest, &zone))
        return false;
    int64_t seconds = days_to(century * 100 + year, month, day) * 86400 +
                      hour * 3600 + minute * 60 + second;
    *ms = seconds * 1000 + (int64_t)(fraction * 1000 + 0.5) - zone;
    return true;
}

bool clock_parse_ns(struct str text, int64_t *ns)
{
    int64_t ms;

    if (!clock_parse(text, &ms) || ms < 0 || ms > INT64_MAX / 1000000)
        return false;
    *ns = ms * 1000000;
    return true;
}
