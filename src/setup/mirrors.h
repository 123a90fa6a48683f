/* mirrors.h - which mirror of Docker's registry answers, and how fast. */
#ifndef SETUP_MIRRORS_H
#define SETUP_MIRRORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum { MIRRORS_MAX = 32 };

struct mirror {
    const char *url;
    int64_t us;      /* of the best of three requests; -1: it did not answer */
    const char *why; /* then */
};

/* `said` is URLs with commas between, or a file with one a line. Each is asked
 * three times for /v2/, which a registry answers with 200 or 401
 * (https://distribution.github.io/distribution/spec/api/#api-version-check).
 * The fastest first, those that did not answer last. ERR_INVALID: something
 * that is no URL. */
MUST_CHECK enum errc mirrors_rank(const char *said, struct arena *a,
                                  struct mirror out[MIRRORS_MAX], size_t *n,
                                  struct err *err);

#endif
