#include "backup/twins.h"

#include <string.h>

enum { MEMORY_MAX = 1 << 30, SLOTS_FIRST = 256 };

void twins_init(struct twins *t)
{
    *t = (struct twins){.n = 0};
    arena_init(&t->arena, MEMORY_MAX);
}

void twins_fini(struct twins *t)
{
    arena_fini(&t->arena);
}

static struct twin **slot_of(struct twin **slots, size_t cap, dev_t dev,
                             ino_t ino)
{
    uint64_t h = ((uint64_t)ino ^ (uint64_t)dev << 32) *
                 UINT64_C(0x9e3779b97f4a7c15); /* Fibonacci hashing */
    size_t i = (size_t)(h >> 32) & (cap - 1);

    while (slots[i] && (slots[i]->ino != ino || slots[i]->dev != dev))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

/* At most half full. */
static bool make_room(struct twins *t)
{
    size_t cap = t->cap ? 2 * t->cap : SLOTS_FIRST;

    if (t->cap && 2 * t->n < t->cap)
        return true;
    struct twin **slots = arena_new(&t->arena, struct twin *, cap);
    for (size_t i = 0; slots && i < t->cap; i++)
        if (t->slots[i])
            *slot_of(slots, cap, t->slots[i]->dev, t->slots[i]->ino) =
                t->slots[i];
    if (!slots)
        return false;
    t->slots = slots;
    t->cap = cap;
    return true;
}

struct twin *twins_find(struct twins *t, const struct stat *st, struct str path,
                        bool *is_new)
{
    if (!make_room(t))
        return NULL;
    struct twin **slot = slot_of(t->slots, t->cap, st->st_dev, st->st_ino);
    *is_new = !*slot;
    if (*slot)
        return *slot;
    struct twin *twin = arena_new(&t->arena, struct twin, 1);
    char *text = arena_cstr(&t->arena, path);
    if (!twin || !text)
        return NULL;
    *twin = (struct twin){
        .dev = st->st_dev, .ino = st->st_ino, .path = {text, path.n}};
    *slot = twin;
    t->n++;
    return twin;
}

bool twins_keep_xattrs(struct twins *t, struct twin *twin, struct str xattrs)
{
    char *text = arena_cstr(&t->arena, xattrs);

    twin->xattrs = (struct str){text, text ? xattrs.n : 0};
    return text != NULL;
}
