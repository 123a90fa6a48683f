#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tsdb/db_internal.h"

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
    buf_init(&db->scratch, SCRATCH_MAX);
    symbols_init(&db->symbols);
    /* Many short readers must not keep the writer out for ever. */
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr,
                                  PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&db->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    *out = db;
    return ERR_OK;
}

void tsdb_close(struct tsdb *db)
{
    if (!db)
        return;
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
    pthread_rwlock_unlock(&db->lock);
}

/* ---- series by labels --------------------------------------------------- */

static bool has_labels(const struct tsdb *db, const struct series *s,
                       struct labels l)
{
    if (s->n_labels != l.n)
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
        if (db->n >= db->options.max_series || labels.n > UINT16_MAX)
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

enum errc tsdb_append(struct tsdb *db, uint32_t series, int64_t t, double v)
{
    assert(series < db->n);
    return series_append(&db->series[series], t, v, db->options.out_of_order,
                         &db->scratch);
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

enum errc tsdb_read(struct tsdb *db, uint32_t series, int64_t from, int64_t to,
                    struct samples *out)
{
    pthread_rwlock_rdlock(&db->lock);
    enum errc rc = series_read(&db->series[series], from, to, out);
    pthread_rwlock_unlock(&db->lock);
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
    pthread_rwlock_rdlock(&db->lock);
    bool has = overlaps(&db->series[series], from, to);
    pthread_rwlock_unlock(&db->lock);
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
    if (s->last == INT64_MIN)
        return;
    int64_t first =
        s->n_chunks ? s->chunks[0]->first : s->plain->base + s->plain->after[0];
    out->from = first < out->from ? first : out->from;
    out->to = s->last > out->to ? s->last : out->to;
}

void tsdb_stats(struct tsdb *db, struct tsdb_stats *out)
{
    *out = (struct tsdb_stats){.from = INT64_MAX, .to = INT64_MIN};
    pthread_rwlock_rdlock(&db->lock);
    out->series = db->n;
    out->pairs = db->postings.n;
    for (uint32_t i = 0; i < db->n; i++)
        count_series(&db->series[i], out);
    pthread_rwlock_unlock(&db->lock);
}
