#include "tsdb/postings.h"

#include <stdlib.h>

enum { SLOTS_MIN = 256 };

void postings_fini(struct postings *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        free(p->lists[i].v);
    for (uint32_t i = 0; i < p->n_names; i++)
        free(p->names[i].v);
    free(p->lists);
    free(p->slots);
    free(p->names);
    *p = (struct postings){0};
}

static uint32_t *slot_of(const struct postings *p, uint64_t key)
{
    uint64_t h = key * 0x9e3779b97f4a7c15u;
    uint32_t i = (uint32_t)(h >> 32) & (p->n_slots - 1);

    while (p->slots[i] && p->lists[p->slots[i] - 1].key != key)
        i = (i + 1) & (p->n_slots - 1);
    return &p->slots[i];
}

/* Room for one more in an array that doubles. */
static bool grow(void *array, uint32_t n, uint32_t *cap, size_t size,
                 uint32_t least)
{
    void **v = array;

    if (n < *cap)
        return true;
    uint32_t more = *cap ? *cap * 2 : least;
    void *moved = realloc(*v, more * size);
    if (!moved)
        return false;
    *v = moved;
    *cap = more;
    return true;
}

static bool grow_slots(struct postings *p)
{
    uint32_t n = p->n_slots ? p->n_slots * 2 : SLOTS_MIN;
    uint32_t *slots = calloc(n, sizeof(*slots));

    if (!slots)
        return false;
    free(p->slots);
    p->slots = slots;
    p->n_slots = n;
    for (uint32_t i = 0; i < p->n; i++)
        *slot_of(p, p->lists[i].key) = i + 1;
    return true;
}

const struct value_list *postings_values(const struct postings *p,
                                         uint32_t name)
{
    for (uint32_t i = 0; i < p->n_names; i++)
        if (p->names[i].name == name)
            return &p->names[i];
    return NULL;
}

static struct value_list *values_of(struct postings *p, uint32_t name)
{
    for (uint32_t i = 0; i < p->n_names; i++)
        if (p->names[i].name == name)
            return &p->names[i];
    struct value_list *names =
        realloc(p->names, (p->n_names + 1) * sizeof(*names));
    if (!names)
        return NULL;
    p->names = names;
    names[p->n_names] = (struct value_list){.name = name};
    return &names[p->n_names++];
}

/* A new list with its first series. */
static bool add_list(struct postings *p, uint32_t *slot, uint32_t name,
                     uint32_t value, uint32_t series)
{
    struct value_list *values = values_of(p, name);

    if (!values ||
        !grow(&values->v, values->n, &values->cap, sizeof(*values->v), 4) ||
        !grow(&p->lists, p->n, &p->cap, sizeof(*p->lists), SLOTS_MIN))
        return false;
    values->v[values->n++] = value;
    p->lists[p->n] = (struct posting_list){
        .key = (uint64_t)name << 32 | value, .n = 1, .only = series};
    *slot = ++p->n;
    return true;
}

bool postings_add(struct postings *p, uint32_t name, uint32_t value,
                  uint32_t series)
{
    if ((p->n + 1) * 4ull > p->n_slots * 3ull && !grow_slots(p))
        return false;
    uint32_t *slot = slot_of(p, (uint64_t)name << 32 | value);
    if (!*slot)
        return add_list(p, slot, name, value, series);
    struct posting_list *l = &p->lists[*slot - 1];
    if (l->n >= 1 && !l->v) {
        l->cap = 4;
        l->v = malloc(l->cap * sizeof(*l->v));
        if (!l->v)
            return false;
        l->v[0] = l->only;
    }
    if (!grow(&l->v, l->n, &l->cap, sizeof(*l->v), 4))
        return false;
    l->v[l->n++] = series;
    return true;
}

const uint32_t *postings_get(const struct postings *p, uint32_t name,
                             uint32_t value, uint32_t *n)
{
    uint32_t at = p->n_slots ? *slot_of(p, (uint64_t)name << 32 | value) : 0;

    *n = at ? p->lists[at - 1].n : 0;
    if (!at)
        return NULL;
    return p->lists[at - 1].v ? p->lists[at - 1].v : &p->lists[at - 1].only;
}
