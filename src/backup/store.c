#include "backup/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"

#define HIDDEN     ".stoker-backup"
#define LOCK       HIDDEN "/lock"
#define VERIFIED   HIDDEN "/verified"
#define INCOMPLETE ".incomplete-"

enum { NAME_BYTES = 200, PATH_ROOM = 600, SAME_NAMES = 1000 };

bool store_name_is_fine(const char *name)
{
    size_t n = strlen(name);

    return n && n <= NAME_BYTES && name[0] != '.' && !strchr(name, '/') &&
           !strchr(name, '\n');
}

/* ---- the directory, and its lock ---------------------------------------- */

enum errc store_open(const char *path, bool make, struct store *out,
                     struct err *err)
{
    *out = (struct store){.path = path, .fd = -1, .lock = -1};
    if (make) {
        enum errc rc = fs_make_dirs(path, err);
        if (rc)
            return rc;
    }
    out->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return out->fd < 0 ? fs_error(err, "cannot open", path) : ERR_OK;
}

void store_close(struct store *s)
{
    if (s->lock >= 0)
        (void)close(s->lock);
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = s->lock = -1;
}

static enum errc is_locked(struct store *s, struct err *err)
{
    char who[200];
    ssize_t n = pread(s->lock, who, sizeof(who) - 1, 0);

    who[n > 0 ? n : 0] = '\0';
    who[strcspn(who, "\n")] = '\0';
    return err_set(err, ERR_BUSY, "%s is in use by another backup (%s)",
                   s->path, who);
}

static void say_who(struct store *s)
{
    char who[200], host[100] = "", now[CLOCK_TEXT_MAX];

    (void)gethostname(host, sizeof(host) - 1);
    clock_format(clock_wall_ns(), now);
    int n = snprintf(who, sizeof(who), "process %d on %s since %s\n",
                     (int)getpid(), host, now);
    if (ftruncate(s->lock, 0) == 0)
        (void)!pwrite(s->lock, who, (size_t)n, 0);
}

/* What a process that ended left behind. */
static void remove_incomplete(struct store *s)
{
    DIR *d = fs_open_dir(s->fd, ".");

    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (strncmp(e->d_name, INCOMPLETE, strlen(INCOMPLETE)) == 0)
            (void)remove_tree(s->fd, e->d_name);
    if (d)
        (void)closedir(d);
}

enum errc store_lock(struct store *s, int64_t wait_ns, struct err *err)
{
    int64_t until = clock_mono_ns() + wait_ns;

