#include "collect/ingest.h"

#include <stdlib.h>
#include <string.h>

#include "base/sort.h"

/* A sample that was read and waits for the rest of the text to be right. */
struct pending {
    struct labels labels; /* v NULL: the series is known */
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
    size_t scraped; /* also those that are dropped */
    enum errc rc;
    struct err why; /* of rc */
};

void ingest_fini(struct ingest_memory *m)
{
    free(m->series);
    free(m->order);
    *m = (struct ingest_memory){0};
}

/* ---- labels ------------------------------------------------------------- */

/* A sample from the far future would make all others too old. */
enum { AHEAD_MAX_MS = 600000 };

enum { MERGED_MAX = EXPOSITION_MAX_LABELS + 8 };

/* The sample's labels, the target's and the name, without a copy of a text.
 * False: the sample has a label that the target has too. */
static bool merge(const struct exposition_sample *s, struct labels target,
                  struct label *out, struct labels *l)
{
    size_t n = 0, k = 0, place = 0;

    if (s->n + target.n + 1 > MERGED_MAX)
        return false;
    for (size_t i = 0; i < s->n || k < target.n;) {
        int order = i == s->n ? 1
                    : k == target.n
                        ? -1
                        : str_compare(s->labels[i].name, target.v[k].name);
        if (order == 0)
            return false;
        if (order < 0) {
            out[n++] = (struct label){s->labels[i].name, s->labels[i].value};
            i++;
        } else {
            out[n++] = target.v[k++];
        }
    }
    while (place < n && str_compare(out[place].name, LABEL_NAME) < 0)
        place++;
    memmove(out + place + 1, out + place, (n - place) * sizeof(*out));
    out[place] = (struct label){LABEL_NAME, s->name};
    *l = (struct labels){out, n + 1};
    return true;
}

/* The same where they meet: the sample's becomes exported_<name>. */
static struct labels merge_renamed(struct reading *r,
                                   const struct exposition_sample *s)
{
    struct labels_builder b;
    struct labels l = {NULL, 0};

    labels_build(&b, &r->arena, r->in->target);
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
    return labels_built(&b, &l) ? l : (struct labels){NULL, 0};
}

/* The same where they meet: the sample's wins; an empty one drops both. */
static struct labels merge_honored(struct reading *r,
                                   const struct exposition_sample *s)
{
    struct labels_builder b;
    struct labels l = {NULL, 0};

    labels_build(&b, &r->arena, r->in->target);
    labels_set(&b, LABEL_NAME, s->name);
    for (size_t i = 0; i < s->n; i++)
        labels_set(&b, s->labels[i].name, s->labels[i].value);
    return labels_built(&b, &l) ? l : (struct labels){NULL, 0};
}

static bool is_within_limits(struct reading *r, struct labels l)
{
    const struct ingest *in = r->in;

    if (in->max_labels && l.n > in->max_labels)
        r->rc = err_set(&r->why, ERR_LIMIT,
                        "label_limit exceeded (%zu labels, limit: %zu)", l.n,
                        in->max_labels);
    for (size_t i = 0; i < l.n && !r->rc; i++) {
        if (in->max_name && l.v[i].name.n > in->max_name)
            r->rc = err_set(&r->why, ERR_LIMIT,
                            "label_name_length_limit exceeded (limit: %zu)",
                            in->max_name);
        else if (in->max_value && l.v[i].value.n > in->max_value)
            r->rc = err_set(&r->why, ERR_LIMIT,
                            "label_value_length_limit exceeded (limit: %zu)",
                            in->max_value);
    }
    return !r->rc;
}

/* Finds the series where it stood the last time, or keeps its labels. *keep
 * false: relabelling drops it. */
static bool identify(struct reading *r, const struct exposition_sample *s,
                     struct pending *p, bool *keep)
{
    struct label room[MERGED_MAX];
    struct labels l;
    const struct ingest_memory *m = r->in->memory;

    *keep = true;
    if (!merge(s, r->in->target, room, &l))
        l = r->in->honor_labels ? merge_honored(r, s) : merge_renamed(r, s);
    if (!l.v)
        return false;
    if (r->in->relabel) {
        r->rc = relabel_apply(r->in->relabel, l, &r->arena, &l, keep, &r->why);
        if (r->rc || !*keep)
            return !r->rc;
        *keep = labels_get(l, LABEL_NAME).n != 0;
        if (!*keep)
            return true;
    }
    if (!is_within_limits(r, l))
        return false;
    p->labels = (struct labels){NULL, 0};
    if (r->n < m->n_order && tsdb_is_series(r->in->db, m->order[r->n], l)) {
        p->series = m->order[r->n];
        return true;
    }
    p->labels = labels_copy(&r->arena, l);
    return p->labels.v != NULL;
}

