/* segment_write.c - see segment.h: from the first byte to the last. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fs.h"
#include "tsdb/chunk.h"
#include "tsdb/segment.h"
#include "tsdb/segment_internal.h"
#include "tsdb/varint.h"

enum { FLUSH_BYTES = 256 * 1024 };

static void fini(struct segment_writer *w)
{
    free(w->path);
    free(w->temporary);
    buf_fini(&w->out);
    buf_fini(&w->table);
    symbols_fini(&w->symbols);
}

enum errc segment_create(const char *path, uint64_t run, int64_t from,
                         int64_t to, struct segment_writer *w, struct err *err)
{
    *w = (struct segment_writer){.run = run, .from = from, .to = to};
    buf_init(&w->out, SEGMENT_INDEX_MAX);
    buf_init(&w->table, SEGMENT_INDEX_MAX);
    symbols_init(&w->symbols);
    w->path = strdup(path);
    if (asprintf(&w->temporary, "%s.tmp", path) < 0)
        w->temporary = NULL;
    if (!w->path || !w->temporary) {
        fini(w);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (w->fd < 0) {
        enum errc rc = fs_error(err, "create", w->temporary);
        fini(w);
        return rc;
    }
    buf_puts(&w->out, SEGMENT_MAGIC);
    return ERR_OK;
}

static void flush(struct segment_writer *w)
{
    errno = ENOMEM;
    if (!w->error &&
        (w->out.failed || !fs_write_all(w->fd, w->out.p, w->out.n)))
        w->error = errno ? errno : EIO;
    w->written += w->out.n;
    buf_clear(&w->out);
}

static uint64_t place(const struct segment_writer *w)
{
    return w->written + w->out.n;
}

/* ---- runs --------------------------------------------------------------- */

static void begin_run(struct segment_writer *w)
{
    if (w->run_samples)
        return;
    if (w->out.n > FLUSH_BYTES)
        flush(w);
    w->run_start = place(w);
}

void segment_put_chunk(struct segment_writer *w, const struct segment_chunk *c)
{
    char head[48];
    struct buf b = {.p = head, .cap = sizeof(head), .max = sizeof(head)};

    begin_run(w);
    varint_put(&b, zigzag(c->first));
    varint_put(&b, (uint64_t)c->last - (uint64_t)c->first);
    varint_put(&b, c->n);
    size_t start = w->out.n;
    varint_put(&w->out, b.n + c->bytes.n);
    buf_put(&w->out, buf_str(&b));
    buf_put(&w->out, c->bytes);
    if (!w->out.failed)
        fixed_put(&w->out, segment_sum(w->out.p + start, w->out.n - start), 4);
    w->run_samples += c->n;
}

void segment_put_samples(struct segment_writer *w, const struct samples *s)
{
    struct buf bytes;

    buf_init(&bytes, SEGMENT_CHUNK_MAX);
    for (size_t i = 0; i < s->n && !w->error; i += CHUNK_MAX) {
        size_t n = s->n - i < CHUNK_MAX ? s->n - i : CHUNK_MAX;
        buf_clear(&bytes);
        chunk_encode(s->t + i, s->v + i, n, &bytes);
        if (bytes.failed)
            w->error = ENOMEM;
        segment_put_chunk(w, &(struct segment_chunk){s->t[i], s->t[i + n - 1],
                                                     (uint32_t)n,
                                                     buf_str(&bytes)});
    }
    buf_fini(&bytes);
}

static void put_symbol(struct segment_writer *w, struct str text)
{
    uint32_t symbol = symbols_add(&w->symbols, text);

    if (symbol == SYMBOL_NONE)
        w->error = ENOMEM;
    varint_put(&w->table, symbol);
}

void segment_end_series(struct segment_writer *w, uint32_t number,
                        struct labels labels)
{
    if (!w->run_samples)
        return;
    varint_put(&w->table, number);
    varint_put(&w->table, place(w) - w->run_start);
    varint_put(&w->table, w->run_samples);
    varint_put(&w->table, labels.n);
    for (size_t i = 0; i < labels.n; i++) {
        put_symbol(w, labels.v[i].name);
        put_symbol(w, labels.v[i].value);
    }
    w->n_series++;
    w->run_samples = 0;
}

/* ---- the end ------------------------------------------------------------ */

static void put_index(struct segment_writer *w)
{
    uint64_t at = place(w);

    flush(w);
    fixed_put(&w->out, w->run, 8);
    varint_put(&w->out, zigzag(w->from));
    varint_put(&w->out, (uint64_t)w->to - (uint64_t)w->from);
    varint_put(&w->out, w->symbols.n);
    for (uint32_t i = 0; i < w->symbols.n; i++) {
        varint_put(&w->out, w->symbols.v[i].n);
        buf_put(&w->out, w->symbols.v[i]);
    }
    varint_put(&w->out, w->n_series);
    buf_put(&w->out, buf_str(&w->table));
    fixed_put(&w->out, at, 8);
    if (!w->out.failed)
        fixed_put(&w->out, segment_sum(w->out.p, w->out.n), 4);
    buf_puts(&w->out, SEGMENT_END);
    if (w->table.failed)
        w->error = ENOMEM;
    flush(w);
}

enum errc segment_publish(struct segment_writer *w, struct err *err)
{
    enum errc rc;

    put_index(w);
    if (w->error) {
        errno = w->error;
        rc = fs_error(err, "write", w->temporary);
        segment_abandon(w);
        return rc;
    }
    rc = fs_publish(w->fd, w->temporary, w->path, err);
    fini(w);
    return rc;
}

void segment_abandon(struct segment_writer *w)
{
    (void)close(w->fd);
    (void)unlink(w->temporary);
    fini(w);
}
