/* samples.h - filling `struct samples` (tsdb.h). */
#ifndef TSDB_SAMPLES_H
#define TSDB_SAMPLES_H

#include <stdbool.h>

#include "tsdb/tsdb.h"

/* Room for more behind s->n; false when memory ran out. */
bool samples_room(struct samples *s, size_t more);

/* Keeps of the n samples behind s->n those with from <= t <= to. */
void samples_keep(struct samples *s, size_t n, int64_t from, int64_t to);

/* The place of the first of n rising times that is not before `at`. */
size_t samples_place(const int64_t *t, size_t n, int64_t at);

#endif
