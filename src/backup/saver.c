#include "backup/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "backup/copy.h"
#include "base/fs.h"

enum { TEXT_MAX = 8 << 20, FLUSH_AT = 1 << 18, TRIES = 3 };

void saver_note(struct saver *s, struct str path, const char *what)
{
    s->told->note(s->told->ctx, path, what);
}

/* ---- what is written ---------------------------------------------------- */

static enum errc flush(struct saver *s, size_t from, struct err *err)
{
    if (s->manifest_text.failed || s->sums_text.failed)
        return err_set(err, ERR_NOMEM, "out of memory for the manifest");
    if (s->manifest_text.n >= from) {
        digest_add(s->digest, buf_str(&s->manifest_text));
        if (!fs_write_all(s->manifest, s->manifest_text.p, s->manifest_text.n))
            return fs_error(err, "cannot write", MANIFEST_NAME);
        buf_clear(&s->manifest_text);
    }
    if (s->sums_text.n >= from) {
        if (!fs_write_all(s->sums, s->sums_text.p, s->sums_text.n))
            return fs_error(err, "cannot write", SUMS_NAME);
        buf_clear(&s->sums_text);
    }
    return ERR_OK;
}

/* ---- what is done ------------------------------------------------------- */

/* It has the bytes of the file before after all (its time was changed): then
 * it need not take the place. */
static bool share(struct saver *s, const char *path)
{
    static const char beside[] = ".stoker-link";

    if (linkat(s->before, path, s->fd, beside, 0))
        return false;
    if (renameat(s->fd, beside, s->fd, path) == 0)
        return true;
    (void)unlinkat(s->fd, beside, 0);
    return false;
}

static void count(struct saver *s, const struct hash_task *t)
{
    const struct entry *e = &t->entry;

    s->result->entries++;
    if (e->kind != ENTRY_FILE)
        return;
    s->result->files++;
    if (e->same_as.n)
        return;
    s->result->bytes += e->size;
    s->result->new_files += !t->linked;
    s->result->new_bytes += t->linked ? 0 : e->size;
}

/* The oldest task is told of in the manifest. */
static enum errc retire(void *ctx, struct hash_task *t, struct err *err)
{
    struct saver *s = ctx;
    struct entry *e = &t->entry;
    const char *path = e->path.p;

    if (t->twin && e->same_as.n && !t->twin->sha256[0]) {
        saver_note(s, e->path, "another name of it cannot be read");
        s->result->left_out++;
        t->dropped = true;
    }
    if (t->dropped) {
        (void)unlinkat(s->fd, path, 0);
        return ERR_OK;
    }
    if (t->rc)
        return err_set(err, t->rc, "cannot write '%s': %s", path, t->err.msg);
    if (t->fd >= 0)
        memcpy(e->sha256, t->sha256, sizeof(e->sha256));
    if (t->twin && e->same_as.n)
        memcpy(e->sha256, t->twin->sha256, sizeof(e->sha256));
    else if (t->twin)
        memcpy(t->twin->sha256, e->sha256, sizeof(e->sha256));
    if (t->before[0] && !t->twin && strcmp(t->before, e->sha256) == 0)
        t->linked = share(s, path);
    count(s, t);
    manifest_put(&s->manifest_text, e);
    if (e->kind == ENTRY_FILE)
        sums_put(&s->sums_text, e->sha256, e->path);
    return flush(s, FLUSH_AT, err);
}

static void copied(void *ctx, int64_t upto)
{
    struct saver *s = ctx;

    hashers_wrote(s->hashers, s->task, upto);
    if (s->told->progress)
        s->told->progress(s->told->ctx, s->done_before + upto, s->total);
}

static bool is_as_before(int from, const struct stat *st)
{
    struct stat now;

    return fstat(from, &now) == 0 && now.st_size == st->st_size &&
           entry_same_time(now.st_mtim, st->st_mtim) &&
           entry_same_time(now.st_ctim, st->st_ctim);
}

