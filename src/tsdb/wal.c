/* wal.c - writing; wal_read.c reads. See wal.h. */
#include "tsdb/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "series/sample.h"
#include "tsdb/paths.h"
#include "tsdb/varint.h"
#include "tsdb/wal_internal.h"

enum { RECORD_ENOUGH = 1 << 20, KEEP_BYTES = 1 << 20 };

enum errc wal_init(struct wal *w, const char *dir, uint64_t run, uint32_t file,
                   struct err *err)
{
    *w = (struct wal){.run = run, .file = file, .fd = -1};
    buf_init(&w->record, WAL_RECORD_MAX);
    buf_init(&w->pending, 2 * (size_t)WAL_PENDING_MAX);
    buf_init(&w->writing, 2 * (size_t)WAL_PENDING_MAX);
    w->dir = strdup(dir);
    return w->dir ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
}

void wal_fini(struct wal *w)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    free(w->dir);
    buf_fini(&w->record);
    buf_fini(&w->pending);
    buf_fini(&w->writing);
    *w = (struct wal){.fd = -1};
}

/* ---- into memory -------------------------------------------------------- */

bool wal_is_much(const struct wal *w)
{
    return w->pending.n > KEEP_BYTES / 2;
}

bool wal_is_full(const struct wal *w)
{
    return w->pending.n + w->record.n > WAL_PENDING_MAX || w->pending.failed;
}

void wal_end(struct wal *w)
{
    struct buf *b = &w->pending;

    if (w->record.n && !w->record.failed) {
        fixed_put(b, w->record.n, 4);
        fixed_put(b, wal_sum(buf_str(&w->record)), 4);
        buf_put(b, buf_str(&w->record));
    }
    buf_clear(&w->record);
    w->last_series = 0;
    w->last_t = 0;
}

static void put_text(struct buf *b, struct str s)
{
    varint_put(b, s.n);
    buf_put(b, s);
}

void wal_series(struct wal *w, uint32_t number, struct labels labels)
{
    wal_end(w);
    buf_putc(&w->record, WAL_SERIES);
    varint_put(&w->record, number);
    varint_put(&w->record, labels.n);
    for (size_t i = 0; i < labels.n; i++) {
        put_text(&w->record, labels.v[i].name);
        put_text(&w->record, labels.v[i].value);
    }
    wal_end(w);
}

static bool is_whole(double v, int64_t *whole)
{
    if (!(v > -1e15 && v < 1e15))
        return false;
    *whole = (int64_t)v;
    return sample_bits((double)*whole) == sample_bits(v);
}

void wal_sample(struct wal *w, uint32_t series, int64_t t, double v)
{
    struct buf *b = &w->record;
    int64_t whole;

    if (b->n > RECORD_ENOUGH)
        wal_end(w);
    if (b->n == 0)
        buf_putc(b, WAL_SAMPLES);
    bool is = is_whole(v, &whole);
    varint_put(b, zigzag((int64_t)series - w->last_series) << 1 | is);
    varint_put(b, zigzag((int64_t)((uint64_t)t - (uint64_t)w->last_t)));
    if (is)
        varint_put(b, zigzag(whole));
    else
        double_put(b, v);
    w->last_series = series;
    w->last_t = t;
}

/* ---- to the disk -------------------------------------------------------- */

void wal_take(struct wal *w)
{
    if (w->writing.n == 0) {
        struct buf empty = w->writing;
        w->writing = w->pending;
        w->pending = empty;
    } else if (w->writing.n + w->pending.n <= WAL_PENDING_MAX) {
        buf_put(&w->writing, buf_str(&w->pending)); /* after a failure */
        if (w->writing.failed)
            w->writing.failed = false;
        else
            buf_clear(&w->pending);
    }
}

static enum errc open_file(struct wal *w, struct err *err)
{
    char *path = disk_path(w->dir, "wal", w->file);
    struct buf head;
    enum errc rc = ERR_OK;

    if (!path)
        return err_set(err, ERR_NOMEM, "out of memory");
    buf_init(&head, 64);
    buf_puts(&head, WAL_MAGIC);
    fixed_put(&head, w->run, 8);
    w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (w->fd < 0) {
        rc = fs_error(err, "create", path);
    } else if (!fs_write_all(w->fd, head.p, head.n) || fsync(w->fd) != 0) {
        rc = fs_error(err, "write", path);
        (void)close(w->fd);
        w->fd = -1;
    } else {
        w->size = head.n;
    }
    buf_fini(&head);
    free(path);
    return rc;
}

static enum errc write_out(struct wal *w, struct err *err)
{
    if (w->fd < 0) {
        enum errc rc = open_file(w, err);
        if (rc)
            return rc;
    }
    /* Half a record must not stand before the next one. */
    if (w->torn && (ftruncate(w->fd, (off_t)w->size) != 0 ||
                    lseek(w->fd, (off_t)w->size, SEEK_SET) < 0))
        return fs_error(err, "shorten the log in", w->dir);
    w->torn = false;
    if (!fs_write_all(w->fd, w->writing.p, w->writing.n) ||
        fdatasync(w->fd) != 0) {
        enum errc rc = fs_error(err, "write the log in", w->dir);
        w->torn = true;
        return rc;
    }
    w->size += w->writing.n;
    return ERR_OK;
}

enum errc wal_flush(struct wal *w, struct err *err)
{
    enum errc rc = w->writing.n ? write_out(w, err) : ERR_OK;

    if (rc)
        return rc;
    if (w->writing.cap > KEEP_BYTES)
        buf_fini(&w->writing); /* a day's peak is not kept for ever */
    buf_clear(&w->writing);
    return ERR_OK;
}

void wal_rotate(struct wal *w, uint32_t file)
{
    if (w->fd >= 0)
        (void)close(w->fd);
    w->fd = -1;
    w->file = file;
    w->size = 0;
    w->torn = false;
}
