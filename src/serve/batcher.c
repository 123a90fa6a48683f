#include "serve/batcher.h"

enum { TRIALS = 3 };

/* A batch has to save a tenth before rows wait for each other. */
static const double worth = 0.9;

/* 1, 2, 3-4, 5-8, 9-16, 17-32, 33-64, more. */
static unsigned class_of(size_t rows)
{
    unsigned c = 0;

    while (c < BATCHER_CLASSES - 1 && ((size_t)1 << c) < rows)
        c++;
    return c;
}

void batcher_learn(struct batcher *b, size_t rows, int64_t ns)
{
    unsigned c = class_of(rows);
    double per_row = (double)ns / (double)(rows ? rows : 1);

    b->cost[c] = b->runs[c] ? b->cost[c] * 0.9 + per_row * 0.1 : per_row;
    if (b->runs[c] < TRIALS)
        b->runs[c]++;
}

/* The cheapest class that was measured and beats single rows, or 0. */
static unsigned best_class(const struct batcher *b)
{
    unsigned best = 0;

    for (unsigned c = 1; c < BATCHER_CLASSES; c++)
        if (b->runs[c] && b->runs[0] && b->cost[c] < b->cost[0] * worth &&
            (best == 0 || b->cost[c] < b->cost[best] * worth))
            best = c;
    return best;
}

bool batcher_pays(const struct batcher *b)
{
    return best_class(b) > 0;
}

static size_t clip(const struct batcher *b, size_t rows, size_t waiting)
{
    rows = rows < b->max_rows ? rows : b->max_rows;
    rows = rows < waiting ? rows : waiting;
    /* Of the sizes somebody prefers, the largest that fits. */
    size_t preferred = 0;
    for (size_t i = 0; i < b->n_preferred; i++)
        if (b->preferred[i] <= rows && b->preferred[i] > preferred)
            preferred = b->preferred[i];
    return preferred ? preferred : rows;
}

size_t batcher_take(const struct batcher *b, size_t waiting, int64_t age_ns,
                    int64_t *due_ns)
{
    if (b->max_rows <= 1)
        return 1;
    /* Sizes that were never tried are tried when they come by themselves. */
    unsigned natural = class_of(clip(b, waiting, waiting));
    if (natural > 0 && b->runs[natural] < TRIALS && b->runs[0] >= TRIALS)
        return clip(b, waiting, waiting);
    unsigned best = best_class(b);
    if (best == 0)
        return 1;
    size_t target = (size_t)1 << best;
    if (waiting < target && waiting < b->max_rows && age_ns < b->max_delay_ns) {
        *due_ns = b->max_delay_ns - age_ns;
        return 0;
    }
    return clip(b, waiting, waiting);
}
