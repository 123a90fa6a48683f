/* metric_internal.h - how series are stored; for metric.c and expose.c. */
#ifndef METRIC_METRIC_INTERNAL_H
#define METRIC_METRIC_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "metric/metric.h"

enum { MAX_HOOKS = 16 };

/* A row of cells: histogram: buckets..., +Inf, sum; summary: count, sum;
 * else one. Relaxed atomics: one writer per row, and a scrape may be a moment
 * late but never torn. */
struct metric {
    struct metric *next; /* of the same family */
    const struct metric_family *family;
    char *labels;
    unsigned shards;
    size_t stride; /* cells per row */
    _Atomic double *cells;
};

struct family_node {
    struct family_node *next;
    const struct metric_family *family;
    struct metric *first, **tail;
};

struct metrics {
    unsigned shards;
    pthread_mutex_t lock;
    struct family_node *first, **tail;
    struct {
        void (*call)(void *);
        void *ctx;
    } hooks[MAX_HOOKS];
    size_t n_hooks;
};

/* The sum of one cell over the shards. */
double metric_cell(const struct metric *s, size_t cell);

#endif
