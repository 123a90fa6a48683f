/* segment.h - a file of samples that is written once: a span of time, or the
 * head as it was at a moment (a snapshot, which makes the log before it
 * superfluous).
 *
 *     "STKSEG1\n"
 *     runs      of one series each, one behind the other: chunks, each as
 *                   varint   bytes of what follows, without the checksum
 *                   varint   first time (zigzag), last - first, samples
 *                   bytes    the chunk (chunk.h)
 *                   u32      CRC-32 of all that from the first varint on
 *     index     u64 run: whose numbers the series have (wal.h)
 *               varint from (zigzag), to - from: the samples are from <= t < to
 *               varint number of texts, and each as varint length, bytes
 *               varint number of series, and for each varint number, bytes of
 *                   its run, samples, labels, and a name and a value for
 *                   each of these, as places among the texts
 *     u64       where the index begins
 *     u32       CRC-32 of the index and of the place before
 *     "STKSEGE\n"
 *
 * Numbers of fixed size have their low byte first. Any bytes are either a
 * segment or ERR_INVALID; of a segment that was damaged in a run the samples
 * before the damage are read, and the error is told.
 */
#ifndef TSDB_SEGMENT_H
#define TSDB_SEGMENT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "series/labels.h"
#include "tsdb/symbols.h"
#include "tsdb/tsdb.h"

/* ---- reading ------------------------------------------------------------ */

struct segment_series {
    uint32_t series; /* number in the store */
    uint32_t size;   /* bytes of its run */
    uint64_t at;
};

struct segment {
    char *path;
    int fd;
    uint64_t run;
    int64_t from, to; /* from <= t < to */
    uint64_t size, samples;
    struct segment_series *v; /* by number, rising */
    uint32_t n;
    atomic_bool damaged; /* a run could not be read */
};

/* Whoever opens a segment says which number in the store a series has; `there`
 * is the one in the file. */
struct segment_names {
    enum errc (*number)(void *ctx, uint32_t there, struct labels labels,
                        uint32_t *out, struct err *err);
    void *ctx;
};

MUST_CHECK enum errc segment_open(const char *path,
                                  const struct segment_names *names,
                                  struct segment **out, struct err *err);
void segment_close(struct segment *s); /* NULL is fine */

/* NULL: it has no samples of that series. */
const struct segment_series *segment_find(const struct segment *s,
                                          uint32_t series);

struct segment_chunk {
    int64_t first, last;
    uint32_t n; /* samples */
    struct str bytes;
};

/* Calls each() for the chunks of a run that overlap from <= t <= to, in order,
 * until one is not ERR_OK, and returns that. ERR_INVALID: the run is damaged;
 * what came before the damage has been given. raw is any buffer. */
MUST_CHECK enum errc segment_chunks(
    const struct segment *s, const struct segment_series *run, int64_t from,
    int64_t to, struct buf *raw,
    enum errc (*each)(void *ctx, const struct segment_chunk *c), void *ctx);

/* Appends the samples with from <= t <= to of a series. */
MUST_CHECK enum errc segment_read(const struct segment *s, uint32_t series,
                                  int64_t from, int64_t to,
                                  struct samples *out);

/* ---- writing ------------------------------------------------------------ */

/* A segment that is being written, under a temporary name. Errors are kept:
 * segment_publish() tells. */
struct segment_writer {
    char *path, *temporary;
    int fd;
    uint64_t run;
    int64_t from, to;
    struct buf out, table; /* not written yet; of the index */
    struct symbols symbols;
    uint64_t written;
    uint32_t n_series, number;
    uint64_t run_start, run_samples;
    int error; /* errno of the first write that failed; 0 */
};

MUST_CHECK enum errc segment_create(const char *path, uint64_t run,
                                    int64_t from, int64_t to,
                                    struct segment_writer *w, struct err *err);

/* The next series' samples: chunks in order of time, then its labels, which are
 * taken only if there were any chunks. */
void segment_put_chunk(struct segment_writer *w,
                       const struct segment_chunk *chunk);
void segment_put_samples(struct segment_writer *w, const struct samples *s);
void segment_end_series(struct segment_writer *w, uint32_t number,
                        struct labels labels);

/* The file gets its name, or is removed. The writer is done with. */
MUST_CHECK enum errc segment_publish(struct segment_writer *w, struct err *err);
void segment_abandon(struct segment_writer *w);

#endif
