/* keep.c - the log is written, becomes a snapshot; the head becomes segments.
 *
 * The store's lock is held for a series at a time while a file is made, and for
 * all of them only to take from the head what the file has. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "tsdb/db_internal.h"
#include "tsdb/disk.h"
#include "tsdb/samples.h"

enum {
    SPAN_MS = 2 * 3600 * 1000, /* of the first segments, on the clock */
    LATE_MS = SPAN_MS / 2,     /* that the head keeps beyond them */
    LOG_ENOUGH = 4 << 20,      /* bytes that are not worth a snapshot */
};

/* ---- the log ------------------------------------------------------------ */

enum errc keep_flush(struct tsdb *db, struct err *err)
{
    struct disk *d = db->disk;
    struct err why = {0};

    pthread_mutex_lock(&d->io);
    pthread_rwlock_wrlock(&db->lock);
    wal_take(&d->wal);
    pthread_rwlock_unlock(&db->lock);
    enum errc rc = wal_flush(&d->wal, &why);
    if (rc)
        atomic_fetch_add(&d->failures, 1);
    bool before = atomic_exchange(&d->failing, rc != ERR_OK);
    pthread_mutex_unlock(&d->io);
    if (rc && !before)
        disk_say(db, true, "tsdb.write_failed",
                 "%s  kept in memory, tried again every second; when %d MiB "
                 "wait, nothing more is stored until the disk has room",
                 why.msg, 2 * WAL_PENDING_MAX >> 20);
    if (!rc && before)
        disk_say(db, false, "tsdb.write_resumed", "nothing is lost");
    return rc ? err_set(err, rc, "%s", why.msg) : ERR_OK;
}

/* ---- snapshots ---------------------------------------------------------- */

/* The next file of the log begins. What the snapshot will not have must be
 * named anew in it. */
static uint32_t turn_page(struct tsdb *db)
{
    struct disk *d = db->disk;

    pthread_mutex_lock(&d->io);
    d->old_wal_bytes += d->wal.size;
    wal_rotate(&d->wal, ++d->sequence);
    pthread_rwlock_wrlock(&db->lock);
    for (uint32_t i = 0; i < db->n; i++) {
        struct series *s = &db->series[i];
        s->logged = s->logged && (s->n_chunks || s->n_plain);
    }
    pthread_rwlock_unlock(&db->lock);
    pthread_mutex_unlock(&d->io);
    return d->sequence;
}

static void put_plain(struct segment_writer *w, const struct series *s,
                      struct samples *room)
{
    room->n = 0;
    if (s->n_plain == 0)
        return;
    if (series_read(s, s->plain->base + s->plain->after[0], INT64_MAX, room))
        w->error = ENOMEM;
    segment_put_samples(w, room);
}

struct room {
    struct samples samples;
    struct label *labels;
    size_t cap;
};

static void room_fini(struct room *r)
{
    samples_fini(&r->samples);
    free(r->labels);
}

static void end_series(struct segment_writer *w, const struct tsdb *db,
                       uint32_t i, struct room *room)
{
    struct labels labels;

    if (series_labels(db, &db->series[i], &room->labels, &room->cap, &labels))
        segment_end_series(w, i, labels);
    else
        w->error = ENOMEM;
}

static void put_head_series(struct segment_writer *w, struct tsdb *db,
                            uint32_t i, struct room *room)
{
    pthread_rwlock_rdlock(&db->lock);
    const struct series *s = &db->series[i];
    for (uint32_t k = 0; k < s->n_chunks; k++) {
        const struct chunk *c = s->chunks[k];
        segment_put_chunk(w, &(struct segment_chunk){
                                 c->first, c->last, c->n, {c->bytes, c->size}});
    }
    put_plain(w, s, &room->samples);
    end_series(w, db, i, room);
    pthread_rwlock_unlock(&db->lock);
}

static uint32_t count(struct tsdb *db)
{
    pthread_rwlock_rdlock(&db->lock);
    uint32_t n = db->n;
    pthread_rwlock_unlock(&db->lock);
    return n;
}

enum errc keep_write_snapshot(struct tsdb *db, struct err *err)
{
    struct disk *d = db->disk;
    uint32_t number = turn_page(db);
    char *path = disk_path(d->dir, "head", number);
    struct segment_writer w;
    struct room room = {0};

    if (!path)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc =
        segment_create(path, d->wal.run, d->taken, INT64_MAX, &w, err);
    free(path);
    if (rc)
        return rc;
    uint32_t n = count(db);
    for (uint32_t i = 0; i < n && !w.error; i++)
        put_head_series(&w, db, i, &room);
    room_fini(&room);
    uint64_t bytes = w.written + w.out.n + w.table.n;
    rc = segment_publish(&w, err);
    if (rc)
        return rc;
    pthread_rwlock_wrlock(&d->files);
    d->snapshot = number;
    d->snapshot_bytes = bytes;
    d->old_wal_bytes = 0;
    pthread_rwlock_unlock(&d->files);
    return ERR_OK;
}

static enum errc remove_if_old(void *ctx, const char *name)
{
    const struct disk *d = ctx;
    uint32_t head = disk_number(name, "head"), wal = disk_number(name, "wal");
    char path[4400];

    if ((head && head < d->snapshot) || (wal && wal < d->snapshot)) {
        (void)snprintf(path, sizeof(path), "%.4100s/%.255s", d->dir, name);
        (void)unlink(path);
    }
    return ERR_OK;
}

