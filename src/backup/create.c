#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backup/backup.h"
#include "backup/copy.h"
#include "backup/database.h"
#include "backup/saver.h"
#include "backup/sources.h"
#include "backup/walk.h"
#include "base/clock.h"
#include "base/fs.h"

enum { PATH_ROOM = 4096, MEMORY_MAX = 256 << 20, LINK_MAX_BYTES = 1 << 16 };

#define SECOND INT64_C(1000000000)

struct creating {
    const struct create_options *o;
    const struct backup_told *told;
    struct created *result;
    struct store store;
    struct arena arena;
    struct manifest_head head;
    char host[HOST_MAX];
    struct stat store_stat;

    /* The backup before, read in step with the walk. */
    struct manifest before;
    struct entry entry;
    bool more;

    struct saver saver;
    char plain_database[PATH_ROOM]; /* the last that SQLite could not read */
};

/* ---- the backup before -------------------------------------------------- */

/* The entry of that path in the backup before, or NULL. */
static const struct entry *before(struct creating *c, struct str path)
{
    while (c->more) {
        int order = entry_compare(c->entry.path, path);
        if (order >= 0)
            return order == 0 ? &c->entry : NULL;
        struct err why;
        if (manifest_next(&c->before, &c->entry, &c->more, &why)) {
            saver_note(&c->saver, STR(MANIFEST_NAME),
                       "the backup before is damaged: verify it");
            c->more = false;
        }
    }
    return NULL;
}

/* Opens the newest one of the same sources. */
static enum errc find_before(struct creating *c, struct err *err)
{
    struct backups all;
    enum errc rc = store_list(&c->store, &c->arena, &all, err);

    for (size_t i = all.n; !rc && i-- > 0;) {
        const struct backup *b = &all.v[i];
        if (b->entries < 0 || !sources_same(&b->head, &c->head) ||
            store_enter(&c->store, b->name, &c->saver.before, NULL))
            continue;
        if (store_manifest(c->saver.before, &c->arena, &c->before, NULL)) {
            (void)close(c->saver.before);
            c->saver.before = -1;
            continue;
        }
        (void)snprintf(c->result->before, sizeof(c->result->before), "%s",
                       b->name);
        c->more = true;
        return manifest_next(&c->before, &c->entry, &c->more, err);
    }
    return rc;
}

/* ---- one thing of the walk ---------------------------------------------- */

static void leave_out(struct creating *c, struct str path, const char *what)
{
    c->result->left_out++;
    saver_note(&c->saver, path, what);
}

static void missed(void *ctx, struct str path, int error)
{
    leave_out(ctx, path, strerror(error));
}

/* When the file was changed a moment ago it may change again within the same
 * tick of the file system's clock: then its times say nothing. */
static bool is_settled(const struct stat *st)
{
    return (int64_t)st->st_ctim.tv_sec * SECOND + st->st_ctim.tv_nsec + SECOND <
           clock_wall_ns();
}

/* False: it is nothing that is saved. */
static bool describe(struct entry *e, const struct stat *st)
{
    struct str path = e->path;

    if (!entry_of(st, e))
        return false;
    e->path = path;
    if (e->kind == ENTRY_FILE) {
        e->ino = is_settled(st) ? (uint64_t)st->st_ino : 0;
        e->ctime = st->st_ctim;
    }
    return true;
}

/* Behind the path, in the same texts, whose place may change. */
static enum errc add_xattrs(struct hash_task *t, int fd, struct err *err)
{
    size_t from = t->texts.n;
    enum errc rc = copy_take_xattrs(fd, &t->texts, err);

    t->entry.path.p = t->texts.p;
    t->entry.xattrs =
        (struct str){t->texts.p + from, rc ? 0 : t->texts.n - from};
    return rc;
}

static enum errc take_directory(struct creating *c, const struct walked *w,
                                struct hash_task *t, struct err *err)
{
    struct saver *s = &c->saver;

    if (mkdirat(s->fd, w->path.p, 0700 | (w->st.st_mode & 0777)))
        return fs_error(err, "cannot write", w->path.p);
    enum errc rc = add_xattrs(t, w->fd, err);
    hashers_start(s->hashers, t);
    return rc;
}

