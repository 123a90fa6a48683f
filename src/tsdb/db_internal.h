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
    struct postings postings;
    struct series *series; /* by number */
    uint32_t n, cap;
    uint32_t *slots; /* number + 1, or 0; by hash of the labels */
    uint32_t n_slots;
    struct buf scratch;
};

#endif
