/* batcher.h - how many waiting rows to run together, and whether to wait for
 * more. Learns it: on a GPU a larger batch costs hardly more than one row, on
 * a CPU it usually costs as many times more as it has rows, and then rows are
 * better run apart, on as many processors as there are.
 *
 * Pure policy: no threads, no clock, no I/O. Not thread safe: the caller holds
 * the lock of the queue it decides about.
 */
#ifndef SERVE_BATCHER_H
#define SERVE_BATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BATCHER_CLASSES = 8, BATCHER_SIZES = 8 };

struct batcher {
    size_t max_rows;      /* 1: rows are never put together */
    int64_t max_delay_ns; /* longest wait for more rows */
    size_t preferred[BATCHER_SIZES];
    size_t n_preferred;
    /* Nanoseconds per row for 1, 2, 3-4, 5-8 ... rows; moving averages. */
    double cost[BATCHER_CLASSES];
    unsigned runs[BATCHER_CLASSES];
};

/* After a run of `rows` rows that took `ns`. */
void batcher_learn(struct batcher *b, size_t rows, int64_t ns);

/* How many of the `waiting` rows to run now, the oldest of which has waited
 * `age_ns`. 0: wait; *due_ns says how much longer. waiting is not 0. */
size_t batcher_take(const struct batcher *b, size_t waiting, int64_t age_ns,
                    int64_t *due_ns);

/* Whether larger batches were found to pay. */
bool batcher_pays(const struct batcher *b);

#endif