static enum errc take_link(struct creating *c, const struct walked *w,
                           struct hash_task *t, struct err *err)
{
    size_t from = t->texts.n;
    char *room = buf_reserve(&t->texts, LINK_MAX_BYTES + 1);
    ssize_t n = room ? readlinkat(w->at, w->name, room, LINK_MAX_BYTES) : -1;

    if (n <= 0) {
        leave_out(c, w->path, "this link cannot be read");
        return ERR_OK;
    }
    room[n] = '\0';
    t->texts.n += (size_t)n;
    t->entry.path.p = t->texts.p;
    t->entry.target = (struct str){t->texts.p + from, (size_t)n};
    if (symlinkat(t->entry.target.p, c->saver.fd, w->path.p))
        return fs_error(err, "cannot write", w->path.p);
    hashers_start(c->saver.hashers, t);
    return ERR_OK;
}

static enum errc take_pipe(struct creating *c, const struct walked *w,
                           struct hash_task *t, struct err *err)
{
    if (mkfifoat(c->saver.fd, w->path.p, 0400))
        return fs_error(err, "cannot write", w->path.p);
    hashers_start(c->saver.hashers, t);
    return ERR_OK;
}

/* Another name of a file that came before. */
static enum errc take_twin(struct creating *c, const struct walked *w,
                           struct hash_task *t, struct err *err)
{
    const char *first = t->twin->path.p; /* which ends in a NUL */

    t->entry.same_as = t->twin->path;
    t->entry.xattrs = t->twin->xattrs;
    if (linkat(c->saver.fd, first, c->saver.fd, w->path.p, 0)) {
        /* The first one is gone (it could not be read), or there are too many
         * names: this one is a file for itself. */
        t->entry.same_as = t->entry.xattrs = (struct str){NULL, 0};
        t->twin = NULL;
        return errno == ENOENT || errno == EMLINK
                   ? ERR_OK
                   : fs_error(err, "cannot write", w->path.p);
    }
    hashers_start(c->saver.hashers, t);
    return ERR_OK;
}

/* Has it other names, and did one of them come before? */
static enum errc look_for_twin(struct creating *c, const struct walked *w,
                               struct hash_task *t, struct err *err)
{
    bool is_first = true;

    if (w->st.st_nlink < 2)
        return ERR_OK;
    t->twin = twins_find(&c->saver.twins, &w->st, w->path, &is_first);
    if (!t->twin)
        return err_set(err, ERR_NOMEM, "too many hard links");
    return is_first ? ERR_OK : take_twin(c, w, t, err);
}

/* The file of the backup before. False: that cannot be. */
static bool take_unchanged(struct creating *c, const struct walked *w,
                           struct hash_task *t, const struct entry *was)
{
    if (t->twin && !twins_keep_xattrs(&c->saver.twins, t->twin, was->xattrs))
        return false;
    if (linkat(c->saver.before, w->path.p, c->saver.fd, w->path.p, 0))
        return false;
    t->linked = true;
    memcpy(t->entry.sha256, was->sha256, sizeof(was->sha256));
    size_t from = t->texts.n;
    buf_put(&t->texts, was->xattrs);
    t->entry.path.p = t->texts.p;
    t->entry.xattrs = (struct str){t->texts.p + from, was->xattrs.n};
    c->saver.done += w->st.st_size;
    hashers_start(c->saver.hashers, t);
    return true;
}

/* The open file, when it is what the walk saw; -1 and a note. */
static int open_source(struct creating *c, const struct walked *w,
                       struct stat *st)
{
    int fd = openat(w->at, w->name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);

    if (fd < 0 && errno == EPERM) /* O_NOATIME is for owners */
        fd = openat(w->at, w->name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, st)) {
        leave_out(c, w->path, strerror(errno));
    } else if (!S_ISREG(st->st_mode)) {
        leave_out(c, w->path, "it is something else by now");
    } else {
        return fd;
    }
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* A database is copied by SQLite. *done is false when that cannot be: then it
 * is a file like others, and so is what lies beside it. */