void keep_remove_old(struct tsdb *db)
{
    (void)!fs_list(db->disk->dir, remove_if_old, db->disk, NULL);
}

static enum errc snapshot(struct tsdb *db, struct err *err)
{
    enum errc rc = keep_flush(db, err);

    if (!rc)
        rc = keep_write_snapshot(db, err);
    if (!rc)
        keep_remove_old(db);
    return rc;
}

/* ---- cutting ------------------------------------------------------------ */

/* The first two hours that the head has and that are over; false: none. */
static bool next_cut(struct tsdb *db, int64_t *from)
{
    int64_t first = INT64_MAX;

    pthread_rwlock_rdlock(&db->lock);
    int64_t newest = db->newest,
            ready = SPAN_MS + LATE_MS + db->options.out_of_order;
    bool may = newest != INT64_MIN && (db->disk->taken == INT64_MIN ||
                                       newest - db->disk->taken >= ready);
    for (uint32_t i = 0; may && i < db->n; i++) {
        int64_t t = series_first(&db->series[i]);
        first = t < first ? t : first;
    }
    pthread_rwlock_unlock(&db->lock);
    if (first == INT64_MAX)
        return false;
    *from = span_begin(first, SPAN_MS);
    return newest - *from >= ready;
}

static void raise_floor(struct tsdb *db, int64_t t)
{
    pthread_rwlock_wrlock(&db->lock);
    db->floor = t > db->floor ? t : db->floor;
    pthread_rwlock_unlock(&db->lock);
}

static void put_span(struct segment_writer *w, struct tsdb *db, uint32_t i,
                     int64_t to, struct room *room)
{
    room->samples.n = 0;
    pthread_rwlock_rdlock(&db->lock);
    if (series_read(&db->series[i], INT64_MIN, to - 1, &room->samples))
        w->error = ENOMEM;
    if (room->samples.n) {
        segment_put_samples(w, &room->samples);
        end_series(w, db, i, room);
    }
    pthread_rwlock_unlock(&db->lock);
}

static enum errc write_span(struct tsdb *db, const char *path, int64_t from,
                            struct err *err)
{
    struct segment_writer w;
    struct room room = {0};
    enum errc rc =
        segment_create(path, db->disk->wal.run, from, from + SPAN_MS, &w, err);

    if (rc)
        return rc;
    uint32_t n = count(db);
    for (uint32_t i = 0; i < n && !w.error; i++)
        put_span(&w, db, i, from + SPAN_MS, &room);
    room_fini(&room);
    return segment_publish(&w, err);
}

static enum errc number_there(void *ctx, uint32_t there, struct labels labels,
                              uint32_t *out, struct err *err)
{
    (void)ctx;
    (void)labels;
    (void)err;
    *out = there;
    return ERR_OK;
}

/* The segment takes the place of what the head has before `to`. */
static enum errc take_over(struct tsdb *db, struct segment *s, struct err *err)
{
    struct disk *d = db->disk;
    enum errc rc = ERR_OK;

    pthread_rwlock_wrlock(&d->files);
    struct segment **v = realloc(d->v, (d->n + 1) * sizeof(struct segment *));
    if (v) {
        d->v = v;
        v[d->n++] = s;
        d->taken = s->to;
        pthread_rwlock_wrlock(&db->lock);
        for (uint32_t i = 0; i < db->n && !rc; i++)
            rc = series_drop_before(&db->series[i], s->to, &db->scratch);
        pthread_rwlock_unlock(&db->lock);
    } else {
        rc = ERR_NOMEM;
    }
    pthread_rwlock_unlock(&d->files);
    if (!v)
        segment_close(s);
    return rc ? err_set(err, rc, "out of memory") : ERR_OK;
}

enum errc keep_open_segment(const char *path, struct segment **out,
                            struct err *err)
{
    static const struct segment_names same = {number_there, NULL};

    return segment_open(path, &same, out, err);
}

static enum errc cut(struct tsdb *db, int64_t from, struct err *err)
{
    struct disk *d = db->disk;
    char *path = disk_path(d->dir, "seg", ++d->sequence);
    struct segment *s = NULL;

    if (!path)
        return err_set(err, ERR_NOMEM, "out of memory");
    raise_floor(db, from + SPAN_MS);
    enum errc rc = write_span(db, path, from, err);
    if (!rc)
        rc = keep_open_segment(path, &s, err);
    if (!rc)
        rc = take_over(db, s, err);
    free(path);
    return rc;
}

/* ---- what is due -------------------------------------------------------- */

static bool log_is_long(struct disk *d)
{
    pthread_mutex_lock(&d->io);
    uint64_t bytes = d->wal.size + d->old_wal_bytes;
    pthread_mutex_unlock(&d->io);
    return bytes > LOG_ENOUGH && bytes > d->snapshot_bytes;
}

static void tell_damage(struct tsdb *db)
{
    struct disk *d = db->disk;

    for (uint32_t i = 0; i < d->n; i++)
        if (atomic_exchange(&d->v[i]->damaged, false))
            disk_say(db, true, "tsdb.damaged",
                     "'%s': samples of some series could not be read  the "
                     "rest is served",
                     d->v[i]->path);
}

enum errc keep_due(struct tsdb *db, struct err *err)
{
    struct disk *d = db->disk;
    bool made = false;
    int64_t from;
    enum errc rc = ERR_OK;

    tell_damage(db);
    while (!rc && next_cut(db, &from)) {
        rc = cut(db, from, err);
        made = true;
    }
    if (!rc && (made || log_is_long(d)))
        rc = snapshot(db, err);
    return rc;
}
