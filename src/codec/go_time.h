/* go_time.h - times and durations as Go prints them: what templates of alerts
 * contain.
 *
 * Layouts: https://pkg.go.dev/time#pkg-constants
 *
 * Threads: any.
 */
#ifndef CODEC_GO_TIME_H
#define CODEC_GO_TIME_H

#include <stdint.h>

#include "base/buf.h"

/* How Go's time.Time prints itself. */
#define GO_TIME_PRINTED "2006-01-02 15:04:05.999999999 -0700 MST"

/* January 1 of the year 1, which stands for no time, in ms since 1970. */
#define GO_TIME_ZERO INT64_C(-62135596800000)

struct go_time {
    int64_t ms;     /* since 1970 */
    int64_t east_s; /* of the zone */
    char zone[16];  /* "UTC", "CST" */
};

/* The same moment in UTC, and on the clock of this machine. */
struct go_time go_time_utc(int64_t ms);
struct go_time go_time_local(int64_t ms);

/* layout: "2006-01-02 15:04:05". */
void go_time_format(struct buf *out, struct str layout,
                    const struct go_time *t);

/* "1h2m3.5s", "300ms", "0s" */
void go_duration(struct buf *out, int64_t ms);

#endif
