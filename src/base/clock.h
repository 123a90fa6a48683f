/* clock.h - the two clocks: one that only goes forward, one that people read.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/str.h"

/* Nanoseconds since some start; never goes back. Any thread. */
int64_t clock_mono_ns(void);

/* Since 1970-01-01 UTC: nanoseconds; milliseconds, as samples have it. */
int64_t clock_wall_ns(void);
int64_t clock_wall_ms(void);

/* The wall clock in so many ms, as pthread_cond_timedwait() wants it. */
void clock_deadline(int64_t ms, struct timespec *out);

enum { CLOCK_TEXT_MAX = 32 };

/* "2026-11-23T22:21:31.123Z" (RFC 3339, milliseconds) into out. */
void clock_format(int64_t wall_ns, char out[CLOCK_TEXT_MAX]);

/* "2026-11-23T22:21:31.123+08:00" (RFC 3339) as ms since 1970. False: it is
 * none. */
bool clock_parse(struct str text, int64_t *ms);

/* The same in ns; false also for what ns do not reach: before 1970, behind
 * 2262. */
bool clock_parse_ns(struct str text, int64_t *ns);

#endif
