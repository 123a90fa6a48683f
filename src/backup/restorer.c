#include "backup/restorer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/copy.h"
#include "base/fs.h"

enum { PATH_ROOM = 8192, MEMORY_MAX = 64 << 20, DEPTH_MAX = 256 };

/* Directories get their modes and times when all that is in them is there. */
struct restored_dirs {
    struct dir {
        struct entry entry;
        struct buf texts; /* path and attributes */
    } v[DEPTH_MAX + 1];
    size_t n;
};

static void note(struct restorer *r, struct str path, const char *what)
{
    r->result->incomplete++;
    r->told->note(r->told->ctx, path, what);
}

/* Where the entry goes, beneath r->at. */
static const char *place(const struct restorer *r, struct str path,
                         char room[PATH_ROOM])
{
    struct str rest = str_slice(path, r->select.n, path.n);

    (void)snprintf(room, PATH_ROOM, "%s" STR_FMT, r->name, STR_ARG(rest));
    return room;
}

static bool is_selected(const struct restorer *r, struct str path)
{
    return str_eq(path, r->select) || entry_beneath(path, r->select);
}

/* ---- owner, attributes, mode, time --------------------------------------- */

static void owners_stay(struct restorer *r, const struct entry *e)
{
    if (!r->owners_told)
        note(r, e->path,
             "its owner cannot be set (only root may); this is told once");
    r->owners_told = true;
}

/* In this order: chown() takes set-user-id away, and only a file that may be
 * written takes attributes. */
static void set_facts(struct restorer *r, int fd, const struct entry *e)
{
    const struct timespec times[2] = {e->mtime, e->mtime};

    if (fchown(fd, e->uid, e->gid))
        owners_stay(r, e);
    if (copy_set_xattrs(fd, e->xattrs))
        note(r, e->path, "not all of its extended attributes can be set");
    if (fchmod(fd, e->mode) || futimens(fd, times))
        note(r, e->path, "its mode and time cannot be set");
}

static void set_link_facts(struct restorer *r, const char *path,
                           const struct entry *e)
{
    const struct timespec times[2] = {e->mtime, e->mtime};

    if (fchownat(r->at, path, e->uid, e->gid, AT_SYMLINK_NOFOLLOW))
        owners_stay(r, e);
    if (e->kind == ENTRY_PIPE && fchmodat(r->at, path, e->mode, 0))
        note(r, e->path, "its mode cannot be set");
    if (utimensat(r->at, path, times, AT_SYMLINK_NOFOLLOW))
        note(r, e->path, "its time cannot be set");
}

/* ---- directories --------------------------------------------------------- */

/* Those that the path is not beneath are finished. */
static void leave_dirs(struct restorer *r, struct str path)
{
    struct restored_dirs *d = r->dirs;
    char room[PATH_ROOM];

    while (d->n && !entry_beneath(path, d->v[d->n - 1].entry.path)) {
        struct dir *last = &d->v[--d->n];
        int fd = openat(r->at, place(r, last->entry.path, room),
                        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0) {
            set_facts(r, fd, &last->entry);
            (void)close(fd);
        } else {
            note(r, last->entry.path, strerror(errno));
        }
    }
}

static enum errc enter_dir(struct restorer *r, const struct entry *e,
                           const char *path, struct err *err)
{
    struct restored_dirs *d = r->dirs;

    if (d->n == COUNT(d->v))
        return err_set(err, ERR_LIMIT, "%s: too deep", path);
    if (mkdirat(r->at, path, 0700))
        return fs_error(err, "cannot write", path);
    struct dir *dir = &d->v[d->n];
    buf_clear(&dir->texts);
    buf_put(&dir->texts, e->path);
    buf_put(&dir->texts, e->xattrs);
    if (dir->texts.failed)
        return err_set(err, ERR_NOMEM, "out of memory");
    dir->entry = *e;
    dir->entry.path = str_slice(buf_str(&dir->texts), 0, e->path.n);
    dir->entry.xattrs =
        str_slice(buf_str(&dir->texts), e->path.n, dir->texts.n);
    d->n++;
    return ERR_OK;
}

/* ---- files --------------------------------------------------------------- */

static enum errc retire(void *ctx, struct hash_task *t, struct err *err)
{
    struct restorer *r = ctx;
    const struct entry *e = &t->entry;

    if (t->rc)
        return err_set(err, t->rc, "cannot write '" STR_FMT "': %s",
                       STR_ARG(e->path), t->err.msg);
    if (strcmp(t->sha256, e->sha256) != 0)
        return err_set(err, ERR_UNFIT, "'" STR_FMT "' is damaged in the backup",
                       STR_ARG(e->path));
    set_facts(r, t->fd, e);
    return ERR_OK;
}

static void copied(void *ctx, int64_t upto)
{
    struct restorer *r = ctx;

    hashers_wrote(r->hashers, r->task, upto);
    if (r->told->progress)
        r->told->progress(r->told->ctx, r->result->bytes + upto, 0);
}

