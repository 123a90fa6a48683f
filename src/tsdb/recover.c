/* recover.c - reads the directory of a store after a start.
 *
 * Segments first: they say where the head begins. Then the newest snapshot that
 * can be read, then the logs since. A sample that both have is the same one,
 * and one from before the head's begin is in a segment already: both are
 * ignored.
 *
 * What is damaged is read up to the damage. It is set aside when a new snapshot
 * has what was read of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/sort.h"
#include "tsdb/db_internal.h"
#include "tsdb/disk.h"
#include "tsdb/samples.h"

struct numbers {
    uint32_t *v;
    size_t n, cap;
};

struct recovery {
    struct tsdb *db;
    struct numbers segments, heads, wals; /* as they are named, rising */
    uint64_t run;                         /* whose numbers `series` has */
    uint32_t *series; /* by the run's number: ours + 1; 0: not known */
    size_t n_series;
    uint64_t samples, unknown;
    char *damaged[64];
    size_t n_damaged;
};

/* ---- what is there ------------------------------------------------------ */

static bool add_number(struct numbers *list, uint32_t number)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 16;
        uint32_t *v = realloc(list->v, cap * sizeof(*v));
        if (!v)
            return false;
        list->v = v;
        list->cap = cap;
    }
    list->v[list->n++] = number;
    return true;
}

static enum errc note_file(void *ctx, const char *name)
{
    struct recovery *r = ctx;
    struct disk *d = r->db->disk;
    struct {
        const char *kind;
        struct numbers *list;
    } kinds[] = {{"seg", &r->segments}, {"head", &r->heads}, {"wal", &r->wals}};
    char path[4400];

    for (size_t i = 0; i < COUNT(kinds); i++) {
        uint32_t number = disk_number(name, kinds[i].kind);
        if (!number)
            continue;
        d->sequence = number > d->sequence ? number : d->sequence;
        return add_number(kinds[i].list, number) ? ERR_OK : ERR_NOMEM;
    }
    if (str_ends(str_from_cstr(name), STR(".tmp"))) { /* never finished */
        (void)snprintf(path, sizeof(path), "%.4100s/%.255s", d->dir, name);
        (void)unlink(path);
    }
    return ERR_OK;
}

static void note_damage(struct recovery *r, char *path, const char *message)
{
    disk_say(r->db, true, "tsdb.damaged", "%s", message);
    if (r->n_damaged < COUNT(r->damaged))
        r->damaged[r->n_damaged++] = path;
    else
        free(path);
}

/* ---- segments ----------------------------------------------------------- */

static enum errc number_of(void *ctx, uint32_t there, struct labels labels,
                           uint32_t *out, struct err *err)
{
    (void)there;
    return tsdb_series(ctx, labels, out, err);
}

static int by_time(const void *a, const void *b)
{
    const struct segment *x = *(struct segment *const *)a;
    const struct segment *y = *(struct segment *const *)b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to < y->to) - (x->to > y->to); /* the longer one first */
}

/* A segment within another one was merged into it. One that overlaps in another
 * way is none of ours. */
static void drop_merged(struct tsdb *db)
{
    struct disk *d = db->disk;
    uint32_t kept = 0;

    sort_items(d->v, d->n, sizeof(struct segment *), by_time);
    for (uint32_t i = 0; i < d->n; i++) {
        struct segment *s = d->v[i];
        int64_t end = kept ? d->v[kept - 1]->to : INT64_MIN;
        if (s->from >= end) {
            d->v[kept++] = s;
            continue;
        }
        if (s->to <= end)
            (void)unlink(s->path);
        else
            disk_set_aside(db, s->path);
        segment_close(s);
    }
    d->n = kept;
}

static enum errc open_segments(struct recovery *r, struct err *err)
{
    struct tsdb *db = r->db;
    struct disk *d = db->disk;
    const struct segment_names names = {number_of, db};
    struct err why;

