#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

enum {
    BLOCK_MIN = 4096,
    BLOCK_KEPT_MAX = 65536, /* a larger one goes back to the system */
    GROW_FIRST = 16,        /* items an array begins with */
    TENSOR_ALIGN = 64,      /* one cache line, one AVX-512 register */
};

struct arena_block {
    struct arena_block *next;
    size_t size; /* of data */
    size_t used;
    _Alignas(max_align_t) unsigned char data[];
};

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){.limit = limit};
}

static void block_free(struct arena_block *b)
{
    MEM_ALLOW(b->data, b->size);
    free(b);
}

void arena_fini(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *b = a->blocks;
        a->blocks = b->next;
        block_free(b);
    }
    a->used = 0;
}

void arena_reset(struct arena *a)
{
    struct arena_block *kept = NULL;

    while (a->blocks) {
        struct arena_block *b = a->blocks;
        a->blocks = b->next;
        if (!kept && b->size <= BLOCK_KEPT_MAX)
            kept = b;
        else
            block_free(b);
    }
    a->used = 0;
    if (kept) {
        MEM_FORBID(kept->data, kept->size);
        kept->used = 0;
        kept->next = NULL;
        a->used = kept->size;
    }
    a->blocks = kept;
}

static struct arena_block *block_add(struct arena *a, size_t need)
{
    size_t size = need > BLOCK_MIN ? need : (size_t)BLOCK_MIN;

    if (size > a->limit - a->used)
        size = need;
    if (size > a->limit - a->used)
        return NULL;

    struct arena_block *b = malloc(sizeof(*b) + size);
    if (!b)
        return NULL;
    b->size = size;
    b->used = 0;
    b->next = a->blocks;
    a->blocks = b;
    a->used += size;
    MEM_FORBID(b->data, size);
    return b;
}

static size_t pad(const struct arena_block *b, size_t align)
{
    uintptr_t at = (uintptr_t)b->data + b->used;
    return (size_t)(-at & (align - 1));
}

static void *take(struct arena *a, size_t need, size_t align)
{
    struct arena_block *b = a->blocks;

    if (need > SIZE_MAX / 2)
        return NULL;
    if (!b || b->used + pad(b, align) > b->size ||
        need > b->size - b->used - pad(b, align)) {
        b = block_add(a, need + align);
        if (!b)
            return NULL;
    }
    size_t at = b->used + pad(b, align);
    b->used = at + need;
    MEM_ALLOW(b->data + at, need);
    return b->data + at;
}

void *arena_alloc(struct arena *a, size_t n, size_t size, size_t align)
{
    size_t need;

    assert((align & (align - 1)) == 0);
    if (__builtin_mul_overflow(n, size, &need))
        return NULL;
    void *p = take(a, need, align);
    return p ? memset(p, 0, need) : NULL;
}

void *arena_bytes(struct arena *a, size_t n)
{
    return take(a, n, TENSOR_ALIGN);
}

bool arena_grow(struct arena *a, void *array, size_t n, size_t *cap,
                size_t size)
{
    void **v = array;

    if (n < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : GROW_FIRST;
    void *moved = arena_alloc(a, more, size, _Alignof(max_align_t));
    if (!moved)
        return false;
    if (n)
        memcpy(moved, *v, n * size);
    *v = moved;
    *cap = more;
    return true;
}

char *arena_cstr(struct arena *a, struct str s)
{
    char *p = take(a, s.n + 1, 1);

    if (!p)
        return NULL;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return p;
}
