/* head.c - see head.h.
 *
 * A sample goes to the plain ones. When these are full they are added to the
 * last chunk, which is made anew, or become a chunk of their own when that one
 * is large enough. A late sample is put in its place: among the plain ones, or
 * in the chunk it belongs to.
 */
#include "tsdb/head.h"

#include <stdlib.h>
#include <string.h>

void series_fini(struct series *s)
{
    for (uint32_t i = 0; i < s->n_chunks; i++)
        free(s->chunks[i]);
    free(s->chunks);
    free(s->plain);
    free(s->pairs);
    *s = (struct series){0};
}

void samples_fini(struct samples *s)
{
    free(s->t);
    free(s->v);
    *s = (struct samples){0};
}

/* ---- making chunks ------------------------------------------------------ */

static struct chunk *chunk_make(const int64_t *t, const double *v, size_t n,
                                struct buf *scratch)
{
    buf_clear(scratch);
    chunk_encode(t, v, n, scratch);
    struct chunk *c = scratch->failed ? NULL : malloc(sizeof(*c) + scratch->n);
    if (!c)
        return NULL;
    *c = (struct chunk){.first = t[0],
                        .last = t[n - 1],
                        .n = (uint32_t)n,
                        .size = (uint32_t)scratch->n};
    memcpy(c->bytes, scratch->p, scratch->n);
    return c;
}

static enum errc chunk_open(const struct chunk *c, int64_t *t, double *v,
                            size_t *n)
{
    return chunk_decode((struct str){c->bytes, c->size}, t, v, n);
}

static bool add_chunk(struct series *s, struct chunk *c)
{
    struct chunk **chunks =
        realloc(s->chunks, (s->n_chunks + 1) * sizeof(*chunks));

    if (!chunks) {
        free(c);
        return false;
    }
    s->chunks = chunks;
    chunks[s->n_chunks++] = c;
    return true;
}

static void plain_times(const struct series *s, int64_t *t)
{
    for (size_t i = 0; i < s->n_plain; i++)
        t[i] = s->plain->base + s->plain->after[i];
}

/* Makes chunks of the plain samples. */
static enum errc seal(struct series *s, struct buf *scratch)
{
    int64_t t[CHUNK_MAX];
    double v[CHUNK_MAX];
    size_t n = 0;
    struct chunk *last = s->n_chunks ? s->chunks[s->n_chunks - 1] : NULL;

    if (s->n_plain == 0)
        return ERR_OK;
    if (last && last->n < SEALED_MAX && chunk_open(last, t, v, &n))
        return ERR_INTERNAL;
    plain_times(s, t + n);
    memcpy(v + n, s->plain->v, s->n_plain * sizeof(*v));
    struct chunk *made = chunk_make(t, v, n + s->n_plain, scratch);
    if (!made)
        return ERR_NOMEM;
    if (n) {
        s->chunks[s->n_chunks - 1] = made;
        free(last);
    } else if (!add_chunk(s, made)) {
        return ERR_NOMEM;
    }
    s->n_plain = 0;
    return ERR_OK;
}

/* ---- late samples ------------------------------------------------------- */

static size_t place_of(const int64_t *t, size_t n, int64_t at)
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

static enum errc same_time(double there, double v)
{
    return sample_bits(there) == sample_bits(v) ? ERR_OK : ERR_CONFLICT;
}

static enum errc insert_plain(struct series *s, int64_t t, double v)
{
    struct plain *p = s->plain;
    size_t i = 0, n = s->n_plain;
    uint32_t after = (uint32_t)(t - p->base);

    while (p->after[i] < after)
        i++;
    if (p->after[i] == after)
        return same_time(p->v[i], v);
    memmove(p->after + i + 1, p->after + i, (n - i) * sizeof(*p->after));
    memmove(p->v + i + 1, p->v + i, (n - i) * sizeof(*p->v));
    p->after[i] = after;
    p->v[i] = v;
    s->n_plain++;
    return ERR_OK;
}

/* Replaces chunk i by the two halves of its samples. */
static enum errc split(struct series *s, uint32_t i, const int64_t *t,
                       const double *v, size_t n, struct buf *scratch)
{
    struct chunk *low = chunk_make(t, v, n / 2, scratch);
    struct chunk *high = chunk_make(t + n / 2, v + n / 2, n - n / 2, scratch);

    if (!low || !high || !add_chunk(s, high)) {
        free(low);
        if (low)
            free(high);
        return ERR_NOMEM;
    }
    memmove(s->chunks + i + 2, s->chunks + i + 1,
            (s->n_chunks - i - 2) * sizeof(*s->chunks));
    free(s->chunks[i]);
    s->chunks[i] = low;
    s->chunks[i + 1] = high;
    return ERR_OK;
}

