#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup.h"
#include "backup/copy.h"
#include "backup/walk.h"
#include "codec/digest.h"

enum { MEMORY_MAX = 64 << 20 };

struct diffing {
    const struct backup_told *told;
    void (*each)(void *ctx, enum difference d, const struct entry *e);
    struct manifest from; /* read in step with the other side */
    struct entry entry;
    bool more;
    struct digest *digest;
    struct buf texts;
    struct err *err;
};

/* Is what it says the same? -1: yes. */
static int compare(const struct entry *a, const struct entry *b)
{
    if (a->kind != b->kind || a->size != b->size ||
        strcmp(a->sha256, b->sha256) != 0 || !str_eq(a->target, b->target))
        return DIFF_CHANGED;
    if (a->mode != b->mode || a->uid != b->uid || a->gid != b->gid ||
        !str_eq(a->xattrs, b->xattrs) ||
        (a->kind != ENTRY_DIR && !entry_same_time(a->mtime, b->mtime)))
        return DIFF_META;
    return -1;
}

static enum errc advance(struct diffing *d)
{
    return manifest_next(&d->from, &d->entry, &d->more, d->err);
}

/* Where the other side has nothing up to `path` (NULL: to the end). */
static enum errc removed_before(struct diffing *d, const struct str *path)
{
    enum errc rc = ERR_OK;

    while (!rc && d->more &&
           (!path || entry_compare(d->entry.path, *path) < 0)) {
        d->each(d->told->ctx, DIFF_REMOVED, &d->entry);
        rc = advance(d);
    }
    return rc;
}

/* The other side's next one. */
static enum errc take(struct diffing *d, const struct entry *other)
{
    if (!d->more || !str_eq(d->entry.path, other->path)) {
        d->each(d->told->ctx, DIFF_ADDED, other);
        return ERR_OK;
    }
    int how = compare(&d->entry, other);
    if (how >= 0)
        d->each(d->told->ctx, (enum difference)how, other);
    return advance(d);
}

/* ---- with another backup --------------------------------------------------
 */

static enum errc with_backup(struct diffing *d, struct manifest *other)
{
    struct entry e;
    bool more;
    enum errc rc = manifest_next(other, &e, &more, d->err);

    while (!rc && more) {
        rc = removed_before(d, &e.path);
        if (!rc)
            rc = take(d, &e);
        if (!rc)
            rc = manifest_next(other, &e, &more, d->err);
    }
    return rc ? rc : removed_before(d, NULL);
}

/* ---- with what is there now ---------------------------------------------- */

/* The file of the saved entry as it is now: its digest ("" when it cannot be
 * read), and its attributes. */
static void read_file(struct diffing *d, const struct walked *w,
                      struct entry *e)
{
    bool known = d->more && str_eq(d->entry.path, w->path);
    int fd =
        openat(w->at, w->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (known && entry_is_unchanged(&d->entry, &w->st)) {
        memcpy(e->sha256, d->entry.sha256, sizeof(e->sha256));
    } else if (known && d->entry.size == e->size && fd >= 0) {
        bool all = digest_add_file(d->digest, fd);
        if (!digest_end(d->digest, e->sha256) || !all)
            e->sha256[0] = '\0';
    }
    if (fd >= 0 && copy_take_xattrs(fd, &d->texts, NULL) == ERR_OK)
        e->xattrs = buf_str(&d->texts);
    if (fd >= 0)
        (void)close(fd);
}

/* False: it is nothing that is saved. */
static bool describe(struct diffing *d, const struct walked *w, struct entry *e)
{
    char link[1 << 12];
    ssize_t n;

    if (!entry_of(&w->st, e))
        return false;
    e->path = w->path;
    switch (e->kind) {
    case ENTRY_FILE:
        read_file(d, w, e);
        break;
    case ENTRY_LINK:
        n = readlinkat(w->at, w->name, link, sizeof(link));
        buf_put(&d->texts, (struct str){link, n > 0 ? (size_t)n : 0});
        e->target = buf_str(&d->texts);
        break;
    case ENTRY_DIR:
        if (copy_take_xattrs(w->fd, &d->texts, NULL) == ERR_OK)
            e->xattrs = buf_str(&d->texts);
        break;
    case ENTRY_PIPE:
        break;
    }
    return true;
}

static enum errc see(void *ctx, const struct walked *w, struct err *err)
{
    struct diffing *d = ctx;
    struct entry e;
    enum errc rc = removed_before(d, &w->path);

    (void)err;
    buf_clear(&d->texts);
    if (rc || !describe(d, w, &e))
        return rc;
    return take(d, &e);
}

static void missed(void *ctx, struct str path, int error)
{
    struct diffing *d = ctx;

    d->told->note(d->told->ctx, path, strerror(error));
}

static enum errc with_now(struct diffing *d, struct err *err)
{
    const struct walk w = {.each = see, .missed = missed, .ctx = d};
    enum errc rc = digest_new(&d->digest, err);

    for (size_t i = 0; i < d->from.head.n && !rc; i++) {
        const struct source *s = &d->from.head.sources[i];
        rc = walk_tree(&w, AT_FDCWD, s->path, s->name, err);
    }
    return rc ? rc : removed_before(d, NULL);
}

/* ---- all ----------------------------------------------------------------- */

static enum errc open_one(struct store *s, const char *name, struct arena *a,
                          int *fd, struct manifest *out, struct err *err)
{
    struct backup b;
    enum errc rc = store_find(s, a, name, &b, err);

    if (!rc)
        rc = store_enter(s, b.name, fd, err);
    return rc ? rc : store_manifest(*fd, a, out, err);
}

enum errc backup_diff(struct store *s, const char *name, const char *with,
                      const struct backup_told *told,
                      void (*each)(void *ctx, enum difference d,
                                   const struct entry *e),
                      struct err *err)
{
    struct diffing d = {.told = told, .each = each, .err = err};
    struct manifest other = {.file = NULL};
    struct arena a;
    int from = -1, to = -1;

    arena_init(&a, MEMORY_MAX);
    buf_init(&d.texts, 2 * ENTRY_XATTRS_MAX);
    enum errc rc = open_one(s, name, &a, &from, &d.from, err);
    if (!rc)
        rc = advance(&d);
    if (!rc && with)
        rc = open_one(s, with, &a, &to, &other, err);
    if (!rc)
        rc = with ? with_backup(&d, &other) : with_now(&d, err);
    manifest_close(&d.from);
    manifest_close(&other);
    if (from >= 0)
        (void)close(from);
    if (to >= 0)
        (void)close(to);
    digest_free(d.digest);
    buf_fini(&d.texts);
    arena_fini(&a);
    return rc;
}
