#include "tsdb/symbols.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 256 };

void symbols_init(struct symbols *s)
{
    *s = (struct symbols){0};
    arena_init(&s->texts, SIZE_MAX);
}

void symbols_fini(struct symbols *s)
{
    arena_fini(&s->texts);
    free(s->v);
    free(s->slots);
    *s = (struct symbols){0};
}

static uint32_t hash_of(struct str text)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32);
}

/* The slot of the text, or the free one where it would go. */
static uint32_t *slot_of(const struct symbols *s, struct str text)
{
    uint32_t i = hash_of(text) & (s->n_slots - 1);

    while (s->slots[i] && !str_eq(s->v[s->slots[i] - 1], text))
        i = (i + 1) & (s->n_slots - 1);
    return &s->slots[i];
}

uint32_t symbols_find(const struct symbols *s, struct str text)
{
    if (s->n_slots == 0)
        return SYMBOL_NONE;
    uint32_t found = *slot_of(s, text);
    return found ? found - 1 : SYMBOL_NONE;
}

static bool grow_slots(struct symbols *s)
{
    uint32_t n = s->n_slots ? s->n_slots * 2 : SLOTS_MIN, *old = s->slots;

    s->slots = calloc(n, sizeof(*s->slots));
    if (!s->slots) {
        s->slots = old;
        return false;
    }
    free(old);
    s->n_slots = n;
    for (uint32_t i = 0; i < s->n; i++)
        *slot_of(s, s->v[i]) = i + 1;
    return true;
}

static bool grow_list(struct symbols *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : SLOTS_MIN;
    struct str *v = realloc(s->v, cap * sizeof(*v));

    if (!v)
        return false;
    s->v = v;
    s->cap = cap;
    return true;
}

uint32_t symbols_add(struct symbols *s, struct str text)
{
    if ((s->n + 1) * 4ull > s->n_slots * 3ull && !grow_slots(s))
        return SYMBOL_NONE;
    uint32_t *slot = slot_of(s, text);
    if (*slot)
        return *slot - 1;
    if (s->n == s->cap && !grow_list(s))
        return SYMBOL_NONE;
    char *copy = arena_alloc(&s->texts, text.n + 1, 1, 1);
    if (!copy)
        return SYMBOL_NONE;
    if (text.n)
        memcpy(copy, text.p, text.n);
    s->v[s->n] = (struct str){copy, text.n};
    *slot = ++s->n;
    return s->n - 1;
}
