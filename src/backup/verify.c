#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup.h"
#include "backup/hashers.h"
#include "backup/walk.h"
#include "base/fs.h"

enum { MEMORY_MAX = 64 << 20, LINE_ROOM = 1 << 20 };

struct verifying {
    const struct backup_told *told;
    struct verified *result;
    struct twins *seen;
    int fd;
    struct manifest manifest; /* read in step with the walk */
    struct entry entry;
    bool more;
    FILE *sums; /* too */
    struct buf expected;
    struct hashers *hashers;
    int64_t total;
};

static void wrong(struct verifying *v, struct str path, const char *what)
{
    v->result->wrong++;
    v->told->note(v->told->ctx, path, what);
}

/* ---- the two lists ------------------------------------------------------ */

/* The next line of SHA256SUMS is the expected one. A line that is not is told
 * once; those behind it are compared all the same. */
static void compare_sum(struct verifying *v, const char *sha, struct str path)
{
    size_t n;
    bool same = true;

    buf_clear(&v->expected);
    sums_put(&v->expected, sha, path);
    n = v->expected.n;
    for (size_t i = 0; i < n; i++) {
        int c = getc_unlocked(v->sums);
        same = same && c == (unsigned char)v->expected.p[i];
        if (c == '\n' || c == EOF)
            break;
    }
    if (!same || v->expected.failed)
        wrong(v, path, "SHA256SUMS does not say what the manifest says");
}

static enum errc compare_manifest(struct verifying *v, struct err *err)
{
    char sha[DIGEST_TEXT];
    struct digest *d = NULL;
    int fd = openat(v->fd, MANIFEST_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    enum errc rc = digest_new(&d, err);

    if (!rc && (fd < 0 || !digest_add_file(d, fd) || !digest_end(d, sha)))
        rc = fs_error(err, "cannot read", MANIFEST_NAME);
    digest_free(d);
    if (fd >= 0)
        (void)close(fd);
    if (!rc)
        compare_sum(v, sha, STR(MANIFEST_NAME));
    if (!rc && getc(v->sums) != EOF)
        wrong(v, STR(SUMS_NAME), "there is more in it than was saved");
    return rc;
}

/* ---- files -------------------------------------------------------------- */

static enum errc retire(void *ctx, struct hash_task *t, struct err *err)
{
    struct verifying *v = ctx;
    const struct entry *e = &t->entry;

    if (t->rc)
        wrong(v, e->path, t->err.msg);
    else if (strcmp(t->sha256, e->sha256) != 0)
        wrong(v, e->path, "its bytes are not those that were saved");
    if (t->twin && !t->rc)
        memcpy(t->twin->sha256, t->sha256, sizeof(t->sha256));
    v->result->bytes += e->size;
    if (v->told->progress)
        v->told->progress(v->told->ctx, v->result->bytes, v->total);
    (void)err;
    return ERR_OK;
}

/* Its bytes were read for another backup, or another name of it. */
static bool is_seen(struct verifying *v, const struct stat *st,
                    struct twin **twin)
{
    bool is_new;

    *twin = NULL;
    if (st->st_nlink < 2)
        return false;
    *twin = twins_find(v->seen, st, STR(""), &is_new);
    return *twin && (*twin)->sha256[0];
}

static enum errc check_file(struct verifying *v, const struct walked *w,
                            struct err *err)
{
    const struct entry *e = &v->entry;
    struct hash_task *t;
    struct twin *twin;

    if (w->st.st_size != e->size) {
        wrong(v, w->path, "it does not have the size that it had");
        return ERR_OK;
    }
    if (is_seen(v, &w->st, &twin)) {
        if (strcmp(twin->sha256, e->sha256) != 0)
            wrong(v, w->path, "its bytes are not those that were saved");
        v->result->bytes += e->size;
        return ERR_OK;
    }
    enum errc rc = hashers_task(v->hashers, w->path, &t, err);
    if (rc)
        return rc;
    t->fd =
        openat(w->at, w->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0) {
        wrong(v, w->path, strerror(errno));
        return ERR_OK;
    }
    t->entry.size = e->size;
    memcpy(t->entry.sha256, e->sha256, sizeof(e->sha256));
    t->twin = twin;
    t->written = e->size;
    t->complete = true;
    hashers_start(v->hashers, t);
    return ERR_OK;
}

static bool leads_to(const struct walked *w, struct str target)
{
    char link[1 << 12];
    ssize_t n = readlinkat(w->at, w->name, link, sizeof(link));

    return n >= 0 && str_eq((struct str){link, (size_t)n}, target);
}

/* On to the manifest's next entry; none behind the last, and when it is
 * damaged.
 */
static void advance(struct verifying *v)
{
    struct err why;

    if (manifest_next(&v->manifest, &v->entry, &v->more, &why)) {
        wrong(v, STR(MANIFEST_NAME), why.msg);
        v->more = false;
    }
    if (v->more && v->entry.kind == ENTRY_FILE)
        compare_sum(v, v->entry.sha256, v->entry.path);
    v->result->entries += v->more;
}

static enum errc check(void *ctx, const struct walked *w, struct err *err)
{
    struct verifying *v = ctx;

