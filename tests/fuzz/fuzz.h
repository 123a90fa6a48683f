/* fuzz.h - what the fuzz targets share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "codec/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x)      \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

/* A copy followed by the bytes a reader may look ahead at. */
static inline struct str fuzz_padded(struct arena *a, const uint8_t *data,
                                     size_t size)
{
    char *p = arena_alloc(a, size + NUMBER_PAD, 1, 1);

    MUST(p);
    if (size)
        memcpy(p, data, size);
    return (struct str){p, size};
}

#endif
