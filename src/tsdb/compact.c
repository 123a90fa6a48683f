/* compact.c - small segments become large ones, old ones go.
 *
 * Three segments of two hours become one of six, three of these one of
 * eighteen, and so on up to a tenth of the retention: a query of a week reads
 * few files. Spans lie on the clock, so that the same ones are merged wherever
 * a process was stopped. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sort.h"
#include "tsdb/db_internal.h"
#include "tsdb/disk.h"
#include "tsdb/samples.h"

#define HOUR INT64_C(3600000)

enum { SPAN_FIRST = 6, SPAN_FACTOR = 3, SPAN_MAX = 31 * 24 }; /* hours */

/* ---- merging ------------------------------------------------------------ */

struct merging {
    struct segment_writer w;
    struct samples pending; /* of the series, not written yet */
    struct buf raw;
};

static void put_full(struct merging *m)
{
    size_t full = m->pending.n / CHUNK_MAX * CHUNK_MAX, all = m->pending.n;

    m->pending.n = full;
    segment_put_samples(&m->w, &m->pending);
    m->pending.n = all - full;
    memmove(m->pending.t, m->pending.t + full,
            m->pending.n * sizeof(*m->pending.t));
    memmove(m->pending.v, m->pending.v + full,
            m->pending.n * sizeof(*m->pending.v));
}

static enum errc take_chunk(void *ctx, const struct segment_chunk *c)
{
    struct merging *m = ctx;
    size_t n;

    if (c->n == CHUNK_MAX && m->pending.n == 0) {
        segment_put_chunk(&m->w, c);
        return ERR_OK;
    }
    if (!samples_room(&m->pending, CHUNK_MAX))
        return ERR_NOMEM;
    if (chunk_decode(c->bytes, m->pending.t + m->pending.n,
                     m->pending.v + m->pending.n, &n) ||
        n != c->n)
        return ERR_INVALID;
    m->pending.n += n;
    if (m->pending.n >= CHUNK_MAX)
        put_full(m);
    return ERR_OK;
}

static void merge_series(struct merging *m, struct tsdb *db, uint32_t first,
                         uint32_t n, uint32_t series)
{
    struct label *v = NULL;
    struct labels labels;
    size_t cap = 0;

    m->pending.n = 0;
    for (uint32_t i = first; i < first + n; i++) {
        struct segment *s = db->disk->v[i];
        const struct segment_series *run = segment_find(s, series);
        enum errc rc = run ? segment_chunks(s, run, INT64_MIN, INT64_MAX,
                                            &m->raw, take_chunk, m)
                           : ERR_OK;
        if (rc == ERR_NOMEM)
            m->w.error = ENOMEM;
        else if (rc)
            atomic_store(&s->damaged, true);
    }
    segment_put_samples(&m->w, &m->pending);
    pthread_rwlock_rdlock(&db->lock);
    if (series_labels(db, &db->series[series], &v, &cap, &labels))
        segment_end_series(&m->w, series, labels);
    else
        m->w.error = ENOMEM;
    pthread_rwlock_unlock(&db->lock);
    free(v);
}

/* The series that any of them has, each once, rising; NULL: no memory. */
static uint32_t *all_series(const struct disk *d, uint32_t first, uint32_t n,
                            size_t *count)
{
    size_t all = 0, k = 0, kept = 0;

    for (uint32_t i = first; i < first + n; i++)
        all += d->v[i]->n;
    uint32_t *v = calloc(all + 1, sizeof(*v));
    if (!v)
        return NULL;
    for (uint32_t i = first; i < first + n; i++)
        for (uint32_t j = 0; j < d->v[i]->n; j++)
            v[k++] = d->v[i]->v[j].series;
    sort_items(v, all, sizeof(*v), sort_u32);
    for (size_t i = 0; i < all; i++)
        if (i == 0 || v[i] != v[i - 1])
            v[kept++] = v[i];
    *count = kept;
    return v;
}

static enum errc write_merged(struct tsdb *db, const char *path, uint32_t first,
                              uint32_t n, struct err *err)
{
    struct disk *d = db->disk;
    struct merging m = {0};
    size_t count;
    uint32_t *series = all_series(d, first, n, &count);

    if (!series)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = segment_create(path, d->wal.run, d->v[first]->from,
                                  d->v[first + n - 1]->to, &m.w, err);
    if (!rc) {
        for (size_t i = 0; i < count && !m.w.error; i++)
            merge_series(&m, db, first, n, series[i]);
        rc = segment_publish(&m.w, err);
    }
    free(series);
    samples_fini(&m.pending);
    buf_fini(&m.raw);
    return rc;
}

