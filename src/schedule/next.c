/* next.c - the next time, by local time: day by day, each with its hours and
 * minutes, as moments that exist. */
#include <time.h>

#include "schedule/when.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

static bool has(uint64_t bits, int at)
{
    return (bits >> at & 1) != 0;
}

/* Seconds that local time is ahead of UTC. */
static int64_t offset_at(int64_t t)
{
    time_t at = (time_t)t;
    struct tm tm;

    return localtime_r(&at, &tm) ? (int64_t)tm.tm_gmtoff : 0;
}

/* Of the moment before which the offset is one and at which it is another. */
static int64_t change_between(int64_t from, int64_t to)
{
    int64_t before = offset_at(from);

    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        if (offset_at(middle) == before)
            from = middle;
        else
            to = middle;
    }
    return to;
}

/* The earliest moment after `after` that this local time (as if it were UTC) is
 * one for; `best` if that is earlier. */
static int64_t earlier(const struct when *w, int64_t local, int64_t after,
                       int64_t best)
{
    /* No zone is a day away: the offsets around it are before and behind any
     * change. */
    int64_t before = offset_at(local - DAY), behind = offset_at(local + DAY);
    int64_t first = local - before, second = local - behind;
    bool is_first = offset_at(first) == before,
         is_second = second != first && offset_at(second) == behind;

    if (!is_first && !is_second) { /* left out */
        first = change_between(local - DAY, local + DAY);
        is_first = !w->any_hour;
    }
    if (is_first && first > after && (best < 0 || first < best))
        best = first;
    /* The second time: for those that follow the clock, or the only one. */
    if (is_second && (w->any_hour || !is_first) && second > after &&
        (best < 0 || second < best))
        best = second;
    return best;
}

/* The first moment of that day (its midnight as if it were UTC). */
static int64_t on_day(const struct when *w, int64_t midnight, int64_t after)
{
    int64_t best = -1;

    for (int h = 0; h < 24; h++)
        for (int m = 0; has(w->hours, h) && m < 60; m++)
            if (has(w->minutes, m))
                best =
                    earlier(w, midnight + h * HOUR + m * MINUTE, after, best);
    return best;
}

static bool is_day(const struct when *w, const struct tm *day)
{
    bool by_day = has(w->days, day->tm_mday),
         by_weekday = has(w->weekdays, day->tm_wday);

    if (!has(w->months, day->tm_mon + 1))
        return false;
    return w->any_day || w->any_weekday ? by_day && by_weekday
                                        : by_day || by_weekday;
}

int64_t when_next(const struct when *w, int64_t after)
{
    /* The day before may end behind this moment, where a zone has changed. */
    int64_t local = after + offset_at(after) - DAY,
            midnight = local - (local % DAY + DAY) % DAY;

    for (int i = 0; i < WHEN_YEARS * 366; i++, midnight += DAY) {
        time_t at = (time_t)midnight;
        struct tm day;
        if (!gmtime_r(&at, &day) || !is_day(w, &day))
            continue;
        int64_t best = on_day(w, midnight, after);
        if (best >= 0)
            return best;
    }
    return -1;
}
