/* duration.h - 1h30m and the like. Units: y w d h m s ms, each once, falling.
 */
#ifndef SERIES_DURATION_H
#define SERIES_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* The whole text as milliseconds. False: it is none, or over 292 years. */
bool duration_parse(struct str text, int64_t *ms);

/* As Prometheus prints it: 90000 is "1m30s", a week "1w" only when whole. */
void duration_print(struct buf *out, int64_t ms);

#endif