    if ((mkdirat(s->fd, HIDDEN, 0700) && errno != EEXIST) ||
        (mkdirat(s->fd, VERIFIED, 0700) && errno != EEXIST))
        return fs_error(err, "cannot write into", s->path);
    s->lock =
        openat(s->fd, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock < 0)
        return fs_error(err, "cannot lock", s->path);
    while (flock(s->lock, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fs_error(err, "cannot lock", s->path);
        if (clock_mono_ns() >= until)
            return is_locked(s, err);
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    say_who(s);
    remove_incomplete(s);
    return ERR_OK;
}

/* ---- what is there ------------------------------------------------------ */

enum errc store_enter(const struct store *s, const char *name, int *fd,
                      struct err *err)
{
    int at = store_name_is_fine(name)
                 ? openat(s->fd, name,
                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                 : -1;

    if (at < 0)
        return err_set(err, ERR_NOT_FOUND, "there is no backup '%s' in %s",
                       name, s->path);
    if (flock(at, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK) {
        (void)close(at);
        return err_set(err, ERR_BUSY, "'%s' is being removed", name);
    }
    *fd = at;
    return ERR_OK;
}

enum errc store_manifest(int backup, struct arena *a, struct manifest *out,
                         struct err *err)
{
    int fd = openat(backup, MANIFEST_NAME,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return fs_error(err, "cannot open", MANIFEST_NAME);
    return manifest_open(fd, a, out, err);
}

static int64_t verified_at(const struct store *s, const char *name)
{
    char path[PATH_ROOM], text[CLOCK_TEXT_MAX];
    int64_t ns = 0;

    (void)snprintf(path, sizeof(path), VERIFIED "/%s", name);
    int fd = openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (fd >= 0)
        (void)close(fd);
    while (n > 0 && text[n - 1] == '\n')
        n--;
    return n > 0 && clock_parse_ns((struct str){text, (size_t)n}, &ns) ? ns : 0;
}

/* A directory with both of our files is a backup. */
static bool is_backup(int fd)
{
    struct stat st;

    return fstatat(fd, SUMS_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) &&
           fstatat(fd, MANIFEST_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode);
}

static void look_inside(const struct store *s, struct arena *a, int fd,
                        struct backup *b)
{
    struct manifest m;
    struct stat st;

    b->entries = b->bytes = -1;
    b->head.host = b->head.tag = "";
    b->verified_ns = verified_at(s, b->name);
    if (fstat(fd, &st) == 0) /* when nothing better is known */
        b->head.created_ns = (int64_t)st.st_mtim.tv_sec * 1000000000;
    if (store_manifest(fd, a, &m, NULL) == ERR_OK) {
        b->head = m.head;
        if (!manifest_totals(&m, &b->entries, &b->bytes))
            b->entries = b->bytes = -1;
        manifest_close(&m);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct backup *x = a, *y = b;

    if (x->head.created_ns != y->head.created_ns)
        return x->head.created_ns < y->head.created_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool take_one(const struct store *s, struct arena *a, const char *name,
                     struct backups *out)
{
    int fd;
    bool good = true;

    if (!store_name_is_fine(name))
        return true;
    fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && is_backup(fd)) {
        good = arena_grow(a, &out->v, out->n, &out->cap, sizeof(*out->v));
        struct backup *b = good ? &out->v[out->n] : NULL;
        if (b && (b->name = arena_cstr(a, str_from_cstr(name))) != NULL) {
            look_inside(s, a, fd, b);
            out->n++;
        }
        good = b && b->name;
    }
    if (fd >= 0)
        (void)close(fd);
    return good;
}

enum errc store_list(const struct store *s, struct arena *a,
                     struct backups *out, struct err *err)
{
    DIR *d = fs_open_dir(s->fd, ".");
    bool good = true;

    *out = (struct backups){.n = 0};
    if (!d)
        return fs_error(err, "cannot read", s->path);
    for (struct dirent *e; good && (e = readdir(d)) != NULL;)
        good = take_one(s, a, e->d_name, out);
    (void)closedir(d);
    if (!good)
        return err_set(err, ERR_NOMEM, "%s: too many backups", s->path);
    if (out->n)
        qsort(out->v, out->n, sizeof(*out->v), by_time);
    return ERR_OK;
}

enum errc store_find(const struct store *s, struct arena *a, const char *name,
                     struct backup *out, struct err *err)
{
    struct backups all = {.n = 0};
    bool is_latest = strcmp(name, "latest") == 0;

    if (is_latest) {
        enum errc rc = store_list(s, a, &all, err);
        if (rc)
            return rc;
    } else if (!take_one(s, a, name, &all)) {
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (!all.n && is_latest)
        return err_set(err, ERR_NOT_FOUND, "there is no backup in %s", s->path);
    if (!all.n)
        return err_set(err, ERR_NOT_FOUND, "there is no backup '%s' in %s",
                       name, s->path);
    *out = all.v[all.n - 1];
    return ERR_OK;
}

/* ---- making and removing ------------------------------------------------ */

enum errc store_begin(struct store *s, const char *name, int *fd,
                      struct err *err)
{
    char hidden[PATH_ROOM];

    (void)snprintf(hidden, sizeof(hidden), INCOMPLETE "%s", name);
    if (mkdirat(s->fd, hidden, 0700))
        return fs_error(err, "cannot write into", s->path);
    *fd = openat(s->fd, hidden, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd < 0 ? fs_error(err, "cannot open", s->path) : ERR_OK;
}

enum errc store_publish(struct store *s, char *name, size_t max,
                        struct err *err)
{
    char hidden[PATH_ROOM], free_name[PATH_ROOM];
    int e = EEXIST;

    (void)snprintf(hidden, sizeof(hidden), INCOMPLETE "%s", name);
    (void)snprintf(free_name, sizeof(free_name), "%s", name);
    for (int i = 2; e == EEXIST && i < SAME_NAMES; i++) {
        e = fs_rename_new(s->fd, hidden, free_name);
        if (e == EEXIST)
            (void)snprintf(free_name, sizeof(free_name), "%s-%d", name, i);
    }
    if (e || fsync(s->fd)) {
        errno = e ? e : errno;
        return fs_error(err, "cannot write into", s->path);
    }
    (void)snprintf(name, max, "%s", free_name);
    return ERR_OK;
}

void store_abandon(struct store *s, const char *name)
{
    char hidden[PATH_ROOM];

    (void)snprintf(hidden, sizeof(hidden), INCOMPLETE "%s", name);
    (void)remove_tree(s->fd, hidden);
}

enum errc store_remove(struct store *s, const char *name, struct err *err)
{
    char hidden[PATH_ROOM], verified[PATH_ROOM];
    int fd;
    enum errc rc = store_enter(s, name, &fd, err);

    if (rc)
        return rc;
    (void)snprintf(hidden, sizeof(hidden), INCOMPLETE "%s", name);
    (void)snprintf(verified, sizeof(verified), VERIFIED "/%s", name);
    if (flock(fd, LOCK_EX | LOCK_NB))
        rc = err_set(err, ERR_BUSY, "'%s' is being read", name);
    else if (renameat(s->fd, name, s->fd, hidden) || fsync(s->fd) ||
             !remove_tree(s->fd, hidden))
        rc = fs_error(err, "cannot remove", name);
    else
        (void)unlinkat(s->fd, verified, 0);
    (void)close(fd);
    return rc;
}

enum errc store_verified(struct store *s, const char *name, int64_t now_ns,
                         struct err *err)
{
    char path[PATH_ROOM], text[CLOCK_TEXT_MAX + 1];

    clock_format(now_ns, text);
    (void)strcat(text, "\n");
    (void)snprintf(path, sizeof(path), VERIFIED "/%s", name);
    int fd =
        openat(s->fd, path,
               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0 && fs_write_all(fd, text, strlen(text));
    enum errc rc = good ? ERR_OK : fs_error(err, "cannot write into", s->path);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}
