/* shape.h - the extents of a tensor. A dimension of -1 is unknown until a
 * request brings it. */
#ifndef CODEC_SHAPE_H
#define CODEC_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { SHAPE_MAX_RANK = 16 };

struct shape {
    int rank; /* 0: a scalar */
    int64_t dim[SHAPE_MAX_RANK];
};

/* The product of the dimensions; false if it does not fit, or one is
 * negative. */
bool shape_count(const struct shape *s, int64_t *out);
bool shape_eq(const struct shape *a, const struct shape *b);

/* "[1,3,224,224]"; names[i], where given, stand for unknown dimensions. */
void shape_format(struct buf *b, const struct shape *s,
                  const char *const *names);

/* True when `got` has the same rank and every known dimension agrees. */
bool shape_fits(const struct shape *want, const struct shape *got);

#endif
