/* when.h - times that come again: the fields of cron, or plain words, and the
 * next time after a moment.
 *
 *   minute hour day month weekday     crontab(5): * , - / and names; 7 is
 * Sunday
 *   @hourly @daily @weekly @monthly @yearly
 *   daily at 03:00
 *   every 15 minutes
 *   weekdays at 9:00 and 18:00
 *   monday, thursday at 3pm
 *   monthly on the 1st and 15th at 04:00
 *
 * When day and weekday are both restricted, either is enough, as in cron.
 *
 * Where clocks change: a job at a fixed hour that the day leaves out runs at
 * the change, and one in the hour that comes twice runs the first time only. A
 * job whose hour is a star follows the clock: it has no run in the hour that is
 * left out, and runs in both of the others.
 *
 * Threads: any, as long as nobody changes TZ.
 */
#ifndef SCHEDULE_WHEN_H
#define SCHEDULE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct when {
    uint64_t minutes;                    /* bit 0 to 59 */
    uint32_t hours;                      /* bit 0 to 23 */
    uint32_t days;                       /* bit 1 to 31 */
    uint32_t months;                     /* bit 1 to 12 */
    uint32_t weekdays;                   /* bit 0, Sunday, to 6 */
    bool any_hour, any_day, any_weekday; /* the field begins with a star */
};

/* ERR_INVALID: what is wrong, and where. */
MUST_CHECK enum errc when_parse(struct str text, struct when *out,
                                struct err *err);

/* The first time after that (seconds since 1970), by the clock of TZ; -1: there
 * is none within WHEN_YEARS (30 February). */
enum { WHEN_YEARS = 30 };
int64_t when_next(const struct when *w, int64_t after);

/* ---- words.c ------------------------------------------------------------ */

/* The same for plain words; ERR_NOT_FOUND: these are none. */
MUST_CHECK enum errc when_words(struct str text, struct when *out,
                                struct err *err);

#endif