static enum errc insert_packed(struct series *s, int64_t t, double v,
                               struct buf *scratch)
{
    int64_t times[CHUNK_MAX + 1];
    double values[CHUNK_MAX + 1];
    size_t n;
    uint32_t i = 0;

    while (i + 1 < s->n_chunks && s->chunks[i]->last < t)
        i++;
    if (chunk_open(s->chunks[i], times, values, &n))
        return ERR_INTERNAL;
    size_t at = place_of(times, n, t);
    if (at < n && times[at] == t)
        return same_time(values[at], v);
    memmove(times + at + 1, times + at, (n - at) * sizeof(*times));
    memmove(values + at + 1, values + at, (n - at) * sizeof(*values));
    times[at] = t;
    values[at] = v;
    n++;
    if (n > 2 * SEALED_MAX)
        return split(s, i, times, values, n, scratch);
    struct chunk *made = chunk_make(times, values, n, scratch);
    if (!made)
        return ERR_NOMEM;
    free(s->chunks[i]);
    s->chunks[i] = made;
    return ERR_OK;
}

/* ---- appending ---------------------------------------------------------- */

static enum errc append_late(struct series *s, int64_t t, double v,
                             int64_t out_of_order, struct buf *scratch)
{
    bool packed = s->n_plain == 0 || t < s->plain->base + s->plain->after[0];

    if (t == s->last && s->n_plain)
        return same_time(s->plain->v[s->n_plain - 1], v);
    if (s->last - t > out_of_order)
        return ERR_INVALID;
    if (packed && s->n_chunks)
        return insert_packed(s, t, v, scratch);
    if (s->n_plain == PLAIN_MAX || packed) {
        enum errc rc = seal(s, scratch);
        return rc ? rc : insert_packed(s, t, v, scratch);
    }
    return insert_plain(s, t, v);
}

enum errc series_append(struct series *s, int64_t t, double v,
                        int64_t out_of_order, struct buf *scratch)
{
    if (t <= s->last && s->last != INT64_MIN)
        return append_late(s, t, v, out_of_order, scratch);
    if (!s->plain && !(s->plain = malloc(sizeof(*s->plain))))
        return ERR_NOMEM;
    if (s->n_plain &&
        (s->n_plain == PLAIN_MAX || t - s->plain->base > UINT32_MAX)) {
        enum errc rc = seal(s, scratch);
        if (rc)
            return rc;
    }
    if (s->n_plain == 0)
        s->plain->base = t;
    s->plain->after[s->n_plain] = (uint32_t)(t - s->plain->base);
    s->plain->v[s->n_plain++] = v;
    s->last = t;
    return ERR_OK;
}

/* ---- reading ------------------------------------------------------------ */

static bool make_room(struct samples *s, size_t more)
{
    if (s->cap - s->n >= more)
        return true;
    size_t cap = s->cap ? s->cap * 2 : CHUNK_MAX;
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

/* Keeps of the n samples behind the ones there are those within the bounds. */
static void keep(struct samples *s, size_t n, int64_t from, int64_t to)
{
    int64_t *t = s->t + s->n;
    double *v = s->v + s->n;
    size_t low = place_of(t, n, from);
    size_t high = to == INT64_MAX ? n : place_of(t, n, to + 1);

    if (high <= low)
        return;
    if (low) {
        memmove(t, t + low, (high - low) * sizeof(*t));
        memmove(v, v + low, (high - low) * sizeof(*v));
    }
    s->n += high - low;
}

enum errc series_read(const struct series *s, int64_t from, int64_t to,
                      struct samples *out)
{
    out->n = 0;
    for (uint32_t i = 0; i < s->n_chunks; i++) {
        const struct chunk *c = s->chunks[i];
        size_t n;
        if (c->last < from || c->first > to)
            continue;
        if (!make_room(out, CHUNK_MAX))
            return ERR_NOMEM;
        if (chunk_open(c, out->t + out->n, out->v + out->n, &n))
            return ERR_INTERNAL;
        keep(out, n, from, to);
    }
    if (s->n_plain == 0)
        return ERR_OK;
    if (!make_room(out, s->n_plain))
        return ERR_NOMEM;
    plain_times(s, out->t + out->n);
    memcpy(out->v + out->n, s->plain->v, s->n_plain * sizeof(*out->v));
    keep(out, s->n_plain, from, to);
    return ERR_OK;
}