static enum errc take_database(struct creating *c, const struct walked *w,
                               struct hash_task *t, bool *done, struct err *err)
{
    struct stat st;
    struct err why = {.code = ERR_OK};
    int to = c->saver.fd;
    enum errc rc = database_copy(w->at, w->name, to, w->path.p, &why);

    *done = rc == ERR_OK;
    if (rc == ERR_UNSUPPORTED) {
        (void)unlinkat(to, w->path.p, 0);
        saver_note(&c->saver, w->path, why.msg);
        (void)snprintf(c->plain_database, sizeof(c->plain_database), "%s",
                       w->path.p);
        c->result->changing++;
        return ERR_OK;
    }
    if (rc)
        return err_set(err, rc, "'%s': %s", w->path.p, why.msg);
    t->fd = openat(to, w->path.p, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (t->fd < 0 || fstat(t->fd, &st) ||
        fchmod(t->fd, (w->st.st_mode & 0555) | 0400))
        return fs_error(err, "cannot write", w->path.p);
    t->entry.size = t->written = st.st_size;
    t->entry.ino = 0; /* its times say nothing: there is the log beside it */
    t->complete = t->durable = true;
    hashers_start(c->saver.hashers, t);
    return ERR_OK;
}

/* Is it part of a database that SQLite copied? */
static bool goes_with_database(const struct creating *c, const struct walked *w)
{
    size_t n = S_ISREG(w->st.st_mode) ? database_owner(w->at, w->name) : 0;
    size_t path = w->path.n - strlen(w->name) + n;

    return n && !(strlen(c->plain_database) == path &&
                  memcmp(c->plain_database, w->path.p, path) == 0);
}

/* What is in it, by SQLite or byte for byte. Takes `from`. */
static enum errc take_contents(struct creating *c, const struct walked *w,
                               struct hash_task *t, int from,
                               const struct stat *st, struct err *err)
{
    bool done = false;
    enum errc rc = add_xattrs(t, from, err);

    if (!rc && database_has_log(w->at, w->name, st->st_size) &&
        database_is(from))
        rc = take_database(c, w, t, &done, err);
    if (!rc && t->twin &&
        !twins_keep_xattrs(&c->saver.twins, t->twin, t->entry.xattrs))
        rc = err_set(err, ERR_NOMEM, "too many hard links");
    if (!rc && !done)
        return saver_copy(&c->saver, t, from, st, err);
    (void)close(from);
    return rc;
}

static enum errc take_file(struct creating *c, const struct walked *w,
                           struct hash_task *t, struct err *err)
{
    const struct entry *was = before(c, w->path);
    struct stat st;
    enum errc rc = look_for_twin(c, w, t, err);

    if (rc || t->entry.same_as.n)
        return rc;
    if (was && entry_is_unchanged(was, &w->st) &&
        !database_has_log(w->at, w->name, w->st.st_size) &&
        take_unchanged(c, w, t, was))
        return ERR_OK;
    int from = open_source(c, w, &st);
    if (from < 0)
        return ERR_OK;
    (void)describe(&t->entry, &st); /* which is a file */
    if (was && was->kind == ENTRY_FILE && was->size == st.st_size)
        memcpy(t->before, was->sha256, sizeof(was->sha256));
    return take_contents(c, w, t, from, &st, err);
}

static enum errc take(void *ctx, const struct walked *w, struct err *err)
{
    struct creating *c = ctx;
    struct hash_task *t;

    if (w->path.n >= PATH_ROOM) {
        leave_out(c, w->path, "its path is too long");
        return ERR_OK;
    }
    if (goes_with_database(c, w))
        return ERR_OK;
    enum errc rc = hashers_task(c->saver.hashers, w->path, &t, err);
    if (rc)
        return rc;
    if (!describe(&t->entry, &w->st)) {
        leave_out(c, w->path, "a socket or device is not saved");
        return ERR_OK;
    }
    switch (t->entry.kind) {
    case ENTRY_DIR:
        return take_directory(c, w, t, err);
    case ENTRY_LINK:
        return take_link(c, w, t, err);
    case ENTRY_PIPE:
        return take_pipe(c, w, t, err);
    case ENTRY_FILE:
        break;
    }
    return take_file(c, w, t, err);
}

static enum errc add_up(void *ctx, const struct walked *w, struct err *err)
{
    int64_t *total = ctx;

