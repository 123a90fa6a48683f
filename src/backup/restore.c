#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backup/backup.h"
#include "backup/restorer.h"
#include "base/fs.h"

enum { MEMORY_MAX = 64 << 20, TARGET_ROOM = PATH_MAX + 512 };

#define BESIDE ".stoker-restore-"
#define LOCK   ".lock"

/* One thing that is restored: from `select` in the backup to `path`. It is
 * written beside its place under another name, which has a lock file, locked as
 * long as somebody is at work there. */
struct target {
    struct str select;
    char path[TARGET_ROOM];
    char parent[TARGET_ROOM], name[NAME_MAX + 1]; /* of the path */
    int at;                                       /* the parent; -1 */
    char beside[64], lock_name[80];               /* in the parent */
    int lock;                                     /* -1 */
    bool taken;                                   /* something is there */
};

struct restoring {
    const struct restore_options *o;
    const struct backup_told *told;
    struct restored *result;
    struct store store;
    struct arena arena;
    struct backup backup;
    int fd; /* of the backup */
    struct target *targets;
    size_t n;
};

/* ---- where to ------------------------------------------------------------ */

static enum errc find_place(struct restoring *r, const struct source *source,
                            struct str select, struct err *err)
{
    struct target *t = &r->targets[r->n++];
    char one[TARGET_ROOM];
    struct str rest = str_slice(select, strlen(source->name), select.n);

    t->select = select;
    t->at = t->lock = -1;
    int n = r->o->to ? snprintf(t->path, sizeof(t->path), "%s/" STR_FMT,
                                r->o->to, STR_ARG(str_behind_last(select, '/')))
                     : snprintf(t->path, sizeof(t->path), "%s" STR_FMT,
                                source->path, STR_ARG(rest));
    if (n >= PATH_MAX)
        return err_set(err, ERR_LIMIT, "'%.200s...': the path is too long",
                       t->path);
    (void)snprintf(one, sizeof(one), "%s", t->path);
    (void)snprintf(t->parent, sizeof(t->parent), "%s", dirname(one));
    (void)snprintf(one, sizeof(one), "%s", t->path);
    (void)snprintf(t->name, sizeof(t->name), "%s", basename(one));
    (void)snprintf(t->beside, sizeof(t->beside), BESIDE "%d-%zu", (int)getpid(),
                   r->n);
    (void)snprintf(t->lock_name, sizeof(t->lock_name), "%s" LOCK, t->beside);
    return strcmp(t->path, "/") == 0 ? err_set(err, ERR_INVALID,
                                               "'/' cannot be restored in its "
                                               "place: say --to DIRECTORY")
                                     : ERR_OK;
}

/* All sources, or what the path names of one of them. */
static enum errc find_places(struct restoring *r, struct err *err)
{
    const struct manifest_head *head = &r->backup.head;
    struct str path = str_from_cstr(r->o->source ? r->o->source : "");
    enum errc rc = ERR_OK;

    while (path.n && path.p[path.n - 1] == '/')
        path.n--;
    r->targets = arena_new(&r->arena, struct target, head->n ? head->n : 1);
    if (!r->targets)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < head->n && !rc; i++) {
        struct str name = str_from_cstr(head->sources[i].name);
        if (!path.n)
            rc = find_place(r, &head->sources[i], name, err);
        else if (str_eq(path, name) || entry_beneath(path, name))
            rc = find_place(r, &head->sources[i], path, err);
    }
    if (!rc && !r->n)
        rc = err_set(err, ERR_NOT_FOUND, "there is no '%s' in '%s'",
                     r->o->source ? r->o->source : "", r->backup.name);
    return rc;
}

static enum errc look_there(struct restoring *r, struct target *t,
                            struct err *err)
{
    struct stat st;

    if (!r->o->dry_run) {
        enum errc rc = fs_make_dirs(t->parent, err);
        if (rc)
            return rc;
        t->at = open(t->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (t->at < 0)
            return fs_error(err, "cannot open", t->parent);
    }
    t->taken = lstat(t->path, &st) == 0;
    if (t->taken && !r->o->force && !r->o->dry_run)
        return err_set(err, ERR_CONFLICT,
                       "'%s' is there already: --force puts it aside, --to "
                       "DIRECTORY restores to another place",
                       t->path);
    return ERR_OK;
}

/* ---- in its place -------------------------------------------------------- */

/* What was there is called `old` now. 0 or errno. At no moment has it a name
 * that remove_left() removes. */
static int swap(const struct target *t, const char *old)
{
    int e = fs_rename_new(t->at, t->beside, old);

    if (e || renameat2(t->at, old, t->at, t->name, RENAME_EXCHANGE) == 0)
        return e;
    e = errno;
    if (renameat(t->at, old, t->at, t->beside) || (e != EINVAL && e != ENOSYS))
        return e;
    e = fs_rename_new(t->at, t->name, old); /* there is a moment between */
    return e ? e : fs_rename_new(t->at, t->beside, t->name);
}

static enum errc put_in_place(struct restoring *r, struct target *t,
                              void (*placed)(void *ctx, const char *path,
                                             const char *old),
                              struct err *err)
{
    char old[NAME_MAX + 1] = "", path[TARGET_ROOM + NAME_MAX + 2] = "",
                        when[32];
    time_t now = (time_t)(r->o->now_ns / 1000000000);
    struct tm tm;
    int e;

