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

#include "tsdb/samples.h"

void series_fini(struct series *s)
{
    for (uint32_t i = 0; i < s->n_chunks; i++)
        free(s->chunks[i]);
    free(s->chunks);
    free(s->plain);
    free(s->pairs);
    *s = (struct series){0};
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
    size_t at = samples_place(times, n, t);
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

enum errc series_add_chunk(struct series *s, const struct segment_chunk *c)
{
    struct chunk *made = malloc(sizeof(*made) + c->bytes.n);

    if (!made)
        return ERR_NOMEM;
    *made = (struct chunk){.first = c->first,
                           .last = c->last,
                           .n = c->n,
                           .size = (uint32_t)c->bytes.n};
    memcpy(made->bytes, c->bytes.p, c->bytes.n);
    if (!add_chunk(s, made))
        return ERR_NOMEM;
    s->last = c->last;
    return ERR_OK;
}

int64_t series_first(const struct series *s)
{
    if (s->n_chunks)
        return s->chunks[0]->first;
    return s->n_plain ? s->plain->base + s->plain->after[0] : INT64_MAX;
}

/* ---- forgetting --------------------------------------------------------- */

static void drop_plain(struct series *s, int64_t t)
{
    size_t k = 0, n = s->n_plain;
    struct plain *p = s->plain;

    while (k < n && p->base + p->after[k] < t)
        k++;
    memmove(p->after, p->after + k, (n - k) * sizeof(*p->after));
    memmove(p->v, p->v + k, (n - k) * sizeof(*p->v));
    s->n_plain = (uint8_t)(n - k);
    if (s->n_plain == 0) {
        free(p);
        s->plain = NULL;
    }
}

/* What the chunk has from t on is a chunk of its own. */
static enum errc shorten(struct chunk **c, int64_t t, struct buf *scratch)
{
    int64_t times[CHUNK_MAX];
    double values[CHUNK_MAX];
    size_t n;

    if (chunk_open(*c, times, values, &n))
        return ERR_INTERNAL;
    size_t k = samples_place(times, n, t);
    struct chunk *made = chunk_make(times + k, values + k, n - k, scratch);
    if (!made)
        return ERR_NOMEM;
    free(*c);
    *c = made;
    return ERR_OK;
}

enum errc series_drop_before(struct series *s, int64_t t, struct buf *scratch)
{
    uint32_t k = 0;
    enum errc rc = ERR_OK;

    while (k < s->n_chunks && s->chunks[k]->last < t)
        free(s->chunks[k++]);
    s->n_chunks -= k;
    if (s->n_chunks == 0) {
        free(s->chunks);
        s->chunks = NULL;
    } else {
        memmove(s->chunks, s->chunks + k, s->n_chunks * sizeof(*s->chunks));
        if (s->chunks[0]->first < t)
            rc = shorten(&s->chunks[0], t, scratch);
    }
    if (s->n_plain)
        drop_plain(s, t);
    return rc;
}

/* ---- reading ------------------------------------------------------------ */

enum errc series_read(const struct series *s, int64_t from, int64_t to,
                      struct samples *out)
{
    for (uint32_t i = 0; i < s->n_chunks; i++) {
        const struct chunk *c = s->chunks[i];
        size_t n;
        if (c->last < from || c->first > to)
            continue;
        if (!samples_room(out, CHUNK_MAX))
            return ERR_NOMEM;
        if (chunk_open(c, out->t + out->n, out->v + out->n, &n))
            return ERR_INTERNAL;
        samples_keep(out, n, from, to);
    }
    if (s->n_plain == 0)
        return ERR_OK;
    if (!samples_room(out, s->n_plain))
        return ERR_NOMEM;
    plain_times(s, out->t + out->n);
    memcpy(out->v + out->n, s->plain->v, s->n_plain * sizeof(*out->v));
    samples_keep(out, s->n_plain, from, to);
    return ERR_OK;
}