/* Damaged ones are kept, under another name. */
static void remove_segment(struct tsdb *db, struct segment *s)
{
    if (atomic_load(&s->damaged))
        disk_set_aside(db, s->path);
    else
        (void)unlink(s->path);
    segment_close(s);
}

static enum errc merge(struct tsdb *db, uint32_t first, uint32_t n,
                       struct err *err)
{
    struct disk *d = db->disk;
    char *path = disk_path(d->dir, "seg", ++d->sequence);
    struct segment *made, *old[SPAN_MAX];

    if (!path)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = write_merged(db, path, first, n, err);
    if (!rc)
        rc = keep_open_segment(path, &made, err);
    free(path);
    if (rc)
        return rc;
    pthread_rwlock_wrlock(&d->files);
    memcpy(old, d->v + first, n * sizeof(struct segment *));
    d->v[first] = made;
    memmove(d->v + first + 1, d->v + first + n,
            (d->n - first - n) * sizeof(struct segment *));
    d->n -= n - 1;
    pthread_rwlock_unlock(&d->files);
    for (uint32_t i = 0; i < n; i++)
        remove_segment(db, old[i]);
    return ERR_OK;
}

/* Neighbours that lie within one span which is over; false: none. */
static bool find_neighbours(const struct disk *d, int64_t span, uint32_t *first,
                            uint32_t *n)
{
    for (uint32_t i = 0; i + 1 < d->n; i += *n) {
        int64_t from = span_begin(d->v[i]->from, span);
        for (*n = 1;
             i + *n < d->n && *n < SPAN_MAX && d->v[i + *n]->to <= from + span;)
            ++*n;
        *first = i;
        if (*n > 1 && d->v[d->n - 1]->to >= from + span)
            return true;
    }
    return false;
}

enum errc compact_merge(struct tsdb *db, struct err *err)
{
    int64_t longest = db->options.retention / 10;
    uint32_t first, n;
    enum errc rc = ERR_OK;

    if (longest == 0 || longest > SPAN_MAX * HOUR)
        longest = SPAN_MAX * HOUR;
    for (int64_t span = SPAN_FIRST * HOUR; span <= longest && !rc;
         span *= SPAN_FACTOR)
        while (!rc && find_neighbours(db->disk, span, &first, &n))
            rc = merge(db, first, n, err);
    return rc;
}

/* ---- retention ---------------------------------------------------------- */

/* A byte for each series: 1 when there are samples of it. */
static char *find_alive(const struct tsdb *db)
{
    const struct disk *d = db->disk;
    char *alive = calloc(db->n + 1, 1);

    for (uint32_t i = 0; alive && i < db->n; i++)
        alive[i] = db->series[i].n_chunks || db->series[i].n_plain;
    for (uint32_t k = 0; alive && k < d->n; k++)
        for (uint32_t i = 0; i < d->v[k]->n; i++)
            alive[d->v[k]->v[i].series] = 1;
    return alive;
}

/* Removes the oldest segment. */
static void drop_first(struct tsdb *db)
{
    struct disk *d = db->disk;

    pthread_rwlock_wrlock(&d->files);
    struct segment *s = d->v[0];
    memmove(d->v, d->v + 1, --d->n * sizeof(struct segment *));
    pthread_rwlock_wrlock(&db->lock);
    char *alive = find_alive(db);
    if (alive)
        (void)!forget_series(db, alive); /* or the next time */
    free(alive);
    pthread_rwlock_unlock(&db->lock);
    pthread_rwlock_unlock(&d->files);
    disk_say(db, false, "tsdb.expired", "%s", s->path);
    remove_segment(db, s);
}

static uint64_t bytes_of(struct disk *d)
{
    uint64_t bytes = d->snapshot_bytes + d->old_wal_bytes;

    pthread_mutex_lock(&d->io);
    bytes += d->wal.size;
    pthread_mutex_unlock(&d->io);
    for (uint32_t i = 0; i < d->n; i++)
        bytes += d->v[i]->size;
    return bytes;
}

void compact_expire(struct tsdb *db)
{
    const struct tsdb_options *o = &db->options;
    struct disk *d = db->disk;

    pthread_rwlock_rdlock(&db->lock);
    int64_t newest = db->newest;
    pthread_rwlock_unlock(&db->lock);
    while (d->n && o->retention && newest != INT64_MIN &&
           d->v[0]->to <= newest - o->retention)
        drop_first(db);
    while (d->n && o->max_bytes && bytes_of(d) > o->max_bytes)
        drop_first(db);
}
