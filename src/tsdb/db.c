#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tsdb/db_internal.h"
#include "tsdb/disk.h"

enum {
    SLOTS_MIN = 1024,
    SERIES_DEFAULT = 1000000,
    SCRATCH_MAX = 64 * 1024, /* no chunk is larger */
};

enum errc tsdb_open(const struct tsdb_options *options, struct tsdb **out,
                    struct err *err)
{
    pthread_rwlockattr_t attr;
    struct tsdb *db = calloc(1, sizeof(*db));

    if (!db)
        return err_set(err, ERR_NOMEM, "out of memory");
    db->options = *options;
    if (!db->options.max_series)
        db->options.max_series = SERIES_DEFAULT;
    db->floor = INT64_MIN;
    db->newest = INT64_MIN;
    buf_init(&db->scratch, SCRATCH_MAX);
    symbols_init(&db->symbols);
    /* Many short readers must not keep the writer out for ever. */
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr,
                                  PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&db->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    enum errc rc = options->dir ? disk_open(db, err) : ERR_OK;
    if (!rc && db->disk && !options->by_hand)
        rc = disk_start(db, err);
    if (rc) {
        tsdb_close(db);
        return rc;
    }
    *out = db;
    return ERR_OK;
}

void tsdb_close(struct tsdb *db)
{
    if (!db)
        return;
    disk_close(db);
    for (uint32_t i = 0; i < db->n; i++)
        series_fini(&db->series[i]);
    free(db->series);
    free(db->slots);
    postings_fini(&db->postings);
    symbols_fini(&db->symbols);
    buf_fini(&db->scratch);
    pthread_rwlock_destroy(&db->lock);
    free(db);
}

void tsdb_write_begin(struct tsdb *db)
{
    pthread_rwlock_wrlock(&db->lock);
}

void tsdb_write_end(struct tsdb *db)
{
    struct disk *d = db->disk;

    if (d)
        wal_end(&d->wal);
    bool much = d && wal_is_much(&d->wal) && !atomic_load(&d->failing);
    pthread_rwlock_unlock(&db->lock);
    if (much)
        disk_flush_soon(d);
}

/* ---- series by labels --------------------------------------------------- */

static bool has_labels(const struct tsdb *db, const struct series *s,
                       struct labels l)
{
    if (s->n_labels != l.n || s->forgotten)
        return false;
    for (size_t i = 0; i < l.n; i++)
        if (!str_eq(db->symbols.v[s->pairs[2 * i]], l.v[i].name) ||
            !str_eq(db->symbols.v[s->pairs[2 * i + 1]], l.v[i].value))
            return false;
    return true;
}

bool tsdb_is_series(struct tsdb *db, uint32_t series, struct labels labels)
{
    pthread_rwlock_rdlock(&db->lock);
    bool same = series < db->n && has_labels(db, &db->series[series], labels);
    pthread_rwlock_unlock(&db->lock);
    return same;
}

/* The slot of the series, or the free one where it would go. */
static uint32_t *slot_of(const struct tsdb *db, uint64_t hash, struct labels l)
{
    uint32_t i = (uint32_t)hash & (db->n_slots - 1);

    for (; db->slots[i]; i = (i + 1) & (db->n_slots - 1)) {
        const struct series *s = &db->series[db->slots[i] - 1];
        if (s->hash == hash && has_labels(db, s, l))
            break;
    }
    return &db->slots[i];
}

static bool grow_slots(struct tsdb *db)
{
    uint32_t n = db->n_slots ? db->n_slots * 2 : SLOTS_MIN;
    uint32_t *slots = calloc(n, sizeof(*slots));

    if (!slots)
        return false;
    for (uint32_t i = 0; i < db->n; i++) {
        uint32_t at = (uint32_t)db->series[i].hash & (n - 1);
        if (db->series[i].forgotten)
            continue;
        while (slots[at])
            at = (at + 1) & (n - 1);
        slots[at] = i + 1;
    }
    free(db->slots);
    db->slots = slots;
    db->n_slots = n;
    return true;
}

static bool grow_series(struct tsdb *db)
{
    if (db->n < db->cap)
        return true;
    uint32_t cap = db->cap ? db->cap + db->cap / 2 : SLOTS_MIN / 4;
    struct series *series = realloc(db->series, cap * sizeof(*series));
    if (!series)
        return false;
    db->series = series;
    db->cap = cap;
    return true;
}

/* A series that postings already name but that is not there after all has no
 * samples and fails no test: it is found by number only below db->n. */
