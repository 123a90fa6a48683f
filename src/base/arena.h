/* arena.h - memory that is freed all at once.
 *
 * One arena per request, per parse, per query: everything made on the way to
 * an answer goes in, and arena_fini() is the only free. The limit is part of
 * the constructor because every arena is fed, sooner or later, by a stranger.
 *
 * A request path resets its arena instead of freeing it: the first block is
 * kept, so that the next request asks the system for nothing.
 *
 * Not thread safe: an arena belongs to one thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes taken from the system */
    size_t limit;               /* most bytes it may ever take */
};

void arena_init(struct arena *a, size_t limit);
void arena_fini(struct arena *a);

/* Frees all blocks but one small one: what was handed out is gone. */
void arena_reset(struct arena *a);

/* Zeroed memory for n objects, or NULL once the limit is reached. */
#define arena_new(a, type, n) \
    ((type *)arena_alloc((a), (n), sizeof(type), _Alignof(type)))
void *arena_alloc(struct arena *a, size_t n, size_t size, size_t align);

/* The same without the zeroes, aligned for any tensor: for large buffers that
 * are written from end to end at once. */
void *arena_bytes(struct arena *a, size_t n);

/* Room for one more in an array of the arena that doubles: `array` is the
 * address of the pointer to its n items, *cap what it has room for (0 at
 * first). New places are zeros. False once the limit is reached. */
bool arena_grow(struct arena *a, void *array, size_t n, size_t *cap,
                size_t size);

/* A copy that ends in a NUL; NULL once the limit is reached. */
char *arena_cstr(struct arena *a, struct str s);

#endif
