/* head.h - one series of the head: newest samples plain, older ones packed. */
#ifndef TSDB_HEAD_H
#define TSDB_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "tsdb/chunk.h"
#include "tsdb/segment.h"
#include "tsdb/tsdb.h"

enum {
    PLAIN_MAX = 32,  /* newest samples, not packed yet */
    SEALED_MAX = 256 /* samples at which a chunk is left as it is */
};

struct chunk {
    int64_t first, last; /* times */
    uint32_t n, size;
    char bytes[];
};

/* Samples behind the last chunk; times count from `base`. */
struct plain {
    int64_t base;
    uint32_t after[PLAIN_MAX];
    double v[PLAIN_MAX];
};

struct series {
    uint64_t hash;
    uint32_t *pairs; /* n_labels times name and value, as symbols */
    struct chunk **chunks;
    struct plain *plain; /* NULL: none yet */
    int64_t last;        /* time of the newest sample; INT64_MIN: none */
    uint32_t n_chunks;
    uint16_t n_labels;
    uint8_t n_plain;
    bool logged : 1;    /* the log says which series the number is */
    bool forgotten : 1; /* it has no samples any more, and no labels */
};

void series_fini(struct series *s);

/* As tsdb_append(). scratch is any buffer of the caller's. */
MUST_CHECK enum errc series_append(struct series *s, int64_t t, double v,
                                   int64_t out_of_order, struct buf *scratch);

/* A chunk behind all samples there are; its bytes are copied. */
MUST_CHECK enum errc series_add_chunk(struct series *s,
                                      const struct segment_chunk *c);

/* The time of the first sample; INT64_MAX: none. */
int64_t series_first(const struct series *s);

/* Forgets the samples before t. */
MUST_CHECK enum errc series_drop_before(struct series *s, int64_t t,
                                        struct buf *scratch);

/* Appends to *out. */
MUST_CHECK enum errc series_read(const struct series *s, int64_t from,
                                 int64_t to, struct samples *out);

#endif