static bool add_series(struct tsdb *db, uint64_t hash, struct labels l)
{
    uint32_t *pairs = malloc((l.n ? l.n : 1) * 2 * sizeof(*pairs));
    bool ok = pairs != NULL;

    for (size_t i = 0; ok && i < l.n; i++) {
        pairs[2 * i] = symbols_add(&db->symbols, l.v[i].name);
        pairs[2 * i + 1] = symbols_add(&db->symbols, l.v[i].value);
        ok = pairs[2 * i] != SYMBOL_NONE && pairs[2 * i + 1] != SYMBOL_NONE;
    }
    for (size_t i = 0; ok && i < l.n; i++)
        ok = postings_add(&db->postings, pairs[2 * i], pairs[2 * i + 1], db->n);
    if (!ok) {
        free(pairs);
        return false;
    }
    db->series[db->n++] = (struct series){.hash = hash,
                                          .pairs = pairs,
                                          .n_labels = (uint16_t)l.n,
                                          .last = INT64_MIN};
    return true;
}

enum errc tsdb_series(struct tsdb *db, struct labels labels, uint32_t *series,
                      struct err *err)
{
    uint64_t hash = labels_hash(labels);

    if ((db->n + 1) * 4ull > db->n_slots * 3ull && !grow_slots(db))
        return err_set(err, ERR_NOMEM, "out of memory");
    uint32_t *slot = slot_of(db, hash, labels);
    if (!*slot) {
        if (db->n - db->n_forgotten >= db->options.max_series ||
            labels.n > UINT16_MAX)
            return err_set(err, ERR_LIMIT,
                           "the store has %u series, which is the limit",
                           db->options.max_series);
        if (!grow_series(db) || !add_series(db, hash, labels))
            return err_set(err, ERR_NOMEM, "out of memory");
        *slot = db->n;
    }
    *series = *slot - 1;
    return ERR_OK;
}

bool series_labels(const struct tsdb *db, const struct series *s,
                   struct label **v, size_t *cap, struct labels *out)
{
    if (s->n_labels >= *cap) {
        struct label *more = realloc(*v, (s->n_labels + 16u) * sizeof(*more));
        if (!more)
            return false;
        *v = more;
        *cap = s->n_labels + 16u;
    }
    for (size_t i = 0; i < s->n_labels; i++)
        (*v)[i] = (struct label){db->symbols.v[s->pairs[2 * i]],
                                 db->symbols.v[s->pairs[2 * i + 1]]};
    *out = (struct labels){*v, s->n_labels};
    return true;
}

/* The log names a series before its first sample. */
static enum errc log_series(struct tsdb *db, uint32_t series)
{
    struct label *v = NULL;
    struct labels labels;
    size_t cap = 0;

    if (!series_labels(db, &db->series[series], &v, &cap, &labels))
        return ERR_NOMEM;
    wal_series(&db->disk->wal, series, labels);
    free(v);
    db->series[series].logged = true;
    return ERR_OK;
}

enum errc tsdb_append(struct tsdb *db, uint32_t series, int64_t t, double v)
{
    assert(series < db->n);
    struct series *s = &db->series[series];
    bool logging = db->disk && db->disk->recovered;

    if (s->forgotten)
        return ERR_NOT_FOUND;
    if (t < db->floor)
        return ERR_INVALID;
    if (logging && wal_is_full(&db->disk->wal))
        return ERR_UNAVAIL;
    if (logging && !s->logged && log_series(db, series))
        return ERR_NOMEM;
    enum errc rc =
        series_append(s, t, v, db->options.out_of_order, &db->scratch);
    if (rc)
        return rc;
    db->newest = t > db->newest ? t : db->newest;
    if (logging)
        wal_sample(&db->disk->wal, series, t, v);
    if (db->on_sample)
        db->on_sample(db->listener, series, t, v);
    return ERR_OK;
}

void tsdb_listen(struct tsdb *db,
                 void (*on_sample)(void *ctx, uint32_t series, int64_t t,
                                   double v),
                 void *ctx)
{
    tsdb_write_begin(db);
    db->on_sample = on_sample;
    db->listener = ctx;
    tsdb_write_end(db);
}

/* ---- forgetting --------------------------------------------------------- */

static bool index_again(struct tsdb *db, const char *alive,
                        struct postings *out, uint32_t *slots)
{
    for (uint32_t i = 0; i < db->n; i++) {
        const struct series *s = &db->series[i];
        if (!alive[i])
            continue;
        for (size_t k = 0; k < s->n_labels; k++)
            if (!postings_add(out, s->pairs[2 * k], s->pairs[2 * k + 1], i))
                return false;
        uint32_t at = (uint32_t)s->hash & (db->n_slots - 1);
        while (slots[at])
            at = (at + 1) & (db->n_slots - 1);
        slots[at] = i + 1;
    }
    return true;
}