/* What is copied while somebody writes is copied again, a few times. */
static enum errc copy_until_still(struct saver *s, struct hash_task *t,
                                  int from, struct stat *st, struct err *err)
{
    bool source_failed = false;
    enum errc rc = ERR_OK;

    for (int i = 0; i < TRIES; i++) {
        if (i > 0) {
            hashers_wait(s->hashers, t);
            if (fstat(from, st) || ftruncate(t->fd, 0))
                return fs_error(err, "cannot copy", t->entry.path.p);
            t->entry.size = st->st_size;
            t->entry.mtime = st->st_mtim;
            hashers_again(s->hashers, t);
        }
        rc = copy_bytes(from, t->fd, st->st_size, copied, s, &source_failed,
                        err);
        hashers_wrote_all(s->hashers, t);
        if (rc && (rc != ERR_CONFLICT || !source_failed))
            break;
        if (!rc && is_as_before(from, st))
            return ERR_OK;
    }
    if (!rc) { /* it never stands still: as it was at the last look */
        s->result->changing++;
        saver_note(s, t->entry.path, "it changed while it was read");
        return ERR_OK;
    }
    if (!source_failed)
        return rc;
    t->dropped = true;
    s->result->left_out++;
    saver_note(s, t->entry.path, err ? err->msg : "it cannot be read");
    return ERR_OK;
}

enum errc saver_copy(struct saver *s, struct hash_task *t, int from,
                     const struct stat *st, struct err *err)
{
    struct stat now = *st;
    const char *path = t->entry.path.p;

    t->fd =
        openat(s->fd, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
               (st->st_mode & 0555) | 0400);
    if (t->fd < 0) {
        (void)close(from);
        return fs_error(err, "cannot write", path);
    }
    t->durable = st->st_size >= DURABLE_FROM;
    s->task = t;
    s->done_before = s->done;
    hashers_start(s->hashers, t);
    enum errc rc = copy_until_still(s, t, from, &now, err);
    if (rc)
        rc = err_wrap(err, rc, "'%s'", path);
    const struct timespec times[2] = {now.st_mtim, now.st_mtim};
    (void)futimens(t->fd, times); /* for those who look with ls */
    s->done = s->done_before + now.st_size;
    (void)close(from);
    return rc;
}

/* ---- all ---------------------------------------------------------------- */

static int make_file(int at, const char *name)
{
    return openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  0400);
}

enum errc saver_open(struct saver *s, const struct manifest_head *head,
                     struct err *err)
{
    buf_init(&s->manifest_text, TEXT_MAX);
    buf_init(&s->sums_text, TEXT_MAX);
    twins_init(&s->twins);
    s->manifest = make_file(s->fd, MANIFEST_NAME);
    s->sums = make_file(s->fd, SUMS_NAME);
    if (s->manifest < 0 || s->sums < 0)
        return fs_error(err, "cannot write", MANIFEST_NAME);
    manifest_put_head(&s->manifest_text, head);
    enum errc rc = digest_new(&s->digest, err);
    return rc ? rc : hashers_new(retire, s, &s->hashers, err);
}

void saver_close(struct saver *s)
{
    hashers_free(s->hashers);
    digest_free(s->digest);
    twins_fini(&s->twins);
    buf_fini(&s->manifest_text);
    buf_fini(&s->sums_text);
    if (s->manifest >= 0)
        (void)close(s->manifest);
    if (s->sums >= 0)
        (void)close(s->sums);
}

enum errc saver_finish(struct saver *s, struct err *err)
{
    char sha[DIGEST_TEXT];
    enum errc rc = hashers_finish(s->hashers, err);

    if (rc)
        return rc;
    manifest_put_end(&s->manifest_text, s->result->entries, s->result->bytes);
    rc = flush(s, 1, err);
    if (!rc && !digest_end(s->digest, sha))
        rc = err_set(err, ERR_INTERNAL, "SHA-256 failed");
    /* Small files, and directories, with one call. */
    if (!rc && (fsync(s->manifest) || syncfs(s->fd)))
        rc = fs_error(err, "cannot write", MANIFEST_NAME);
    if (rc)
        return rc;
    sums_put(&s->sums_text, sha, STR(MANIFEST_NAME));
    rc = flush(s, 1, err);
    if (!rc && (fsync(s->sums) || fsync(s->fd)))
        rc = fs_error(err, "cannot write", SUMS_NAME);
    return rc;
}
