/* time_text.h - times and fingerprints as Alertmanager writes them. */
#ifndef NOTIFY_TIME_TEXT_H
#define NOTIFY_TIME_TEXT_H

#include <stdint.h>

#include "base/buf.h"

/* "2026-11-25T12:00:00.25Z", 0 as "0001-01-01T00:00:00Z" (RFC 3339). */
void time_put(struct buf *out, int64_t ms);

/* 16 digits. */
void fingerprint_text(uint64_t v, char out[17]);

#endif
