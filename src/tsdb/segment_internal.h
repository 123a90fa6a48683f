/* segment_internal.h - what reading and writing a segment share. */
#ifndef TSDB_SEGMENT_INTERNAL_H
#define TSDB_SEGMENT_INTERNAL_H

#include <stdint.h>
#include <zlib.h>

#define SEGMENT_MAGIC "STKSEG1\n"
#define SEGMENT_END   "STKSEGE\n"

enum {
    SEGMENT_MAGIC_BYTES = 8,
    SEGMENT_FOOT_BYTES = 8 + 4 + 8,
    SEGMENT_CHUNK_MAX = 64 * 1024, /* bytes of a chunk; none is larger */
    SEGMENT_LABELS_MAX = 65535,
    SEGMENT_INDEX_MAX = 1 << 30,
};

static inline uint32_t segment_sum(const char *p, size_t n)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)p, n);
}

#endif
