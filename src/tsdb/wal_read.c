/* wal_read.c - see wal.h. A record at a time: memory does not depend on how
 * long the log is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "tsdb/varint.h"
#include "tsdb/wal.h"
#include "tsdb/wal_internal.h"

enum { LABELS_MAX = 65535 };

static bool take_text(struct str *in, struct str *out)
{
    uint64_t n;

    return varint_take(in, &n) && bytes_take(in, n, out);
}

static enum errc read_series(struct str in, const struct wal_reader *r)
{
    uint64_t number, n;

    if (!varint_take_upto(&in, UINT32_MAX, &number) ||
        !varint_take_upto(&in, LABELS_MAX, &n) || n > in.n)
        return ERR_INVALID;
    struct label *v = calloc((size_t)n + 1, sizeof(*v));
    if (!v)
        return ERR_NOMEM;
    enum errc rc = ERR_OK;
    for (uint64_t i = 0; i < n && !rc; i++)
        if (!take_text(&in, &v[i].name) || !take_text(&in, &v[i].value) ||
            v[i].value.n == 0 ||
            (i && str_compare(v[i - 1].name, v[i].name) >= 0))
            rc = ERR_INVALID;
    if (!rc)
        rc = in.n ? ERR_INVALID
                  : r->series(r->ctx, (uint32_t)number,
                              (struct labels){v, (size_t)n});
    free(v);
    return rc;
}

static enum errc read_samples(struct str in, const struct wal_reader *r)
{
    int64_t series = 0, t = 0;
    uint64_t step, after, whole;
    double v;

    while (in.n) {
        if (!varint_take(&in, &step) || !varint_take(&in, &after))
            return ERR_INVALID;
        series += unzigzag(step >> 1);
        t = (int64_t)((uint64_t)t + (uint64_t)unzigzag(after));
        if (series < 0 || series > UINT32_MAX)
            return ERR_INVALID;
        if (step & 1) {
            if (!varint_take(&in, &whole))
                return ERR_INVALID;
            v = (double)unzigzag(whole);
        } else if (!double_take(&in, &v)) {
            return ERR_INVALID;
        }
        enum errc rc = r->sample(r->ctx, (uint32_t)series, t, v);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

enum errc wal_read_record(struct str record, const struct wal_reader *r)
{
    if (record.n == 0)
        return ERR_INVALID;
    struct str rest = str_slice(record, 1, record.n);
    switch (record.p[0]) {
    case WAL_SERIES:
        return read_series(rest, r);
    case WAL_SAMPLES:
        return read_samples(rest, r);
    default:
        return ERR_INVALID;
    }
}

/* The next record; *end when there is none that is whole. */
static enum errc next_record(FILE *f, struct buf *b, bool *end)
{
    char head[8];

    *end = true;
    if (fread(head, 1, sizeof(head), f) != sizeof(head))
        return ferror(f) ? ERR_IO : ERR_OK;
    uint64_t n = fixed_get(head, 4);
    if (n == 0 || n > WAL_RECORD_MAX)
        return ERR_INVALID;
    buf_clear(b);
    char *p = buf_reserve(b, (size_t)n);
    if (!p)
        return ERR_NOMEM;
    if (fread(p, 1, (size_t)n, f) != n)
        return ferror(f) ? ERR_IO : ERR_OK;
    b->n = (size_t)n;
    if (wal_sum(buf_str(b)) != fixed_get(head + 4, 4))
        return ERR_INVALID;
    *end = false;
    return ERR_OK;
}

static enum errc read_file(FILE *f, const struct wal_reader *r, uint64_t *size)
{
    char head[WAL_HEAD_BYTES];
    struct buf b;
    bool end = false;
    enum errc rc = ERR_OK;

    *size = 0;
    size_t got = fread(head, 1, sizeof(head), f);
    if (memcmp(head, WAL_MAGIC, got < 8 ? got : 8) != 0)
        return ERR_INVALID;
    if (got < sizeof(head))
        return ferror(f) ? ERR_IO : ERR_OK;
    r->run(r->ctx, fixed_get(head + 8, 8));
    *size = sizeof(head);
    buf_init(&b, WAL_RECORD_MAX);
    while (!rc && !end) {
        rc = next_record(f, &b, &end);
        if (!rc && !end)
            rc = wal_read_record(buf_str(&b), r);
        if (!rc && !end)
            *size += 8 + b.n;
    }
    buf_fini(&b);
    return rc;
}

enum errc wal_read(const char *path, const struct wal_reader *reader,
                   uint64_t *size, struct err *err)
{
    FILE *f = fopen(path, "re");

    if (!f)
        return fs_error(err, "open", path);
    enum errc rc = read_file(f, reader, size);
    (void)fclose(f);
    if (rc == ERR_INVALID)
        return err_set(err, rc, "'%s' is damaged behind byte %llu", path,
                       (unsigned long long)*size);
    return rc ? err_set(err, rc, "cannot read '%s': %s", path, errc_text(rc))
              : ERR_OK;
}
