/* segment.c - reading: the index at once, a run when it is asked for. */
#include "tsdb/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/sort.h"
#include "tsdb/chunk.h"
#include "tsdb/samples.h"
#include "tsdb/segment_internal.h"
#include "tsdb/varint.h"

void segment_close(struct segment *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        (void)close(s->fd);
    free(s->path);
    free(s->v);
    free(s);
}

/* ---- the index ---------------------------------------------------------- */

static bool read_at(const struct segment *s, uint64_t at, uint64_t n,
                    struct buf *out)
{
    char *p = buf_reserve(out, (size_t)n + 1); /* never none */
    size_t done = 0;

    while (p && done < n) {
        ssize_t got =
            pread(s->fd, p + done, (size_t)n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    out->n += done;
    return p != NULL;
}

static enum errc damaged(const struct segment *s, const char *what,
                         struct err *err)
{
    return err_set(err, ERR_INVALID, "'%s' is damaged: %s", s->path, what);
}

/* The bytes of the index, of which the sum is right. */
static enum errc load_index(const struct segment *s, struct buf *b,
                            uint64_t *at, struct err *err)
{
    char foot[SEGMENT_FOOT_BYTES], magic[SEGMENT_MAGIC_BYTES];

    if (s->size < sizeof(magic) + sizeof(foot) ||
        pread(s->fd, magic, sizeof(magic), 0) != sizeof(magic) ||
        memcmp(magic, SEGMENT_MAGIC, sizeof(magic)) != 0)
        return damaged(s, "it does not begin as a segment", err);
    if (pread(s->fd, foot, sizeof(foot), (off_t)(s->size - sizeof(foot))) !=
            sizeof(foot) ||
        memcmp(foot + 12, SEGMENT_END, 8) != 0)
        return damaged(s, "its end is missing", err);
    *at = fixed_get(foot, 8);
    if (*at < sizeof(magic) || *at > s->size - sizeof(foot) ||
        s->size - *at > SEGMENT_INDEX_MAX)
        return damaged(s, "its index is at an impossible place", err);
    uint64_t n = s->size - *at - 12; /* with its own place */
    if (!read_at(s, *at, n, b))
        return err_set(err, b->failed ? ERR_NOMEM : ERR_IO, "cannot read '%s'",
                       s->path);
    if (segment_sum(b->p, b->n) != fixed_get(foot + 8, 4))
        return damaged(s, "the checksum of its index is wrong", err);
    b->n -= 8;
    return ERR_OK;
}

struct index_reader {
    struct segment *s;
    struct str in;
    struct str *texts;
    uint64_t n_texts, end; /* of the runs */
    const struct segment_names *names;
    struct label *labels;
    uint64_t at;
};

static bool take_texts(struct index_reader *r)
{
    uint64_t n;

    if (!varint_take_upto(&r->in, r->in.n, &r->n_texts))
        return false;
    r->texts = calloc((size_t)r->n_texts + 1, sizeof(*r->texts));
    if (!r->texts)
        return false;
    for (uint64_t i = 0; i < r->n_texts; i++)
        if (!varint_take(&r->in, &n) || !bytes_take(&r->in, n, &r->texts[i]))
            return false;
    return true;
}

static bool take_head(struct index_reader *r)
{
    uint64_t from, span;

    if (r->in.n < 8)
        return false;
    r->s->run = fixed_get(r->in.p, 8);
    r->in = str_slice(r->in, 8, r->in.n);
    if (!varint_take(&r->in, &from) || !varint_take(&r->in, &span))
        return false;
    r->s->from = unzigzag(from);
    r->s->to = (int64_t)((uint64_t)r->s->from + span);
    return r->s->to >= r->s->from;
}

/* One series; its labels must be a set as labels.h has it. */
static bool take_series(struct index_reader *r, struct segment_series *out,
                        uint32_t *number, struct labels *labels)
{
    uint64_t there, size, samples, n, name, value;

    if (!varint_take_upto(&r->in, UINT32_MAX, &there) ||
        !varint_take_upto(&r->in, UINT32_MAX, &size) || size > r->end - r->at ||
        !varint_take(&r->in, &samples) ||
        !varint_take_upto(&r->in, SEGMENT_LABELS_MAX, &n) || n > r->in.n)
        return false;
    struct label *v = realloc(r->labels, (size_t)(n + 1) * sizeof(*v));
    if (!v)
        return false;
    r->labels = v;
    for (uint64_t i = 0; i < n; i++) {
        if (!varint_take(&r->in, &name) || name >= r->n_texts ||
            !varint_take(&r->in, &value) || value >= r->n_texts)
            return false;
        v[i] = (struct label){r->texts[name], r->texts[value]};
        if (v[i].value.n == 0 ||
            (i && str_compare(v[i - 1].name, v[i].name) >= 0))
            return false;
    }
    *out = (struct segment_series){.size = (uint32_t)size, .at = r->at};
    r->at += size;
    r->s->samples += samples;
    *number = (uint32_t)there;
    *labels = (struct labels){v, (size_t)n};
    return true;
}

static int by_series(const void *a, const void *b)
{
    const struct segment_series *x = a, *y = b;

    return (x->series > y->series) - (x->series < y->series);
}

static enum errc take_table(struct index_reader *r, struct err *err)
{
    struct segment *s = r->s;
    struct labels labels;
    uint32_t there;
    uint64_t n;

    if (!varint_take_upto(&r->in, r->in.n, &n))
        return damaged(s, "its index makes no sense", err);
    s->v = calloc((size_t)n + 1, sizeof(*s->v));
    if (!s->v)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (; s->n < n; s->n++) {
        if (!take_series(r, &s->v[s->n], &there, &labels))
            return damaged(s, "its index makes no sense", err);
        enum errc rc = r->names->number(r->names->ctx, there, labels,
                                        &s->v[s->n].series, err);
        if (rc)
            return rc;
    }
    sort_items(s->v, s->n, sizeof(*s->v), by_series);
    for (uint32_t i = 1; i < s->n; i++)
        if (s->v[i].series == s->v[i - 1].series)
            return damaged(s, "it has a series twice", err);
    return ERR_OK;
}

static enum errc read_index(struct segment *s,
                            const struct segment_names *names, struct err *err)
{
    struct index_reader r = {.s = s, .names = names, .at = SEGMENT_MAGIC_BYTES};
    struct buf b;

    buf_init(&b, SEGMENT_INDEX_MAX);
    enum errc rc = load_index(s, &b, &r.end, err);
    r.in = buf_str(&b);
    if (!rc && (!take_head(&r) || !take_texts(&r)))
        rc = damaged(s, "its index makes no sense", err);
    if (!rc)
        rc = take_table(&r, err);
    free(r.texts);
    free(r.labels);
    buf_fini(&b);
    return rc;
}

enum errc segment_open(const char *path, const struct segment_names *names,
                       struct segment **out, struct err *err)
{
    struct segment *s = calloc(1, sizeof(*s));
    struct stat st;
    enum errc rc = ERR_OK;

    if (!s || !(s->path = strdup(path))) {
        free(s);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s->fd < 0 || fstat(s->fd, &st) != 0)
        rc = fs_error(err, "open", path);
    else if (!S_ISREG(st.st_mode))
        rc = err_set(err, ERR_INVALID, "'%s' is not a regular file", path);
    if (!rc) {
        s->size = (uint64_t)st.st_size;
        rc = read_index(s, names, err);
    }
    if (rc) {
        segment_close(s);
        return rc;
    }
    *out = s;
    return ERR_OK;
}

/* ---- runs --------------------------------------------------------------- */

const struct segment_series *segment_find(const struct segment *s,
                                          uint32_t series)
{
    uint32_t low = 0, high = s->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->v[middle].series < series)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->n && s->v[low].series == series ? &s->v[low] : NULL;
}

static bool take_chunk(struct str *in, struct segment_chunk *c)
{
    struct str whole = *in;
    uint64_t size, first, span, n;

    if (!varint_take(in, &size) || !bytes_take(in, size, &c->bytes) ||
        in->n < 4)
        return false;
    size_t length = (size_t)(c->bytes.p + c->bytes.n - whole.p);
    if (segment_sum(whole.p, length) != fixed_get(in->p, 4))
        return false;
    *in = str_slice(*in, 4, in->n);
    if (!varint_take(&c->bytes, &first) || !varint_take(&c->bytes, &span) ||
        !varint_take_upto(&c->bytes, CHUNK_MAX, &n))
        return false;
    c->first = unzigzag(first);
    c->last = (int64_t)((uint64_t)c->first + span);
    c->n = (uint32_t)n;
    return c->last >= c->first;
}

enum errc segment_chunks(
    const struct segment *s, const struct segment_series *run, int64_t from,
    int64_t to, struct buf *raw,
    enum errc (*each)(void *ctx, const struct segment_chunk *c), void *ctx)
{
    struct segment_chunk c;

