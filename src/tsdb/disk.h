/* disk.h - the store's directory: what is kept there and who works on it.
 *
 *     seg-00000007    samples of a span of time (segment.h); none overlap
 *     head-00000009   the head as it was when wal-00000009 began
 *     wal-00000009    what came since (wal.h), and in files of higher numbers
 *     *.damaged       set aside: what could not be read
 *     lock            held by the process that has the store open
 *
 * A sample's way: into the head and the log (memory) - the log on disk, within
 * a second - a snapshot, when the log is longer than the last one - a segment,
 * when its two hours and one more are over - a larger segment - gone.
 *
 *     floor <= t                  in the head
 *     from <= t < to <= floor     in a segment
 *
 * Files have one sequence of numbers. A file appears under its name when it is
 * complete and on disk, and only then what it replaces is removed; after a
 * crash between the two, recover.c finds both and removes the replaced one.
 *
 * Threads: the flusher (every second, or when much waits), the keeper (all
 * else). Locks, in this order: keeping, io, files, the store's.
 */
#ifndef TSDB_DISK_H
#define TSDB_DISK_H

#include <pthread.h>
#include <stdatomic.h>

#include "tsdb/paths.h"
#include "tsdb/segment.h"
#include "tsdb/tsdb.h"
#include "tsdb/wal.h"

struct disk {
    char *dir;
    int lock_fd;
    uint32_t sequence;       /* the highest number used */
    pthread_mutex_t keeping; /* one at a time makes files */
    pthread_mutex_t io;      /* of the log's file */
    pthread_rwlock_t files;  /* of what follows */
    int64_t taken;           /* segments have, or had, what is before */
    struct segment **v;      /* by time */
    uint32_t n;
    uint32_t snapshot; /* number of the newest one; 0: none */
    uint64_t snapshot_bytes;
    _Atomic uint64_t
        old_wal_bytes; /* of files before the one that is written */
    struct wal wal;
    bool recovered; /* what comes from now on is logged */
    pthread_t flusher, keeper;
    bool has_flusher, has_keeper;
    pthread_mutex_t wait; /* of what follows */
    pthread_cond_t wake, flush;
    bool stopped, much;  /* much: the flusher need not wait for its second */
    atomic_bool failing; /* the log cannot be written */
    _Atomic uint64_t failures;
};

/* Opens the directory and reads what is there into the store. */
MUST_CHECK enum errc disk_open(struct tsdb *db, struct err *err);
MUST_CHECK enum errc disk_start(struct tsdb *db, struct err *err);
void disk_close(struct tsdb *db);

/* So much waits for the log that it is better written now. */
void disk_flush_soon(struct disk *d);

/* The start of the span on the clock that t lies in. */
static inline int64_t span_begin(int64_t t, int64_t span)
{
    int64_t rest = t % span;

    return t - (rest < 0 ? rest + span : rest);
}

/* Renames what could not be read. */
void disk_set_aside(struct tsdb *db, const char *path);

void disk_say(const struct tsdb *db, bool bad, const char *event,
              const char *fmt, ...) PRINTF_LIKE(4, 5);

/* What the segments have; the caller holds `files`. Reading appends. */
MUST_CHECK enum errc disk_read(struct tsdb *db, uint32_t series, int64_t from,
                               int64_t to, struct samples *out);
bool disk_has_samples(struct tsdb *db, uint32_t series, int64_t from,
                      int64_t to);

void disk_stats(const struct tsdb *db, struct tsdb_stats *out);

/* ---- recover.c ---------------------------------------------------------- */

MUST_CHECK enum errc recover(struct tsdb *db, struct err *err);

/* ---- keep.c, compact.c: with `keeping` held ----------------------------- */

MUST_CHECK enum errc keep_flush(struct tsdb *db, struct err *err);
MUST_CHECK enum errc keep_write_snapshot(struct tsdb *db, struct err *err);
void keep_remove_old(struct tsdb *db); /* that the snapshot replaces */
MUST_CHECK enum errc keep_due(struct tsdb *db, struct err *err);
/* A segment that this process wrote: the numbers in it are its own. */
MUST_CHECK enum errc keep_open_segment(const char *path, struct segment **out,
                                       struct err *err);
MUST_CHECK enum errc compact_merge(struct tsdb *db, struct err *err);
void compact_expire(struct tsdb *db);

#endif