    while (v->more && entry_compare(v->entry.path, w->path) < 0) {
        wrong(v, v->entry.path, "it is missing");
        advance(v);
    }
    if (!v->more || !str_eq(v->entry.path, w->path)) {
        wrong(v, w->path, "it was not saved: somebody put it there");
        return ERR_OK;
    }
    enum errc rc = ERR_OK;
    struct entry now;
    if (!entry_of(&w->st, &now) || now.kind != v->entry.kind)
        wrong(v, w->path, "it is something else than what was saved");
    else if (v->entry.kind == ENTRY_FILE)
        rc = check_file(v, w, err);
    else if (v->entry.kind == ENTRY_LINK && !leads_to(w, v->entry.target))
        wrong(v, w->path, "it leads to another place than it did");
    advance(v);
    return rc;
}

static void missed(void *ctx, struct str path, int error)
{
    /* What is missing is told when the manifest comes to it. */
    if (error != ENOENT)
        wrong(ctx, path, strerror(error));
}

/* What lies beside the sources. */
static void check_top(struct verifying *v)
{
    DIR *d = fs_open_dir(v->fd, ".");

    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        bool known = strcmp(e->d_name, MANIFEST_NAME) == 0 ||
                     strcmp(e->d_name, SUMS_NAME) == 0 ||
                     strcmp(e->d_name, ".") == 0 ||
                     strcmp(e->d_name, "..") == 0;
        for (size_t i = 0; i < v->manifest.head.n && !known; i++)
            known = strcmp(e->d_name, v->manifest.head.sources[i].name) == 0;
        if (!known)
            wrong(v, str_from_cstr(e->d_name),
                  "it was not saved: somebody put it there");
    }
    if (d)
        (void)closedir(d);
}

/* ---- all ---------------------------------------------------------------- */

static enum errc check_all(struct verifying *v, struct err *err)
{
    const struct walk w = {.each = check, .missed = missed, .ctx = v};
    enum errc rc = ERR_OK;

    advance(v);
    for (size_t i = 0; i < v->manifest.head.n && !rc; i++)
        rc = walk_tree(&w, v->fd, v->manifest.head.sources[i].name,
                       v->manifest.head.sources[i].name, err);
    while (v->more && !rc) {
        wrong(v, v->entry.path, "it is missing");
        advance(v);
    }
    if (!rc)
        rc = hashers_finish(v->hashers, err);
    check_top(v);
    return rc ? rc : compare_manifest(v, err);
}

static enum errc open_lists(struct verifying *v, struct arena *a,
                            struct err *err)
{
    struct err why;
    int sums = openat(v->fd, SUMS_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    v->sums = sums < 0 ? NULL : fdopen(sums, "re");
    if (!v->sums) {
        if (sums >= 0)
            (void)close(sums);
        return fs_error(err, "cannot open", SUMS_NAME);
    }
    if (store_manifest(v->fd, a, &v->manifest, &why)) {
        wrong(v, STR(MANIFEST_NAME), why.msg);
        return ERR_OK;
    }
    enum errc rc = hashers_new(retire, v, &v->hashers, err);
    return rc ? rc : check_all(v, err);
}

enum errc backup_verify(struct store *s, const char *name, int64_t now_ns,
                        struct twins *seen, const struct backup_told *told,
                        struct verified *out, struct err *err)
{
    struct verifying v = {.told = told, .result = out, .seen = seen, .fd = -1};
    struct arena a;
    struct backup b;

    *out = (struct verified){.entries = 0};
    arena_init(&a, MEMORY_MAX);
    buf_init(&v.expected, LINE_ROOM);
    enum errc rc = store_find(s, &a, name, &b, err);
    if (!rc)
        rc = store_enter(s, b.name, &v.fd, err);
    v.total = rc ? 0 : b.bytes;
    if (!rc)
        rc = open_lists(&v, &a, err);
    hashers_free(v.hashers);
    manifest_close(&v.manifest);
    if (v.sums)
        (void)fclose(v.sums);
    if (v.fd >= 0)
        (void)close(v.fd);
    if (!rc && out->wrong)
        rc = err_set(err, ERR_UNFIT, "%u wrong in '%s'", out->wrong, b.name);
    if (!rc) /* a directory that is for reading only keeps no such record */
        (void)!store_verified(s, b.name, now_ns, NULL);
    buf_fini(&v.expected);
    arena_fini(&a);
    return rc;
}