/* ---- reading ------------------------------------------------------------ */

static bool make_room(struct reading *r)
{
    if (r->n < r->cap)
        return true;
    size_t cap = r->cap ? r->cap * 2 : 256;
    struct pending *v = realloc(r->v, cap * sizeof(*v));
    if (!v)
        return false;
    r->v = v;
    r->cap = cap;
    return true;
}

static bool stop(struct reading *r, enum errc rc, const char *what)
{
    if (!r->rc)
        r->rc = err_set(&r->why, rc, "%s", what);
    return false;
}

static bool on_sample(void *ctx, const struct exposition_sample *s)
{
    struct reading *r = ctx;
    const struct ingest *in = r->in;
    bool keep;

    if (in->max_samples && r->scraped >= in->max_samples)
        return stop(r, ERR_LIMIT, "too many samples");
    if (!make_room(r))
        return stop(r, ERR_NOMEM, "out of memory");
    r->scraped++;
    struct pending *p = &r->v[r->n];
    bool has_time = s->has_time && !in->ignore_times;
    *p = (struct pending){
        .v = s->value, .t = has_time ? s->time : in->now, .has_time = has_time};
    if (!identify(r, s, p, &keep))
        return stop(r, ERR_NOMEM, "out of memory");
    r->n += keep;
    if (in->max_kept && r->n > in->max_kept)
        return stop(r, ERR_LIMIT, "sample limit exceeded");
    return true;
}

static bool on_about(void *ctx, enum exposition_about what, struct str family,
                     struct str text)
{
    const struct reading *r = ctx;

    metadata_note(r->in->metadata, what, family, text);
    return true;
}

/* ---- storing ------------------------------------------------------------ */

static bool remembers(const struct ingest_memory *m, uint32_t series)
{
    return m->n && bsearch(&series, m->series, m->n, sizeof(series), sort_u32);
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
        struct pending *p = &r->v[i];
        enum errc rc = p->labels.v
                           ? tsdb_series(r->in->db, p->labels, &p->series, err)
                           : ERR_OK;
        if (rc)
            return rc;
    }
    return ERR_OK;
}

/* What the target has now, in place of what it had. */
static enum errc note_series(struct reading *r, struct ingest_memory *now,
                             struct err *err)
{
    now->series = malloc((r->n + 1) * sizeof(*now->series));
    now->order = malloc((r->n + 1) * sizeof(*now->order));
    if (!now->series || !now->order)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = find_series(r, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < r->n; i++) {
        now->order[now->n_order++] = r->v[i].series;
        if (!r->v[i].has_time) /* one with a time of its own does not end */
            now->series[now->n++] = r->v[i].series;
    }
    /* The same as the last time: sorted already, there. */
    const struct ingest_memory *before = r->in->memory;
    if (now->n && before->n == now->n && now->n == now->n_order &&
        before->n == before->n_order &&
        memcmp(before->order, now->order, now->n_order * sizeof(uint32_t)) == 0)
        memcpy(now->series, before->series, now->n * sizeof(uint32_t));
    else
        sort_items(now->series, now->n, sizeof(*now->series), sort_u32);
    return ERR_OK;
}

static enum errc store(struct reading *r, struct err *err)
{
    struct ingest *in = r->in;
    struct ingest_memory now = {0};

    enum errc rc = note_series(r, &now, err);
    if (rc) {
        ingest_fini(&now);
        return rc;
    }
    for (size_t i = 0; i < r->n && rc != ERR_UNAVAIL; i++) {
        const struct pending *p = &r->v[i];
        rc = p->t > in->now + AHEAD_MAX_MS
                 ? ERR_INVALID
                 : tsdb_append(in->db, p->series, p->t, p->v);
        in->refused += rc != ERR_OK;
        in->added += p->labels.v && !remembers(in->memory, p->series);
    }
    end_others(in, &now);
    ingest_fini(in->memory);
    *in->memory = now;
    in->samples = r->scraped;
    in->kept = r->n;
    return rc == ERR_UNAVAIL
               ? err_set(err, rc,
                         "the disk is full: nothing is stored until "
                         "there is room")
               : ERR_OK;
}

enum errc ingest_text(struct ingest *in, struct str text,
                      enum exposition_format format, struct err *err)
{
    struct reading r = {.in = in};
    struct exposition_sink sink = {&r, on_sample,
                                   in->metadata ? on_about : NULL};

    arena_init(&r.arena, 16 * text.n + (1 << 20));
    enum errc rc = exposition_read(text, format, &sink, err);
    if (r.rc)
        rc = err_set(err, r.rc, "%s", r.why.msg);
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
    in->memory->n_order = 0;
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
