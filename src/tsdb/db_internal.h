/* db_internal.h - the inside of a store, for the files of this module. */
#ifndef TSDB_DB_INTERNAL_H
#define TSDB_DB_INTERNAL_H

#include <pthread.h>

#include "tsdb/head.h"
#include "tsdb/postings.h"
#include "tsdb/symbols.h"
#include "tsdb/tsdb.h"

struct tsdb {
    struct tsdb_options options;
    pthread_rwlock_t lock; /* of everything below */
    struct symbols symbols;
    void (*on_sample)(void *ctx, uint32_t series, int64_t t, double v);
    void *listener;
    struct postings postings;
    struct series *series; /* by number */
    uint32_t n, cap, n_forgotten;
    uint32_t *slots; /* number + 1, or 0; by hash of the labels */
    uint32_t n_slots;
    struct buf scratch;
    int64_t floor;     /* what is before is in segments, and refused */
    int64_t newest;    /* time of the newest sample; INT64_MIN: none */
    struct disk *disk; /* NULL: what is stored ends with the process */
};

/* The labels of a series into *v, which has room for *cap and grows; the texts
 * stay. Under the lock. False: memory ran out. */
bool series_labels(const struct tsdb *db, const struct series *s,
                   struct label **v, size_t *cap, struct labels *out);

/* Series without samples are none any more: they are found by nothing, their
 * numbers are not used again. alive has a byte for each number. Under the lock.
 */
MUST_CHECK enum errc forget_series(struct tsdb *db, const char *alive);

#endif
