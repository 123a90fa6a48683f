/* zone.h - how far a place is ahead of UTC, from the system's time zone files:
 * C's own way changes the environment, which all threads share.
 *
 * Format: RFC 8536. Of the rule at the end of a file (for years behind its
 * list, which goes to 2037 on Debian) only one without summer time is
 * understood.
 */
#ifndef NOTIFY_ZONE_H
#define NOTIFY_ZONE_H

#include "base/err.h"
#include "base/str.h"

/* zone: "UTC" or empty, "Local", "Asia/Shanghai". s since 1970. */
MUST_CHECK enum errc zone_offset(struct str zone, int64_t s, int *seconds,
                                 struct err *err);

#endif
