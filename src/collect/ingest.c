#include "collect/ingest.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"

/* A sample that was read and waits for the rest of the text to be right. */
struct pending {
    struct labels labels;
    double v;
    int64_t t;
    bool has_time;
    uint32_t series;
};

struct reading {
    struct ingest *in;
    struct arena arena;
    struct pending *v;
    size_t n, cap;
    enum errc rc;
};

void ingest_fini(struct ingest_memory *m)
{
    free(m->series);
    *m = (struct ingest_memory){0};
}

/* ---- reading ----------------------------------------------------------------
 */

/* The sample's labels with the target's. A label that the target has too is
 * kept as exported_<name>. */
static struct labels full_labels(struct reading *r,
                                 const struct exposition_sample *s)
{
    struct labels_builder b;
    struct labels l = {NULL, 0};

    labels_build(&b, &r->arena, labels_none());
    labels_set(&b, LABEL_NAME, s->name);
    for (size_t i = 0; i < s->n; i++) {
        struct str name = s->labels[i].name;
        if (labels_get(r->in->target, name).n) {
            char *kept = arena_alloc(&r->arena, name.n + 9, 1, 1);
            if (!kept)
                return l;
            memcpy(kept, "exported_", 9);
            memcpy(kept + 9, name.p, name.n);
            name = (struct str){kept, name.n + 9};
        }
        labels_set(&b, name, s->labels[i].value);
    }
    for (size_t i = 0; i < r->in->target.n; i++)
        labels_set(&b, r->in->target.v[i].name, r->in->target.v[i].value);
    if (!labels_built(&b, &l))
        return (struct labels){NULL, 0};
    return labels_copy(&r->arena, l);
}

static bool on_sample(void *ctx, const struct exposition_sample *s)
{
    struct reading *r = ctx;

    if (r->in->max_samples && r->n >= r->in->max_samples) {
        r->rc = ERR_LIMIT;
        return false;
    }
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 256;
        struct pending *v = realloc(r->v, cap * sizeof(*v));
        if (!v) {
            r->rc = ERR_NOMEM;
            return false;
        }
        r->v = v;
        r->cap = cap;
    }
    struct labels l = full_labels(r, s);
    if (!l.v) {
        r->rc = ERR_NOMEM;
        return false;
    }
    r->v[r->n++] = (struct pending){.labels = l,
                                    .v = s->value,
                                    .t = s->has_time ? s->time : r->in->now,
                                    .has_time = s->has_time};
    return true;
}

/* ---- storing ----------------------------------------------------------------
 */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static bool remembers(const struct ingest_memory *m, uint32_t series)
{
    return m->n && bsearch(&series, m->series, m->n, sizeof(series), by_number);
}

/* Ends what was there and is not among the n series (sorted). */
static void end_others(struct ingest *in, const struct ingest_memory *now)
{
    for (size_t i = 0; i < in->memory->n; i++)
        if (!remembers(now, in->memory->series[i]))
            (void)!tsdb_append(in->db, in->memory->series[i], in->now,
                               sample_stale());
}

static enum errc find_series(struct reading *r, struct err *err)
{
    for (size_t i = 0; i < r->n; i++) {
        enum errc rc =
            tsdb_series(r->in->db, r->v[i].labels, &r->v[i].series, err);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

static enum errc store(struct reading *r, struct err *err)
{
    struct ingest *in = r->in;
    struct ingest_memory now = {malloc((r->n + 1) * sizeof(uint32_t)), 0, r->n};

    if (!now.series)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = find_series(r, err);
    for (size_t i = 0; !rc && i < r->n; i++) {
        const struct pending *p = &r->v[i];
        in->refused += tsdb_append(in->db, p->series, p->t, p->v) != ERR_OK;
        in->added += !remembers(in->memory, p->series);
        if (!p->has_time) /* one with a time of its own does not end */
            now.series[now.n++] = p->series;
    }
    if (rc) {
        free(now.series);
        return rc;
    }
    sort_items(now.series, now.n, sizeof(*now.series), by_number);
    end_others(in, &now);
    free(in->memory->series);
    *in->memory = now;
    in->samples = r->n;
    return ERR_OK;
}

enum errc ingest_text(struct ingest *in, struct str text,
                      enum exposition_format format, struct err *err)
{
    struct reading r = {.in = in};
    struct exposition_sink sink = {&r, on_sample, NULL};

    arena_init(&r.arena, 16 * text.n + (1 << 20));
    enum errc rc = exposition_read(text, format, &sink, err);
    if (r.rc == ERR_LIMIT)
        rc = err_set(err, ERR_LIMIT, "more than %zu samples", in->max_samples);
    else if (r.rc)
        rc = err_set(err, r.rc, "out of memory");
    if (!rc) {
        tsdb_write_begin(in->db);
        rc = store(&r, err);
        tsdb_write_end(in->db);
    }
    free(r.v);
    arena_fini(&r.arena);
    return rc;
}

void ingest_nothing(struct ingest *in)
{
    struct ingest_memory none = {0};

    tsdb_write_begin(in->db);
    end_others(in, &none);
    tsdb_write_end(in->db);
    in->memory->n = 0;
}

void ingest_own(struct ingest *in, const char *name, double v)
{
    struct labels_builder b;
    struct labels l;
    struct arena a;
    uint32_t series;

    arena_init(&a, 1 << 16);
    labels_build(&b, &a, in->target);
    labels_set(&b, LABEL_NAME, str_from_cstr(name));
    tsdb_write_begin(in->db);
    if (labels_built(&b, &l) && tsdb_series(in->db, l, &series, NULL) == ERR_OK)
        in->refused += tsdb_append(in->db, series, in->now, v) != ERR_OK;
    tsdb_write_end(in->db);
    arena_fini(&a);
}