    raw->max = UINT32_MAX;
    buf_clear(raw);
    if (!read_at(s, run->at, run->size, raw))
        return raw->failed ? ERR_NOMEM : ERR_IO;
    for (struct str in = buf_str(raw); in.n;) {
        if (!take_chunk(&in, &c))
            return ERR_INVALID;
        if (c.first > to)
            break;
        enum errc rc = c.last < from ? ERR_OK : each(ctx, &c);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

struct reading {
    struct samples *out;
    int64_t from, to;
};

static enum errc take_samples(void *ctx, const struct segment_chunk *c)
{
    struct reading *r = ctx;
    size_t n;

    if (!samples_room(r->out, CHUNK_MAX))
        return ERR_NOMEM;
    int64_t *t = r->out->t + r->out->n;
    if (chunk_decode(c->bytes, t, r->out->v + r->out->n, &n) || n != c->n ||
        t[0] != c->first || t[n - 1] != c->last)
        return ERR_INVALID;
    samples_keep(r->out, n, r->from, r->to);
    return ERR_OK;
}

enum errc segment_read(const struct segment *s, uint32_t series, int64_t from,
                       int64_t to, struct samples *out)
{
    const struct segment_series *run = segment_find(s, series);
    struct reading r = {out, from, to};

    if (!run || from >= s->to || to < s->from)
        return ERR_OK;
    return segment_chunks(s, run, from, to, &out->raw, take_samples, &r);
}
