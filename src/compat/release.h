/* release.h - versions of packages, as far as tables need them. */
#ifndef COMPAT_RELEASE_H
#define COMPAT_RELEASE_H

#include "base/arena.h"

/* Below, at or above 0, as numbers between dots; what is behind '+' does not
 * count. */
int release_compare(struct str a, struct str b);

/* Cuts off the operator that the text begins with: == != ~= <= >= < >, and ===,
 * which counts as ==. NULL: there is none. */
const char *release_take_operator(struct str *rest);

/* version OP bound, with == >= <= > < != ~= as PEP 440 has them: "==2.0.*" is
 * all of 2.0, "~=2.1" is 2.1 and later ones of 2. */
bool release_meets(struct str version, const char *op, struct str bound);

/* "2.0" of "2.0.1". */
struct str release_minor(struct str version);

/* The number before the first dot. */
struct str release_major(struct str version);

/* from <= version <= to, by their minor releases. */
bool release_within(struct str version, struct str from, struct str to);

/* Is it at most that? A limit without a dot is all of its major ("12"), else
 * all of its minor release. */
bool release_up_to(struct str version, struct str most);

/* The CUDA of a wheel: "11.8" of "cu118", and of "2.0.1+cu118"; "" if it names
 * none. */
struct str wheel_cuda(struct str tag, struct arena *a);
struct str release_cuda(struct str version, struct arena *a);

#endif
