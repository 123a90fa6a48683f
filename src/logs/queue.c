#include "logs/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

enum {
    FILE_BYTES = 1 << 20,
    BUFFER_MAX = 4 << 20, /* lines not yet in a file */
    PATH_BYTES = 4200,
};

struct queue {
    pthread_mutex_t lock;
    char dir[4096], name[9];
    uint64_t max;
    uint64_t first, last; /* numbers of files; last is written to */
    uint64_t at;          /* byte of the first that is read next */
    uint64_t bytes;       /* of all files */
    uint64_t last_bytes;
    uint64_t dropped;
    int fd; /* of the last; -1: it does not exist yet */
    struct buf lines;
};

static void path_of(const struct queue *q, uint64_t file, char out[PATH_BYTES])
{
    (void)snprintf(out, PATH_BYTES, "%s/queue-%010" PRIu64, q->dir, file);
}

static uint64_t size_of(const struct queue *q, uint64_t file)
{
    char path[PATH_BYTES];
    struct stat st;

    path_of(q, file, path);
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* ---- opening ------------------------------------------------------------ */

static enum errc see_file(void *ctx, const char *name)
{
    struct queue *q = ctx;
    uint64_t n;

    if (sscanf(name, "queue-%10" SCNu64, &n) != 1)
        return ERR_OK;
    q->first = n < q->first ? n : q->first;
    q->last = n > q->last ? n : q->last;
    q->bytes += size_of(q, n);
    return ERR_OK;
}

static void read_position(struct queue *q)
{
    char path[PATH_BYTES];
    uint64_t file, byte;
    struct buf text;

    (void)snprintf(path, sizeof(path), "%s/position", q->dir);
    buf_init(&text, 64);
    if (!fs_read(path, &text, NULL)) {
        buf_putc(&text, '\0');
        if (!text.failed &&
            sscanf(text.p, "%" SCNu64 " %" SCNu64, &file, &byte) == 2 &&
            file == q->first && byte <= size_of(q, file))
            q->at = byte;
    }
    buf_fini(&text);
}

/* Small files that are written whole or not at all. */
static bool write_small(const struct queue *q, const char *name,
                        const char *text)
{
    char path[PATH_BYTES], draft[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s", q->dir, name);
    (void)snprintf(draft, sizeof(draft), "%s/%s.new", q->dir, name);
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && fs_write_all(fd, text, strlen(text));
    if (fd >= 0)
        (void)close(fd);
    ok = ok && rename(draft, path) == 0;
    if (!ok)
        (void)unlink(draft);
    return ok;
}

static enum errc take_name(struct queue *q, struct err *err)
{
    char path[PATH_BYTES];
    struct buf text;
    uint32_t chance = 0;

    (void)snprintf(path, sizeof(path), "%s/name", q->dir);
    buf_init(&text, 64);
    if (!fs_read(path, &text, NULL) && text.n == sizeof(q->name) - 1)
        memcpy(q->name, text.p, sizeof(q->name) - 1);
    buf_fini(&text);
    if (q->name[0])
        return ERR_OK;
    (void)!getrandom(&chance, sizeof(chance), 0);
    (void)snprintf(q->name, sizeof(q->name), "%08" PRIx32, chance);
    return write_small(q, "name", q->name) ? ERR_OK
                                           : fs_error(err, "write", path);
}

const char *queue_name(const struct queue *q)
{
    return q->name;
}

enum errc queue_open(const char *dir, uint64_t max_bytes, struct queue **out,
                     struct err *err)
{
    enum errc rc = fs_make_dirs(dir, err);
    struct queue *q = rc ? NULL : calloc(1, sizeof(*q));

    if (rc)
        return rc;
    if (!q)
        return err_set(err, ERR_NOMEM, "out of memory");
    (void)snprintf(q->dir, sizeof(q->dir), "%s", dir);
    pthread_mutex_init(&q->lock, NULL);
    buf_init(&q->lines, BUFFER_MAX);
    q->max = max_bytes;
    q->fd = -1;
    q->first = UINT64_MAX;
    rc = take_name(q, err);
    if (!rc)
        rc = fs_list(dir, see_file, q, err);
    if (rc) {
        queue_close(q);
        return rc;
    }
    if (q->first == UINT64_MAX)
        q->first = q->last = 0;
    read_position(q);
    /* The last file may end in half a line: it is not written to again. */
    q->last++;
    *out = q;
    return ERR_OK;
}

void queue_close(struct queue *q)
{
    if (!q)
        return;
    queue_flush(q);
    if (q->fd >= 0)
        (void)close(q->fd);
    buf_fini(&q->lines);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* ---- putting in --------------------------------------------------------- */

static uint64_t lines_in(const char *path, uint64_t from)
{
    struct buf text;
    uint64_t n = 0;

    buf_init(&text, 2 * (size_t)FILE_BYTES + BUFFER_MAX);
    if (!fs_read(path, &text, NULL))
        for (size_t i = (size_t)from; i < text.n; i++)
            n += text.p[i] == '\n';
    buf_fini(&text);
    return n;
}

/* The oldest file goes, read or not. */
static void remove_first(struct queue *q, bool unread)
{
    char path[PATH_BYTES];

    path_of(q, q->first, path);
    if (unread)
        q->dropped += lines_in(path, q->at);
    q->bytes -= size_of(q, q->first);
    (void)unlink(path);
    q->first++;
    q->at = 0;
}

static void next_file(struct queue *q)
{
    if (q->fd >= 0)
        (void)close(q->fd);
    q->fd = -1;
    q->last++;
    q->last_bytes = 0;
}

static void drop_lines(struct queue *q)
{
    for (size_t i = 0; i < q->lines.n; i++)
        q->dropped += q->lines.p[i] == '\n';
    buf_clear(&q->lines);
}

static void flush(struct queue *q)
{
    char path[PATH_BYTES];

    if (!q->lines.n)
        return;
    if (q->fd < 0) {
        path_of(q, q->last, path);
        q->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    }
    if (q->fd < 0 || !fs_write_all(q->fd, q->lines.p, q->lines.n)) {
        /* What part of it is there may be half a line: read no further. */
        drop_lines(q);
        if (q->fd >= 0) {
            (void)!ftruncate(q->fd, (off_t)q->last_bytes);
            next_file(q);
        }
        return;
    }
    q->bytes += q->lines.n;
    q->last_bytes += q->lines.n;
    buf_clear(&q->lines);
    if (q->last_bytes >= FILE_BYTES)
        next_file(q);
    while (q->bytes > q->max && q->first < q->last)
        remove_first(q, true);
}

void queue_put(struct queue *q, struct str line)
{
    pthread_mutex_lock(&q->lock);
    if (q->lines.n + line.n + 1 > FILE_BYTES)
        flush(q);
    buf_put(&q->lines, line);
    buf_putc(&q->lines, '\n');
    pthread_mutex_unlock(&q->lock);
}

void queue_flush(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    flush(q);
    pthread_mutex_unlock(&q->lock);
}

/* ---- taking out --------------------------------------------------------- */

/* Whole lines from the file's byte `at`. */
static void read_lines(const char *path, uint64_t at, size_t max,
                       struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *to = fd < 0 ? NULL : buf_reserve(out, max);
    ssize_t n = to ? pread(fd, to, max, (off_t)at) : 0;

    while (n > 0 && to[n - 1] != '\n')
        n--;
    if (n > 0)
        out->n += (size_t)n;
    if (fd >= 0)
        (void)close(fd);
}

bool queue_peek(struct queue *q, size_t max, struct buf *out,
                struct queue_place *place)
{
    char path[PATH_BYTES];
    size_t before = out->n;

    pthread_mutex_lock(&q->lock);
    while (out->n == before) {
        path_of(q, q->first, path);
        read_lines(path, q->at, max, out);
        if (out->n != before || q->first >= q->last)
            break;
        remove_first(q, false); /* read to its end */
    }
    *place = (struct queue_place){q->first, q->at};
    pthread_mutex_unlock(&q->lock);
    return out->n != before;
}

/* If it cannot be, they are sent once more after a restart. */
static void write_position(const struct queue *q)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 "\n", q->first,
                   q->at);
    (void)write_small(q, "position", text);
}

void queue_done(struct queue *q, struct queue_place place, size_t bytes)
{
    pthread_mutex_lock(&q->lock);
    /* It may have been dropped meanwhile. */
    if (place.file == q->first && place.byte == q->at) {
        q->at += bytes;
        write_position(q);
    }
    pthread_mutex_unlock(&q->lock);
}

void queue_stats(struct queue *q, struct queue_stats *out)
{
    pthread_mutex_lock(&q->lock);
    *out = (struct queue_stats){q->bytes + q->lines.n - q->at, q->dropped};
    pthread_mutex_unlock(&q->lock);
}
