/* disk.c - see disk.h: opening, closing, reading. */
#include "tsdb/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "tsdb/db_internal.h"

enum { FLUSH_MS = 1000, KEEP_MS = 1000, KEEP_AGAIN_MS = 60000 };

void disk_say(const struct tsdb *db, bool bad, const char *event,
              const char *fmt, ...)
{
    char text[600];
    va_list args;

    if (!db->options.say)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    db->options.say(db->options.ctx, bad, event, text);
}

void disk_set_aside(struct tsdb *db, const char *path)
{
    char aside[4200];

    (void)snprintf(aside, sizeof(aside), "%.4100s.damaged", path);
    bool ok = rename(path, aside) == 0;
    disk_say(db, true, "tsdb.set_aside", "%s  the rest is served",
             ok ? aside : path);
}

/* ---- reading ------------------------------------------------------------ */

enum errc disk_read(struct tsdb *db, uint32_t series, int64_t from, int64_t to,
                    struct samples *out)
{
    const struct disk *d = db->disk;

    for (uint32_t i = 0; i < d->n; i++) {
        enum errc rc = segment_read(d->v[i], series, from, to, out);
        if (rc == ERR_NOMEM)
            return rc;
        if (rc) /* what is before the damage is right */
            atomic_store(&d->v[i]->damaged, true);
    }
    return ERR_OK;
}

bool disk_has_samples(struct tsdb *db, uint32_t series, int64_t from,
                      int64_t to)
{
    const struct disk *d = db->disk;

    for (uint32_t i = 0; i < d->n; i++)
        if (d->v[i]->from <= to && d->v[i]->to > from &&
            segment_find(d->v[i], series))
            return true;
    return false;
}

void disk_stats(const struct tsdb *db, struct tsdb_stats *out)
{
    struct disk *d = db->disk;

    out->segments = d->n;
    for (uint32_t i = 0; i < d->n; i++) {
        out->segment_samples += d->v[i]->samples;
        out->segment_bytes += d->v[i]->size;
    }
    out->snapshot_bytes = d->snapshot_bytes;
    out->wal_bytes = d->old_wal_bytes + atomic_load(&d->wal.size);
    out->pending_bytes = d->wal.pending.n;
    out->flush_failures = atomic_load(&d->failures);
    out->failing = atomic_load(&d->failing);
}

/* ---- the threads -------------------------------------------------------- */

/* Sleeps a while; false: it is time to end. */
static bool rest(struct disk *d, int64_t ms)
{
    struct timespec until;

    clock_deadline(ms, &until);
    pthread_mutex_lock(&d->wait);
    if (!d->stopped)
        (void)pthread_cond_timedwait(&d->wake, &d->wait, &until);
    bool more = !d->stopped;
    pthread_mutex_unlock(&d->wait);
    return more;
}

/* The same for the flusher. */
static bool rest_until_much(struct disk *d)
{
    struct timespec until;

    clock_deadline(FLUSH_MS, &until);
    pthread_mutex_lock(&d->wait);
    if (!d->stopped && !d->much)
        (void)pthread_cond_timedwait(&d->flush, &d->wait, &until);
    d->much = false;
    bool more = !d->stopped;
    pthread_mutex_unlock(&d->wait);
    return more;
}

void disk_flush_soon(struct disk *d)
{
    pthread_mutex_lock(&d->wait);
    d->much = true;
    pthread_cond_signal(&d->flush);
    pthread_mutex_unlock(&d->wait);
}

static void *flush_often(void *arg)
{
    struct tsdb *db = arg;

    do
        (void)!keep_flush(db, NULL);
    while (rest_until_much(db->disk));
    return NULL;
}

static void *keep_often(void *arg)
{
    struct tsdb *db = arg;
    struct err err;
    enum errc rc, before = ERR_OK;

    while (rest(db->disk, before ? KEEP_AGAIN_MS : KEEP_MS)) {
        err.msg[0] = '\0';
        rc = tsdb_maintain(db, &err);
        if (rc && rc != before)
            disk_say(db, true, "tsdb.maintenance_failed",
                     "%s  will be tried again", err.msg);
        before = rc;
    }
    return NULL;
}

enum errc disk_start(struct tsdb *db, struct err *err)
{
    struct disk *d = db->disk;

    d->has_flusher = pthread_create(&d->flusher, NULL, flush_often, db) == 0;
    d->has_keeper = pthread_create(&d->keeper, NULL, keep_often, db) == 0;
    return d->has_flusher && d->has_keeper
               ? ERR_OK
               : err_set(err, ERR_IO, "cannot start a thread");
}

static void stop(struct disk *d)
{
    pthread_mutex_lock(&d->wait);
    d->stopped = true;
    pthread_cond_broadcast(&d->wake);
    pthread_cond_signal(&d->flush);
    pthread_mutex_unlock(&d->wait);
    if (d->has_flusher)
        pthread_join(d->flusher, NULL);
    if (d->has_keeper)
        pthread_join(d->keeper, NULL);
}

/* ---- opening and closing ------------------------------------------------ */

static enum errc take_lock(struct disk *d, struct err *err)
{
    char path[4200];

    (void)snprintf(path, sizeof(path), "%.4100s/lock", d->dir);
    d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock_fd < 0)
        return fs_error(err, "open", path);
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, ERR_CONFLICT,
                       "the store in '%s' is in use by another process: stop "
                       "it, or choose another directory",
                       d->dir);
    return ERR_OK;
}

enum errc disk_open(struct tsdb *db, struct err *err)
{
    struct disk *d = calloc(1, sizeof(*d));

    if (!d)
        return err_set(err, ERR_NOMEM, "out of memory");
    db->disk = d;
    d->lock_fd = -1;
    d->wal.fd = -1;
    pthread_mutex_init(&d->keeping, NULL);
    pthread_mutex_init(&d->io, NULL);
    pthread_mutex_init(&d->wait, NULL);
    pthread_cond_init(&d->wake, NULL);
    pthread_cond_init(&d->flush, NULL);
    pthread_rwlock_init(&d->files, NULL);
    d->dir = strdup(db->options.dir);
    if (!d->dir)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = fs_make_dirs(d->dir, err);
    if (!rc)
        rc = take_lock(d, err);
    if (!rc)
        rc = recover(db, err);
    return rc;
}

void disk_close(struct tsdb *db)
{
    struct disk *d = db->disk;

    if (!d)
        return;
    stop(d);
    if (d->wal.dir && keep_flush(db, NULL))
        disk_say(db, true, "tsdb.lost",
                 "%zu bytes of the log could not be written before the end",
                 d->wal.writing.n);
    wal_fini(&d->wal);
    for (uint32_t i = 0; i < d->n; i++)
        segment_close(d->v[i]);
    free(d->v);
    if (d->lock_fd >= 0)
        (void)close(d->lock_fd);
    pthread_mutex_destroy(&d->keeping);
    pthread_mutex_destroy(&d->io);
    pthread_mutex_destroy(&d->wait);
    pthread_cond_destroy(&d->wake);
    pthread_cond_destroy(&d->flush);
    pthread_rwlock_destroy(&d->files);
    free(d->dir);
    free(d);
    db->disk = NULL;
}
