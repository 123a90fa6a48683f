/* ingest.h - one answer of a target into the store.
 *
 * What was there the last time and is not now gets a stale marker. The series
 * of the last answer are remembered in their order: a target says the same
 * things in the same order nearly always, and then a series is found by one
 * comparison.
 */
#ifndef COLLECT_INGEST_H
#define COLLECT_INGEST_H

#include "codec/exposition.h"
#include "collect/metadata.h"
#include "collect/relabel.h"
#include "tsdb/tsdb.h"

/* The series a target had at its last scrape. Zeroed: none. */
struct ingest_memory {
    uint32_t *series; /* those that end when they are gone; rising */
    size_t n;
    uint32_t *order; /* of all samples, as they stood in the text */
    size_t n_order;
};

void ingest_fini(struct ingest_memory *m);

struct ingest {
    struct tsdb *db;
    struct labels target; /* job, instance */
    int64_t now;          /* ms: of samples without a time */
    size_t max_samples;
    struct ingest_memory *memory;
    struct metadata *metadata; /* NULL: not kept */
    bool honor_labels; /* the sample's labels win, and not the target's */
    bool ignore_times; /* that samples have of their own */
    const struct relabel_rules *relabel; /* of samples; NULL: none */
    /* Of what relabelling leaves; 0: no limit. */
    size_t max_kept, max_labels, max_name, max_value;
    size_t samples, kept; /* out: all; those that relabelling left */
    size_t added;         /* out: of series not there the last time */
    size_t refused;       /* out: too old, or another value at that time */
};

/* All of the text or nothing of it. ERR_INVALID with the line, ERR_LIMIT.
 * ERR_UNAVAIL: the store takes no more, see tsdb_append(). */
MUST_CHECK enum errc ingest_text(struct ingest *in, struct str text,
                                 enum exposition_format format,
                                 struct err *err);

/* The target did not answer: its series end. */
void ingest_nothing(struct ingest *in);

/* One sample of the target itself: up and the like. */
void ingest_own(struct ingest *in, const char *name, double v);

#endif