    (void)err;
    *total += S_ISREG(w->st.st_mode) ? w->st.st_size : 0;
    return ERR_OK;
}

static void ignore(void *ctx, struct str path, int error)
{
    (void)ctx;
    (void)path;
    (void)error;
}

static enum errc walk_all(struct creating *c, struct err *err)
{
    struct walk w = {.exclude = c->o->exclude,
                     .one_file_system = c->o->one_file_system,
                     .skip = &c->store_stat,
                     .each = add_up,
                     .missed = ignore,
                     .ctx = &c->saver.total};
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < c->head.n && c->told->progress && !rc; i++)
        rc = walk_tree(&w, AT_FDCWD, c->head.sources[i].path,
                       c->head.sources[i].name, err);
    w.each = take;
    w.missed = missed;
    w.ctx = c;
    for (size_t i = 0; i < c->head.n && !rc; i++)
        rc = walk_tree(&w, AT_FDCWD, c->head.sources[i].path,
                       c->head.sources[i].name, err);
    return rc;
}

/* ---- all ---------------------------------------------------------------- */

static enum errc name_it(struct creating *c, struct err *err)
{
    time_t t = (time_t)(c->o->created_ns / SECOND);
    struct tm tm;
    char *name = c->result->name;

    if (!localtime_r(&t, &tm) ||
        strftime(name, sizeof(c->result->name), c->o->name, &tm) == 0 ||
        !store_name_is_fine(name) || strcmp(name, "latest") == 0)
        return err_set(err, ERR_INVALID,
                       "'%s' makes no name for a directory: it is a format of "
                       "strftime(3), like %s",
                       c->o->name, BACKUP_NAME);
    return ERR_OK;
}

static enum errc make(struct creating *c, struct err *err)
{
    struct created *r = c->result;
    enum errc rc = store_begin(&c->store, r->name, &c->saver.fd, err);

    if (!rc)
        rc = saver_open(&c->saver, &c->head, err);
    if (!rc)
        rc = walk_all(c, err);
    if (!rc)
        rc = saver_finish(&c->saver, err);
    if (!rc && r->entries == 0)
        rc = err_set(err, ERR_DENIED, "nothing of it can be read");
    saver_close(&c->saver);
    if (rc)
        store_abandon(&c->store, r->name);
    else
        rc = store_publish(&c->store, r->name, sizeof(r->name), err);
    return rc;
}

static enum errc prepare(struct creating *c, struct err *err)
{
    const struct create_options *o = c->o;
    enum errc rc = sources_find(o->sources, o->n, &c->arena, &c->head, err);

    (void)gethostname(c->host, sizeof(c->host) - 1);
    c->head.host = c->host;
    c->head.tag = o->tag ? o->tag : "";
    c->head.created_ns = o->created_ns;
    if (!rc)
        rc = name_it(c, err);
    if (!rc)
        rc = store_open(o->repo, true, &c->store, err);
    if (!rc && fstat(c->store.fd, &c->store_stat))
        rc = fs_error(err, "cannot open", o->repo);
    if (!rc)
        rc = store_lock(&c->store, o->wait_ns, err);
    return rc ? rc : find_before(c, err);
}

enum errc backup_create(const struct create_options *o,
                        const struct backup_told *told, struct created *out,
                        struct err *err)
{
    struct creating c = {.o = o,
                         .told = told,
                         .result = out,
                         .store = {.fd = -1, .lock = -1},
                         .saver = {.told = told,
                                   .result = out,
                                   .fd = -1,
                                   .before = -1,
                                   .manifest = -1,
                                   .sums = -1}};

    *out = (struct created){.entries = 0};
    arena_init(&c.arena, MEMORY_MAX);
    enum errc rc = prepare(&c, err);
    if (!rc)
        rc = make(&c, err);
    manifest_close(&c.before);
    if (c.saver.before >= 0)
        (void)close(c.saver.before);
    if (c.saver.fd >= 0)
        (void)close(c.saver.fd);
    store_close(&c.store);
    arena_fini(&c.arena);
    return rc;
}
