/* wal_internal.h - what writing and reading the log share. */
#ifndef TSDB_WAL_INTERNAL_H
#define TSDB_WAL_INTERNAL_H

#include <stdint.h>
#include <zlib.h>

#include "base/str.h"

#define WAL_MAGIC "STKWAL1\n"

enum { WAL_SERIES = 1, WAL_SAMPLES = 2, WAL_HEAD_BYTES = 16 };

static inline uint32_t wal_sum(struct str s)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)s.p, s.n);
}

#endif