    d->v = calloc(r->segments.n + 1, sizeof(struct segment *));
    if (!d->v)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < r->segments.n; i++) {
        char *path = disk_path(d->dir, "seg", r->segments.v[i]);
        if (!path)
            return err_set(err, ERR_NOMEM, "out of memory");
        enum errc rc = segment_open(path, &names, &d->v[d->n], &why);
        if (!rc)
            d->n++;
        else if (rc == ERR_INVALID || rc == ERR_IO) {
            disk_say(db, true, "tsdb.damaged", "%s", why.msg);
            disk_set_aside(db, path);
        } else {
            free(path);
            return err_set(err, rc, "%s", why.msg);
        }
        free(path);
    }
    drop_merged(db);
    d->taken = d->n ? d->v[d->n - 1]->to : INT64_MIN;
    db->floor = d->taken;
    return ERR_OK;
}

/* ---- numbers of another run --------------------------------------------- */

static enum errc know(struct recovery *r, uint32_t there, uint32_t series)
{
    if (there >= r->n_series) {
        size_t n = there + there / 2 + 1024u;
        uint32_t *v = realloc(r->series, n * sizeof(*v));
        if (!v)
            return ERR_NOMEM;
        memset(v + r->n_series, 0, (n - r->n_series) * sizeof(*v));
        r->series = v;
        r->n_series = n;
    }
    r->series[there] = series + 1;
    return ERR_OK;
}

static void forget_numbers(struct recovery *r)
{
    if (r->series)
        memset(r->series, 0, r->n_series * sizeof(*r->series));
}

static void begin_run(void *ctx, uint64_t run)
{
    struct recovery *r = ctx;

    if (run != r->run)
        forget_numbers(r);
    r->run = run;
}

static enum errc know_labels(void *ctx, uint32_t there, struct labels labels,
                             uint32_t *out, struct err *err)
{
    struct recovery *r = ctx;
    enum errc rc = tsdb_series(r->db, labels, out, err);

    return rc ? rc : know(r, there, *out);
}

/* ---- the snapshot ------------------------------------------------------- */

struct loading {
    struct recovery *r;
    uint32_t series;
    struct samples samples;
};

static enum errc load_chunk(void *ctx, const struct segment_chunk *c)
{
    struct loading *l = ctx;
    struct tsdb *db = l->r->db;
    struct series *s = &db->series[l->series];
    enum errc rc = ERR_OK;

    l->samples.n = 0;
    if (!samples_room(&l->samples, CHUNK_MAX))
        return ERR_NOMEM;
    if (chunk_decode(c->bytes, l->samples.t, l->samples.v, &l->samples.n) ||
        l->samples.n != c->n)
        return ERR_INVALID;
    size_t k = samples_place(l->samples.t, c->n, db->floor);
    if (k == 0) {
        rc = series_add_chunk(s, c);
    } else {
        for (; k < c->n && !rc; k++)
            rc = series_append(s, l->samples.t[k], l->samples.v[k], 0,
                               &db->scratch);
    }
    if (rc == ERR_OK && s->last > db->newest)
        db->newest = s->last;
    l->r->samples += c->n;
    return rc;
}

static enum errc load_runs(struct recovery *r, const struct segment *s)
{
    struct loading l = {.r = r};
    enum errc rc = ERR_OK, one;

    for (uint32_t i = 0; i < s->n && rc != ERR_NOMEM; i++) {
        l.series = s->v[i].series;
        one = segment_chunks(s, &s->v[i], INT64_MIN, INT64_MAX, &l.samples.raw,
                             load_chunk, &l);
        rc = one ? one : rc;
    }
    samples_fini(&l.samples);
    return rc;
}

/* The newest one that can be read; *number is 0 when there is none. */
static enum errc load_snapshot(struct recovery *r, uint32_t *number,
                               struct err *err)
{
    struct disk *d = r->db->disk;
    const struct segment_names names = {know_labels, r};
    struct segment *s;
    struct err why;

