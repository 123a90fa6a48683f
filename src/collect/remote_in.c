#include "collect/remote_in.h"

#include <string.h>

#include "codec/protobuf.h"

enum { MEMORY_MAX = 256 << 20, LABELS_MAX = 512 };

/* Field numbers of prometheus/prompb/remote.proto and types.proto. */
enum { REQUEST_SERIES = 1, SERIES_LABELS = 1, SERIES_SAMPLES = 2 };

struct taken {
    struct labels labels;
    struct {
        int64_t t;
        double v;
    } * samples;
    size_t n, cap;
};

struct taking {
    struct arena arena;
    struct taken *v;
    size_t n, cap;
    struct err *err;
};

static enum errc damaged(struct taking *t)
{
    return err_set(t->err, ERR_INVALID, "this is no WriteRequest");
}

static enum errc no_memory(struct taking *t)
{
    return err_set(t->err, ERR_NOMEM, "out of memory");
}

/* Texts stay in the message. */
static enum errc take_label(struct taking *t, struct str bytes,
                            struct labels_builder *b)
{
    struct protobuf m = {bytes, false};
    struct protobuf_field f;
    struct str name = STR(""), value = STR("");

    while (protobuf_next(&m, &f)) {
        if (f.number == 1 && f.wire == 2)
            name = f.bytes;
        else if (f.number == 2 && f.wire == 2)
            value = f.bytes;
    }
    if (m.failed)
        return damaged(t);
    if (!label_name_is_plain(name))
        return err_set(t->err, ERR_INVALID, "invalid label name \"%.*s\"",
                       (int)(name.n > 100 ? 100 : name.n), name.p);
    if (b->n >= LABELS_MAX)
        return err_set(t->err, ERR_INVALID, "more than %d labels", LABELS_MAX);
    labels_set(b, name, value);
    return ERR_OK;
}

static enum errc take_sample(struct taking *t, struct str bytes,
                             struct taken *s)
{
    struct protobuf m = {bytes, false};
    struct protobuf_field f;
    uint64_t bits = 0;
    int64_t time = 0;

    while (protobuf_next(&m, &f)) {
        if (f.number == 1 && f.wire == 1)
            bits = f.value;
        else if (f.number == 2 && f.wire == 0)
            time = (int64_t)f.value;
    }
    if (m.failed)
        return damaged(t);
    if (!arena_grow(&t->arena, &s->samples, s->n, &s->cap, sizeof(*s->samples)))
        return no_memory(t);
    s->samples[s->n].t = time;
    s->samples[s->n++].v = sample_from_bits(bits);
    return ERR_OK;
}

static enum errc take_series(struct taking *t, struct str bytes)
{
    struct protobuf m = {bytes, false};
    struct protobuf_field f;
    struct labels_builder b;
    struct taken s = {.n = 0};
    enum errc rc = ERR_OK;

    labels_build(&b, &t->arena, labels_none());
    while (!rc && protobuf_next(&m, &f)) {
        if (f.number == SERIES_LABELS && f.wire == 2)
            rc = take_label(t, f.bytes, &b);
        else if (f.number == SERIES_SAMPLES && f.wire == 2)
            rc = take_sample(t, f.bytes, &s);
    }
    if (rc)
        return rc;
    if (m.failed)
        return damaged(t);
    if (!labels_built(&b, &s.labels) ||
        !arena_grow(&t->arena, &t->v, t->n, &t->cap, sizeof(*t->v)))
        return no_memory(t);
    if (!s.labels.n)
        return err_set(t->err, ERR_INVALID, "a series without labels");
    t->v[t->n++] = s;
    return ERR_OK;
}

static enum errc store(struct taking *t, struct tsdb *db)
{
    enum errc rc = ERR_OK;
    size_t refused = 0;

    tsdb_write_begin(db);
    for (size_t i = 0; i < t->n && !rc; i++) {
        uint32_t series;
        rc = tsdb_series(db, t->v[i].labels, &series, t->err);
        for (size_t k = 0; k < t->v[i].n && !rc; k++) {
            enum errc one = tsdb_append(db, series, t->v[i].samples[k].t,
                                        t->v[i].samples[k].v);
            if (one == ERR_UNAVAIL || one == ERR_NOMEM)
                rc = err_set(t->err, one, "the store takes nothing now");
            else
                refused += one != ERR_OK;
        }
    }
    tsdb_write_end(db);
    if (!rc && refused)
        rc = err_set(t->err, ERR_CONFLICT,
                     "out of order sample, or duplicate sample for timestamp: "
                     "%zu were refused",
                     refused);
    return rc;
}

enum errc remote_take(struct tsdb *db, struct str message, struct err *err)
{
    struct protobuf m = {message, false};
    struct taking t = {.err = err};
    struct protobuf_field f;
    enum errc rc = ERR_OK;

    arena_init(&t.arena, MEMORY_MAX);
    while (!rc && protobuf_next(&m, &f))
        if (f.number == REQUEST_SERIES && f.wire == 2)
            rc = take_series(&t, f.bytes);
    if (!rc && m.failed)
        rc = damaged(&t);
    if (!rc)
        rc = store(&t, db);
    arena_fini(&t.arena);
    return rc;
}