    if (t->taken && localtime_r(&now, &tm) &&
        strftime(when, sizeof(when), "%Y%m%d%H%M%S", &tm)) {
        (void)snprintf(old, sizeof(old), "%.180s.before-%s", t->name, when);
        (void)snprintf(path, sizeof(path), "%s/%s", t->parent, old);
        e = swap(t, old);
    } else {
        e = fs_rename_new(t->at, t->beside, t->name);
    }
    if (e || fsync(t->at)) {
        errno = e ? e : errno;
        return fs_error(err, "cannot replace", t->path);
    }
    placed(r->told->ctx, t->path, path);
    return ERR_OK;
}

/* One that a killed restore left there: first what it wrote, then its lock. */
static void remove_left(const struct target *t, const char *lock_name)
{
    char beside[NAME_MAX + 1];
    int lock = openat(t->at, lock_name,
                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    (void)snprintf(beside, sizeof(beside), "%.*s",
                   (int)(strlen(lock_name) - strlen(LOCK)), lock_name);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0 &&
        remove_tree(t->at, beside))
        (void)unlinkat(t->at, lock_name, 0);
    if (lock >= 0)
        (void)close(lock);
}

static void remove_all_left(const struct target *t)
{
    DIR *d = fs_open_dir(t->at, ".");

    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        struct str name = str_from_cstr(e->d_name);
        if (str_starts(name, STR(BESIDE)) && str_ends(name, STR(LOCK)))
            remove_left(t, e->d_name);
    }
    if (d)
        (void)closedir(d);
}

static enum errc lock_beside(struct target *t, struct err *err)
{
    remove_all_left(t);
    t->lock = openat(t->at, t->lock_name,
                     O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (t->lock < 0 || flock(t->lock, LOCK_EX | LOCK_NB))
        return fs_error(err, "cannot write into", t->parent);
    return ERR_OK;
}

static enum errc write_beside(struct restoring *r, struct target *t,
                              struct err *err)
{
    struct restorer one = {.told = r->told,
                           .result = r->result,
                           .backup = r->fd,
                           .select = t->select,
                           .at = t->at,
                           .name = t->beside};
    enum errc rc = lock_beside(t, err);

    if (!rc)
        rc = restorer_run(&one, err);
    if (!rc && syncfs(t->at))
        rc = fs_error(err, "cannot write", t->parent);
    return rc;
}

/* ---- all ----------------------------------------------------------------- */

static enum errc restore_all(struct restoring *r,
                             void (*placed)(void *ctx, const char *path,
                                            const char *old),
                             struct err *err)
{
    enum errc rc = find_places(r, err);

    for (size_t i = 0; i < r->n && !rc; i++)
        rc = look_there(r, &r->targets[i], err);
    for (size_t i = 0; i < r->n && !rc && !r->o->dry_run; i++)
        rc = write_beside(r, &r->targets[i], err);
    for (size_t i = 0; i < r->n && !rc; i++) {
        struct target *t = &r->targets[i];
        if (r->o->dry_run)
            placed(r->told->ctx, t->path, t->taken ? t->path : "");
        else
            rc = put_in_place(r, t, placed, err);
    }
    for (size_t i = 0; i < r->n; i++) {
        struct target *t = &r->targets[i];
        if (t->lock >= 0) {
            (void)remove_tree(t->at, t->beside);
            (void)unlinkat(t->at, t->lock_name, 0);
            (void)close(t->lock);
        }
        if (t->at >= 0)
            (void)close(t->at);
    }
    return rc;
}

enum errc backup_restore(const struct restore_options *o,
                         const struct backup_told *told,
                         void (*placed)(void *ctx, const char *path,
                                        const char *old),
                         struct restored *out, struct err *err)
{
    struct restoring r = {.o = o, .told = told, .result = out, .fd = -1};

    *out = (struct restored){.entries = 0};
    arena_init(&r.arena, MEMORY_MAX);
    enum errc rc = store_open(o->repo, false, &r.store, err);
    if (!rc)
        rc = store_find(&r.store, &r.arena, o->name, &r.backup, err);
    if (!rc)
        rc = store_enter(&r.store, r.backup.name, &r.fd, err);
    if (!rc && r.backup.entries < 0)
        rc = err_set(err, ERR_UNFIT,
                     "the manifest of '%s' is damaged: its files lie in %s/%s "
                     "and can be copied by hand",
                     r.backup.name, o->repo, r.backup.name);
    if (!rc)
        rc = restore_all(&r, placed, err);
    if (r.fd >= 0)
        (void)close(r.fd);
    store_close(&r.store);
    arena_fini(&r.arena);
    return rc;
}
