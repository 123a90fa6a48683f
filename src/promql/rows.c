#include "promql/rows.h"

#include <string.h>

static uint32_t *slot_of(struct rows *r, struct labels l)
{
    size_t i = labels_hash(l) & (r->n_slots - 1);

    while (r->slots[i] && !labels_eq(r->v[r->slots[i] - 1].labels, l))
        i = (i + 1) & (r->n_slots - 1);
    return &r->slots[i];
}

static bool grow_slots(struct rows *r)
{
    size_t n = r->n_slots ? r->n_slots * 4 : 64;
    uint32_t *slots = arena_new(r->e->q->arena, uint32_t, n);

    if (!slots)
        return eval_no_memory(r->e->q);
    r->slots = slots;
    r->n_slots = n;
    for (size_t i = 0; i < r->n; i++)
        *slot_of(r, r->v[i].labels) = (uint32_t)i + 1;
    return true;
}

struct row *rows_find(struct rows *r, struct labels labels, bool *made)
{
    if ((r->n + 1) * 2 > r->n_slots && !grow_slots(r))
        return NULL;
    uint32_t *slot = slot_of(r, labels);
    if (made)
        *made = !*slot;
    if (*slot)
        return &r->v[*slot - 1];
    if (!eval_grow(r->e->q, &r->v, r->n, &r->cap, sizeof(*r->v)))
        return NULL;
    double *v = eval_values(r->e);
    if (!v)
        return NULL;
    r->v[r->n] = (struct row){.labels = labels, .v = v};
    *slot = (uint32_t)++r->n;
    return &r->v[r->n - 1];
}

static bool take(struct sink *sink, struct row *row)
{
    struct rows *r = (struct rows *)sink;
    bool made;
    struct row *mine = rows_find(r, row->labels, &made);

    if (!mine)
        return false;
    mine->unnamed = row->unnamed;
    if (made) {
        memcpy(mine->v, row->v, r->e->n * sizeof(*row->v));
        return true;
    }
    for (size_t i = 0; i < r->e->n; i++) {
        if (!has_value(row->v[i]))
            continue;
        if (has_value(mine->v[i]))
            return eval_fail(r->e->q, ERR_INVALID,
                             "vector cannot contain metrics with the same "
                             "labelset");
        mine->v[i] = row->v[i];
    }
    return true;
}

void rows_init(struct rows *r, struct eval *e)
{
    *r = (struct rows){.sink.push = take, .e = e};
}

bool rows_take(struct rows *r, struct eval *e, const struct node *n)
{
    rows_init(r, e);
    return eval_vector(e, n, &r->sink);
}

struct sink *rows_unnamed(struct rows *r, struct eval *e, const struct node *of,
                          struct sink *out)
{
    rows_init(r, e);
    return eval_one_name(of) || e->q->how->late_names ? out : &r->sink;
}

bool rows_push(struct rows *r, struct sink *out)
{
    for (size_t i = 0; i < r->n; i++)
        if (!out->push(out, &r->v[i]))
            return false;
    return true;
}