enum errc forget_series(struct tsdb *db, const char *alive)
{
    struct postings postings = {0};
    uint32_t *slots = calloc(db->n_slots + 1u, sizeof(*slots)), dead = 0;

    for (uint32_t i = 0; i < db->n; i++)
        dead += !alive[i] && !db->series[i].forgotten;
    if (!slots || dead == 0 || !index_again(db, alive, &postings, slots)) {
        free(slots);
        postings_fini(&postings);
        return dead ? ERR_NOMEM : ERR_OK;
    }
    for (uint32_t i = 0; i < db->n; i++) {
        if (alive[i] || db->series[i].forgotten)
            continue;
        series_fini(&db->series[i]);
        db->series[i].last = INT64_MIN;
        db->series[i].forgotten = true;
    }
    free(db->slots);
    db->slots = slots;
    postings_fini(&db->postings);
    db->postings = postings;
    db->n_forgotten += dead;
    return ERR_OK;
}

/* ---- reading ------------------------------------------------------------ */

struct labels tsdb_labels(struct tsdb *db, uint32_t series, struct arena *a)
{
    struct labels l = {NULL, 0};

    pthread_rwlock_rdlock(&db->lock);
    const struct series *s = &db->series[series];
    struct label *v = arena_new(a, struct label, s->n_labels + 1u);
    for (size_t i = 0; v && i < s->n_labels; i++)
        v[i] = (struct label){db->symbols.v[s->pairs[2 * i]],
                              db->symbols.v[s->pairs[2 * i + 1]]};
    if (v)
        l = (struct labels){v, s->n_labels};
    pthread_rwlock_unlock(&db->lock);
    return l;
}

/* Segments and head together: what moves from one to the other meanwhile is
 * read once. */
static void read_begin(struct tsdb *db)
{
    if (db->disk)
        pthread_rwlock_rdlock(&db->disk->files);
    pthread_rwlock_rdlock(&db->lock);
}

static void read_end(struct tsdb *db)
{
    pthread_rwlock_unlock(&db->lock);
    if (db->disk)
        pthread_rwlock_unlock(&db->disk->files);
}

enum errc tsdb_read(struct tsdb *db, uint32_t series, int64_t from, int64_t to,
                    struct samples *out)
{
    enum errc rc = ERR_OK;

    out->n = 0;
    if (db->disk) { /* the disk must not keep the writers waiting */
        pthread_rwlock_rdlock(&db->disk->files);
        rc = disk_read(db, series, from, to, out);
    }
    pthread_rwlock_rdlock(&db->lock);
    if (!rc)
        rc = series_read(&db->series[series], from, to, out);
    read_end(db);
    return rc;
}

static bool overlaps(const struct series *s, int64_t from, int64_t to)
{
    for (uint32_t i = 0; i < s->n_chunks; i++)
        if (s->chunks[i]->first <= to && s->chunks[i]->last >= from)
            return true;
    return s->n_plain && s->plain->base + s->plain->after[0] <= to &&
           s->last >= from;
}

bool tsdb_has_samples(struct tsdb *db, uint32_t series, int64_t from,
                      int64_t to)
{
    read_begin(db);
    bool has = overlaps(&db->series[series], from, to) ||
               (db->disk && disk_has_samples(db, series, from, to));
    read_end(db);
    return has;
}

static void count_series(const struct series *s, struct tsdb_stats *out)
{
    out->chunks += s->n_chunks;
    out->samples += s->n_plain;
    for (uint32_t i = 0; i < s->n_chunks; i++) {
        out->samples += s->chunks[i]->n;
        out->bytes += s->chunks[i]->size;
    }
    int64_t first = series_first(s);
    if (first == INT64_MAX)
        return;
    out->from = first < out->from ? first : out->from;
    out->to = s->last > out->to ? s->last : out->to;
}

void tsdb_stats(struct tsdb *db, struct tsdb_stats *out)
{
    *out = (struct tsdb_stats){.from = INT64_MAX, .to = INT64_MIN};
    read_begin(db);
    out->series = db->n - db->n_forgotten;
    out->pairs = db->postings.n;
    for (uint32_t i = 0; i < db->n; i++)
        count_series(&db->series[i], out);
    if (db->disk)
        disk_stats(db, out);
    read_end(db);
}

enum errc tsdb_flush(struct tsdb *db, struct err *err)
{
    return db->disk ? keep_flush(db, err) : ERR_OK;
}

enum errc tsdb_maintain(struct tsdb *db, struct err *err)
{
    if (!db->disk)
        return ERR_OK;
    pthread_mutex_lock(&db->disk->keeping);
    enum errc rc = keep_due(db, err);
    if (!rc)
        rc = compact_merge(db, err);
    compact_expire(db);
    pthread_mutex_unlock(&db->disk->keeping);
    return rc;
}
