/* tsdb.h - the store of samples: series found by their labels, read by time.
 *
 * New samples live in memory (the head): the last few of a series as they are,
 * the ones before as chunks (chunk.h). With a directory they are also on disk,
 * within a second, and older ones only there; disk.h tells how. Without one,
 * what a process has stored ends with it.
 *
 * Threads: any number may read while one writes. tsdb_write_begin() waits for
 * the readers in the middle of a series, tsdb_write_end() lets them go on; a
 * scrape is written between one pair, so that a query sees it whole or not at
 * all - a series at a time.
 */
#ifndef TSDB_TSDB_H
#define TSDB_TSDB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "series/labels.h"
#include "series/matcher.h"
#include "series/sample.h"

struct tsdb;

struct tsdb_options {
    uint32_t max_series;  /* 0: a million */
    int64_t out_of_order; /* ms behind a series' newest sample; 0: none */
    const char *dir;      /* NULL: only in memory */
    int64_t retention;    /* ms before the newest sample; 0: for ever */
    uint64_t max_bytes;   /* in the directory; 0: any number */
    bool by_hand; /* no threads: the caller calls tsdb_flush(), tsdb_maintain()
                   */
    /* Told what happens, from any thread; event as in log.h. */
    void (*say)(void *ctx, bool bad, const char *event, const char *text);
    void *ctx;
};

/* Reads what the directory has. ERR_CONFLICT: another process has it open. */
MUST_CHECK enum errc tsdb_open(const struct tsdb_options *options,
                               struct tsdb **out, struct err *err);
void tsdb_close(struct tsdb *db); /* NULL is fine */

/* ---- writing ------------------------------------------------------------ */

void tsdb_write_begin(struct tsdb *db);
void tsdb_write_end(struct tsdb *db);

/* The number of the series with these labels, which is made if there is none;
 * it stays the same while the store is open. ERR_LIMIT: too many series. */
MUST_CHECK enum errc tsdb_series(struct tsdb *db, struct labels labels,
                                 uint32_t *series, struct err *err);

/* True when these are the labels of the series: a cheap question, for callers
 * that remember a series and want to be sure. Any thread. */
bool tsdb_is_series(struct tsdb *db, uint32_t series, struct labels labels);

/* ERR_CONFLICT: there is another value at this time. ERR_INVALID: too old.
 * ERR_UNAVAIL: the disk is full for so long that no more can wait for it.
 * ERR_NOMEM. */
MUST_CHECK enum errc tsdb_append(struct tsdb *db, uint32_t series, int64_t t,
                                 double v);

/* From now on, told of every sample that is appended; within the call, so it
 * must be quick. NULL: nobody. */
void tsdb_listen(struct tsdb *db,
                 void (*on_sample)(void *ctx, uint32_t series, int64_t t,
                                   double v),
                 void *ctx);

/* ---- reading ------------------------------------------------------------ */

struct tsdb_found {
    uint32_t *v; /* series numbers, rising */
    size_t n;
};

/* The series that all matchers fit, in the arena. ERR_LIMIT: an expression
 * was too costly. ERR_NOMEM: the arena is full. */
MUST_CHECK enum errc tsdb_select(struct tsdb *db, const struct matcher *m,
                                 size_t n, struct arena *a,
                                 struct tsdb_found *out, struct err *err);

/* The labels of a series; texts belong to the store. v is NULL when the arena
 * is full. */
struct labels tsdb_labels(struct tsdb *db, uint32_t series, struct arena *a);

/* Samples in order of time; grows as needed, samples_fini() releases it. */
struct samples {
    int64_t *t;
    double *v;
    size_t n, cap;
    struct buf raw; /* the store's: bytes of a file */
};

void samples_fini(struct samples *s);

/* Replaces *out by the samples with from <= t <= to. */
MUST_CHECK enum errc tsdb_read(struct tsdb *db, uint32_t series, int64_t from,
                               int64_t to, struct samples *out);

/* True when the series has or may have samples with from <= t <= to. */
bool tsdb_has_samples(struct tsdb *db, uint32_t series, int64_t from,
                      int64_t to);

/* ---- the disk ----------------------------------------------------------- */

/* What was appended is on disk when this returns. */
MUST_CHECK enum errc tsdb_flush(struct tsdb *db, struct err *err);

/* Does what is due: snapshots, segments, merging them, retention. */
MUST_CHECK enum errc tsdb_maintain(struct tsdb *db, struct err *err);

struct tsdb_stats {
    uint64_t series, samples, chunks, bytes; /* in memory; of the chunks */
    uint64_t pairs;                          /* different names with values */
    int64_t from, to; /* of what is in memory; INT64_MAX, INT64_MIN: empty */
    uint64_t segments, segment_samples, segment_bytes;
    uint64_t wal_bytes, snapshot_bytes;
    uint64_t pending_bytes; /* not on disk yet */
    uint64_t flush_failures;
    uint64_t failing; /* 1: the log cannot be written */
};

void tsdb_stats(struct tsdb *db, struct tsdb_stats *out);

#endif