static enum errc copy_file(struct restorer *r, struct hash_task *t, int from,
                           struct err *err)
{
    bool source_failed;

    r->task = t;
    t->durable = t->entry.size >= DURABLE_FROM;
    hashers_start(r->hashers, t);
    enum errc rc =
        copy_bytes(from, t->fd, t->entry.size, copied, r, &source_failed, err);
    hashers_wrote_all(r->hashers, t);
    r->result->bytes += t->entry.size;
    if (rc && source_failed)
        return err_set(err, ERR_UNFIT, "'%s' is damaged in the backup",
                       t->entry.path.p);
    return rc ? err_wrap(err, rc, "'%s'", t->entry.path.p) : ERR_OK;
}

static enum errc write_file(struct restorer *r, const struct entry *e,
                            const char *path, struct err *err)
{
    struct hash_task *t;
    enum errc rc = hashers_task(r->hashers, e->path, &t, err);

    if (rc)
        return rc;
    buf_put(&t->texts, e->xattrs);
    if (t->texts.failed)
        return err_set(err, ERR_NOMEM, "out of memory");
    t->entry = *e;
    t->entry.path.p = t->texts.p;
    t->entry.xattrs.p = t->texts.p + e->path.n + 1; /* behind the NUL */
    int from = openat(r->backup, t->entry.path.p,
                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (from < 0)
        return err_set(err, ERR_UNFIT, "'%s' is missing in the backup",
                       t->entry.path.p);
    t->fd = openat(r->at, path,
                   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (t->fd < 0)
        rc = fs_error(err, "cannot write", path);
    else
        rc = copy_file(r, t, from, err);
    (void)close(from);
    return rc;
}

/* ---- one entry ----------------------------------------------------------- */

static enum errc write_link(struct restorer *r, const struct entry *e,
                            const char *path, struct err *err)
{
    struct buf target;

    buf_init(&target, PATH_ROOM);
    buf_put(&target, e->target);
    buf_putc(&target, '\0');
    int bad = target.failed                      ? ENAMETOOLONG
              : symlinkat(target.p, r->at, path) ? errno
                                                 : 0;
    buf_fini(&target);
    errno = bad;
    if (bad)
        return fs_error(err, "cannot write", path);
    set_link_facts(r, path, e);
    return ERR_OK;
}

static enum errc write_entry(struct restorer *r, const struct entry *e,
                             struct err *err)
{
    char path[PATH_ROOM], first[PATH_ROOM];

    (void)place(r, e->path, path);
    r->result->entries++;
    switch (e->kind) {
    case ENTRY_DIR:
        return enter_dir(r, e, path, err);
    case ENTRY_LINK:
        return write_link(r, e, path, err);
    case ENTRY_PIPE:
        if (mkfifoat(r->at, path, 0600))
            return fs_error(err, "cannot write", path);
        set_link_facts(r, path, e);
        return ERR_OK;
    case ENTRY_FILE:
        break;
    }
    if (e->same_as.n && is_selected(r, e->same_as) &&
        linkat(r->at, place(r, e->same_as, first), r->at, path, 0) == 0)
        return ERR_OK;
    return write_file(r, e, path, err);
}

static enum errc write_all(struct restorer *r, struct manifest *m,
                           struct err *err)
{
    struct entry e;
    bool more = true;
    int64_t before = r->result->entries;
    enum errc rc = manifest_next(m, &e, &more, err);

    while (!rc && more) {
        if (is_selected(r, e.path)) {
            leave_dirs(r, e.path);
            rc = write_entry(r, &e, err);
        }
        rc = rc ? rc : manifest_next(m, &e, &more, err);
    }
    if (!rc && r->result->entries == before)
        rc = err_set(err, ERR_NOT_FOUND,
                     "there is no '" STR_FMT "' in the backup",
                     STR_ARG(r->select));
    if (!rc)
        rc = hashers_finish(r->hashers, err);
    if (!rc)
        leave_dirs(r, STR(""));
    return rc;
}

enum errc restorer_run(struct restorer *r, struct err *err)
{
    struct manifest m = {.file = NULL};
    struct arena a;

    r->dirs = calloc(1, sizeof(*r->dirs));
    if (!r->dirs)
        return err_set(err, ERR_NOMEM, "out of memory");
    arena_init(&a, MEMORY_MAX);
    enum errc rc = hashers_new(retire, r, &r->hashers, err);
    for (size_t i = 0; i < COUNT(r->dirs->v); i++)
        buf_init(&r->dirs->v[i].texts, 2 * ENTRY_XATTRS_MAX);
    if (!rc)
        rc = store_manifest(r->backup, &a, &m, err);
    if (!rc)
        rc = write_all(r, &m, err);
    hashers_free(r->hashers);
    manifest_close(&m);
    for (size_t i = 0; i < COUNT(r->dirs->v); i++)
        buf_fini(&r->dirs->v[i].texts);
    free(r->dirs);
    arena_fini(&a);
    return rc;
}