    *number = 0;
    for (size_t i = r->heads.n; i-- > 0 && !*number;) {
        char *path = disk_path(d->dir, "head", r->heads.v[i]);
        if (!path)
            return err_set(err, ERR_NOMEM, "out of memory");
        forget_numbers(r);
        enum errc rc = segment_open(path, &names, &s, &why);
        if (!rc) {
            *number = r->heads.v[i];
            r->run = s->run;
            if (s->from > d->taken)
                d->taken = s->from;
            r->db->floor = d->taken;
            d->snapshot_bytes = s->size;
            rc = load_runs(r, s);
            segment_close(s);
            err_record(&why, rc, "'%s' is damaged", path);
        }
        if (rc == ERR_NOMEM || rc == ERR_LIMIT) {
            free(path);
            return err_set(err, rc, "%s", why.msg);
        }
        if (rc)
            note_damage(r, path, why.msg);
        else
            free(path);
    }
    d->snapshot = *number;
    return ERR_OK;
}

/* ---- the logs ----------------------------------------------------------- */

static enum errc on_series(void *ctx, uint32_t there, struct labels labels)
{
    uint32_t series;

    return know_labels(ctx, there, labels, &series, NULL);
}

static enum errc on_sample(void *ctx, uint32_t there, int64_t t, double v)
{
    struct recovery *r = ctx;
    struct tsdb *db = r->db;

    if (there >= r->n_series || !r->series[there]) {
        r->unknown++;
        return ERR_OK;
    }
    r->samples++;
    enum errc rc = tsdb_append(db, r->series[there] - 1, t, v);
    return rc == ERR_NOMEM ? rc : ERR_OK; /* there already, or in a segment */
}

static enum errc replay(struct recovery *r, uint32_t from, struct err *err)
{
    const struct wal_reader reader = {begin_run, on_series, on_sample, r};
    struct disk *d = r->db->disk;
    struct err why;
    uint64_t size;

    for (size_t i = 0; i < r->wals.n; i++) {
        if (r->wals.v[i] < from)
            continue;
        char *path = disk_path(d->dir, "wal", r->wals.v[i]);
        if (!path)
            return err_set(err, ERR_NOMEM, "out of memory");
        enum errc rc = wal_read(path, &reader, &size, &why);
        d->old_wal_bytes += size;
        if (rc == ERR_INVALID || rc == ERR_IO) {
            note_damage(r, path, why.msg);
            continue;
        }
        free(path);
        if (rc)
            return err_set(err, rc, "%s", why.msg);
    }
    return ERR_OK;
}

/* ---- the whole ---------------------------------------------------------- */

static enum errc read_all(struct recovery *r, struct err *err)
{
    uint32_t snapshot;
    enum errc rc = fs_list(r->db->disk->dir, note_file, r, err);

    if (!rc)
        rc = open_segments(r, err);
    if (!rc)
        rc = load_snapshot(r, &snapshot, err);
    if (!rc)
        rc = replay(r, snapshot, err);
    return rc;
}

/* Once a snapshot has what was read of them. */
static void set_damaged_aside(struct recovery *r)
{
    struct err err = {0};
    enum errc rc = keep_write_snapshot(r->db, &err);

    if (rc) {
        disk_say(r->db, true, "tsdb.maintenance_failed",
                 "%s  what is damaged stays where it is", err.msg);
        return;
    }
    for (size_t i = 0; i < r->n_damaged; i++)
        disk_set_aside(r->db, r->damaged[i]);
    keep_remove_old(r->db);
}

static void fini(struct recovery *r)
{
    for (size_t i = 0; i < r->n_damaged; i++)
        free(r->damaged[i]);
    free(r->segments.v);
    free(r->heads.v);
    free(r->wals.v);
    free(r->series);
}

enum errc recover(struct tsdb *db, struct err *err)
{
    struct recovery r = {.db = db};
    struct disk *d = db->disk;

    enum errc rc = read_all(&r, err);
    if (!rc)
        rc = wal_init(&d->wal, d->dir, (uint64_t)clock_wall_ns(), ++d->sequence,
                      err);
    if (!rc) {
        for (uint32_t i = 0; i < db->n; i++)
            db->series[i].logged = false; /* numbers are new in every run */
        d->recovered = true;
        if (r.n_damaged)
            set_damaged_aside(&r);
        if (r.samples || d->n)
            disk_say(db, false, "tsdb.recovered",
                     "series=%u segments=%u samples=%llu unknown=%llu", db->n,
                     d->n, (unsigned long long)r.samples,
                     (unsigned long long)r.unknown);
    }
    fini(&r);
    return rc;
}
