#include "setup/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "machine/inside.h"

enum errc host_open(const char *root, const char *bundle, struct host *out,
                    struct err *err)
{
    *out =
        (struct host){.path = root ? root : "/", .log = -1, .bundle = bundle};
    out->root = open(out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (out->root < 0)
        return fs_error(err, "cannot open", out->path);
    return ERR_OK;
}

void host_close(struct host *h)
{
    if (h->root >= 0)
        (void)close(h->root);
    if (h->log >= 0)
        (void)close(h->log);
    *h = (struct host){.root = -1, .log = -1};
}

bool host_is_tree(const struct host *h)
{
    return strcmp(h->path, "/") != 0;
}

/* ---- looking --------------------------------------------------------- */

/* The directory of the path, and the name in it. */
static int parent_of(struct host *h, const char *path, const char **name)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (path[0] != '/' || !slash[1] || (size_t)(slash - path) >= PATH_MAX) {
        errno = EINVAL;
        return -1;
    }
    *name = slash + 1;
    memcpy(directory, path, (size_t)(slash - path));
    directory[slash - path] = '\0';
    return inside_open(h->root, slash == path ? "/" : directory,
                       O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static enum errc read_bytes(int directory, const char *name, const char *path,
                            size_t size, struct arena *a, struct str *out,
                            struct err *err)
{
    if (size > HOST_FILE_MAX)
        return err_set(err, ERR_LIMIT,
                       "'%s' has more than %d MiB: it is none "
                       "that this program changes",
                       path, HOST_FILE_MAX >> 20);
    char *p = arena_alloc(a, size + 1, 1, 1);
    if (!p)
        return err_set(err, ERR_NOMEM, "'%s': out of memory", path);
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fs_error(err, "cannot read", path);
    size_t n = 0;
    ssize_t got = 1;
    while (n < size && (got = read(fd, p + n, size - n)) > 0)
        n += (size_t)got;
    (void)close(fd);
    if (got < 0)
        return fs_error(err, "cannot read", path);
    *out = (struct str){p, n};
    return ERR_OK;
}

static enum errc look(int directory, const char *name, const char *path,
                      struct arena *a, struct node *out, struct err *err)
{
    char link[PATH_MAX];
    struct stat st;

    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? ERR_OK : fs_error(err, "cannot look at", path);
    *out = (struct node){.kind = NODE_OTHER,
                         .mode = st.st_mode & 07777,
                         .uid = st.st_uid,
                         .gid = st.st_gid,
                         .mtime_ns = st.st_mtim.tv_sec * 1000000000 +
                                     st.st_mtim.tv_nsec,
                         .text = STR("")};
    if (S_ISDIR(st.st_mode)) {
        out->kind = NODE_DIRECTORY;
    } else if (S_ISLNK(st.st_mode)) {
        ssize_t n = readlinkat(directory, name, link, sizeof(link));
        char *copy =
            n < 0 ? NULL : arena_cstr(a, (struct str){link, (size_t)n});
        if (!copy)
            return fs_error(err, "cannot read", path);
        out->kind = NODE_LINK;
        out->text = (struct str){copy, (size_t)n};
    } else if (S_ISREG(st.st_mode)) {
        out->kind = NODE_FILE;
        return read_bytes(directory, name, path, (size_t)st.st_size, a,
                          &out->text, err);
    }
    return ERR_OK;
}

enum errc host_look(struct host *h, const char *path, struct arena *a,
                    struct node *out, struct err *err)
{
    const char *name;

    *out = (struct node){.kind = NODE_ABSENT, .text = STR("")};
    int directory = parent_of(h, path, &name);
    if (directory < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? ERR_OK
                   : fs_error(err, "cannot look at", path);
    enum errc rc = look(directory, name, path, a, out, err);
    (void)close(directory);
    return rc;
}

bool host_has(struct host *h, const char *path)
{
    const char *name;
    struct stat st;
    int directory = parent_of(h, path, &name);
    bool yes = directory >= 0 &&
               fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0;

    if (directory >= 0)
        (void)close(directory);
    return yes;
}

bool node_same(const struct node *a, const struct node *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == NODE_ABSENT)
        return true;
    if (a->uid != b->uid || a->gid != b->gid)
        return false;
    if (a->kind == NODE_LINK)
        return str_eq(a->text, b->text);
    return a->mode == b->mode && str_eq(a->text, b->text);
}

/* ---- making it so ---------------------------------------------------- */

static int temporary_name(char out[NAME_MAX + 1], const char *name)
{
    int n = snprintf(out, NAME_MAX + 1, ".%s.stoker", name);

    return n > 0 && n <= NAME_MAX ? 0 : -1;
}

static bool write_node(int fd, const struct node *n)
{
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {n->mtime_ns / 1000000000, n->mtime_ns % 1000000000}};

    return fs_write_all(fd, n->text.p, n->text.n) &&
           fchown(fd, n->uid, n->gid) == 0 && fchmod(fd, n->mode) == 0 &&
           (!n->mtime_ns || futimens(fd, times) == 0) && fsync(fd) == 0;
}

/* A file or link under another name, then renamed: whole or not at all. */
static bool replace(int directory, const char *name, const struct node *n)
{
    char temporary[NAME_MAX + 1];
    bool good = temporary_name(temporary, name) == 0;

    if (!good || (unlinkat(directory, temporary, 0) && errno != ENOENT))
        return false;
    if (n->kind == NODE_LINK) {
        char to[PATH_MAX];
        (void)snprintf(to, sizeof(to), STR_FMT, STR_ARG(n->text));
        good = symlinkat(to, directory, temporary) == 0 &&
               fchownat(directory, temporary, n->uid, n->gid,
                        AT_SYMLINK_NOFOLLOW) == 0;
    } else {
        int fd =
            openat(directory, temporary,
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        good = fd >= 0 && write_node(fd, n);
        if (fd >= 0)
            good = close(fd) == 0 && good;
    }
    if (good && renameat(directory, temporary, directory, name) == 0)
        return true;
    int error = errno;
    (void)unlinkat(directory, temporary, 0);
    errno = error;
    return false;
}

static bool make_directory(int directory, const char *name,
                           const struct node *n)
{
    if (mkdirat(directory, name, 0700) && errno != EEXIST)
        return false;
    return fchownat(directory, name, n->uid, n->gid, AT_SYMLINK_NOFOLLOW) ==
               0 &&
           fchmodat(directory, name, n->mode, 0) == 0;
}

static bool take_away(int directory, const char *name)
{
    char temporary[NAME_MAX + 1];
    struct stat st;

    if (temporary_name(temporary, name) == 0)
        (void)unlinkat(directory, temporary, 0);
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT;
    return unlinkat(directory, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) ==
           0;
}

static void sync_directory(struct host *h, const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');

    (void)snprintf(directory, sizeof(directory), "%.*s/", (int)(slash - path),
                   path);
    int fd = inside_open(h->root, directory, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

enum errc host_put(struct host *h, const char *path, const struct node *n,
                   struct err *err)
{
    const char *name;
    int directory = parent_of(h, path, &name);
    bool good = false;

    if (directory < 0)
        return n->kind == NODE_ABSENT && errno == ENOENT
                   ? ERR_OK
                   : fs_error(err, "cannot change", path);
    if (n->kind == NODE_ABSENT)
        good = take_away(directory, name);
    else if (n->kind == NODE_DIRECTORY)
        good = make_directory(directory, name, n);
    else if (n->kind == NODE_FILE || n->kind == NODE_LINK)
        good = replace(directory, name, n);
    else
        errno = EINVAL;
    int error = errno;
    (void)close(directory);
    if (!good && (error == ENOTEMPTY || error == EEXIST))
        return err_set(err, ERR_CONFLICT, "'%s' is not empty", path);
    errno = error;
    if (!good)
        return fs_error(err, "cannot change", path);
    sync_directory(h, path);
    return ERR_OK;
}
