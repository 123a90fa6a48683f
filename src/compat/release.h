/* release.h - versions of packages, as far as tables need them. */
#ifndef COMPAT_RELEASE_H
#define COMPAT_RELEASE_H

#include "base/arena.h"

/* Below, at or above 0, as numbers between dots; what is behind '+' does not
 * count. */
int release_compare(struct str a, struct str b);

/* "2.0" of "2.0.1". */
struct str release_minor(struct str version);

/* The CUDA of a wheel: "11.8" of "2.0.1+cu118"; "" if it names none. */
struct str release_cuda(struct str version, struct arena *a);

#endif
