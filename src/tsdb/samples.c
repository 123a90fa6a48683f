#include "tsdb/samples.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 1024 };

void samples_fini(struct samples *s)
{
    free(s->t);
    free(s->v);
    buf_fini(&s->raw);
    *s = (struct samples){0};
}

bool samples_room(struct samples *s, size_t more)
{
    if (s->cap - s->n >= more)
        return true;
    size_t cap = s->cap ? s->cap * 2 : ROOM_MIN;
    while (cap - s->n < more)
        cap *= 2;
    int64_t *t = realloc(s->t, cap * sizeof(*t));
    if (!t)
        return false;
    s->t = t;
    double *v = realloc(s->v, cap * sizeof(*v));
    if (!v)
        return false;
    s->v = v;
    s->cap = cap;
    return true;
}

size_t samples_place(const int64_t *t, size_t n, int64_t at)
{
    size_t low = 0;

    while (low < n) {
        size_t middle = low + (n - low) / 2;
        if (t[middle] < at)
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

void samples_keep(struct samples *s, size_t n, int64_t from, int64_t to)
{
    int64_t *t = s->t + s->n;
    double *v = s->v + s->n;
    size_t low = samples_place(t, n, from);
    size_t high = to == INT64_MAX ? n : samples_place(t, n, to + 1);

    if (high <= low)
        return;
    if (low) {
        memmove(t, t + low, (high - low) * sizeof(*t));
        memmove(v, v + low, (high - low) * sizeof(*v));
    }
    s->n += high - low;
}
