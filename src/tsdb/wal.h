/* wal.h - the write-ahead log: what the head got since its last snapshot.
 *
 *     "STKWAL1\n"
 *     u64       run: the process that wrote it, and whose numbers the series
 *               have
 *     records   u32 length, u32 CRC-32 of the bytes, bytes
 *
 * The bytes of a record are
 *
 *     1  a series: varint number, varint number of labels, and for each name
 *        and value a varint length and the text
 *     2  samples: for each varint (series - the one before, zigzag) * 2 + i,
 *        varint time - the one before (zigzag), and the value: i == 1 a
 *        whole number as varint (zigzag), else eight bytes
 *
 * A log ends at the first record that is not whole: a process was killed in
 * the middle of it. A record that is whole and whose sum is wrong is damage.
 *
 * Writing is two steps. wal_series() and wal_sample() put records into memory;
 * wal_flush() writes them to the file and waits for the disk. What could not
 * be written stays in memory and is tried again by the next wal_flush().
 *
 * Threads: wal_series(), wal_sample(), wal_end(), wal_is_...() and wal_take()
 * under the store's lock; wal_flush() and wal_rotate() by one thread, without
 * it.
 */
#ifndef TSDB_WAL_H
#define TSDB_WAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "series/labels.h"

enum {
    WAL_PENDING_MAX = 16 << 20, /* bytes that may wait, and as many again that
                                   the flusher could not write */
    WAL_RECORD_MAX = 32 << 20,
};

struct wal {
    char *dir;
    uint64_t run;
    uint32_t file;              /* number of the file that is written */
    int fd;                     /* -1: not there yet */
    _Atomic uint64_t size;      /* bytes of it that are good */
    bool torn;                  /* there may be others behind them */
    struct buf record, pending; /* under the store's lock */
    struct buf writing;         /* the flusher's */
    uint32_t last_series;       /* of the record */
    int64_t last_t;
};

MUST_CHECK enum errc wal_init(struct wal *w, const char *dir, uint64_t run,
                              uint32_t file, struct err *err);
void wal_fini(struct wal *w);

/* True when what waits is worth writing at once, or so much that nothing more
 * may be added. */
bool wal_is_much(const struct wal *w);
bool wal_is_full(const struct wal *w);

void wal_series(struct wal *w, uint32_t number, struct labels labels);
void wal_sample(struct wal *w, uint32_t series, int64_t t, double v);
void wal_end(struct wal *w); /* of the record */

/* Moves what waits to the flusher. */
void wal_take(struct wal *w);
MUST_CHECK enum errc wal_flush(struct wal *w, struct err *err);

/* What is written from now on goes to that file. */
void wal_rotate(struct wal *w, uint32_t file);

struct wal_reader {
    void (*run)(void *ctx, uint64_t run);
    enum errc (*series)(void *ctx, uint32_t number, struct labels labels);
    enum errc (*sample)(void *ctx, uint32_t series, int64_t t, double v);
    void *ctx;
};

/* Reads a log from its start. ERR_INVALID: damaged behind what was read; any
 * other error is of reading, or the reader's. *size is what was good. */
MUST_CHECK enum errc wal_read(const char *path, const struct wal_reader *reader,
                              uint64_t *size, struct err *err);

/* The bytes of one record. */
MUST_CHECK enum errc wal_read_record(struct str record,
                                     const struct wal_reader *reader);

#endif
