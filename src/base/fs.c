#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP = 65536 };

enum errc fs_error(struct err *err, const char *what, const char *path)
{
    int e = errno;
    return err_set(err, errc_from_errno(e), "%s '%s': %s", what, path,
                   strerror(e));
}

static enum errc read_all(int fd, const char *path, size_t step,
                          struct buf *out, struct err *err)
{
    for (;;) {
        if (!buf_reserve(out, step)) {
            /* The last step may not fit although the file does. */
            out->failed = false;
            step = out->max > out->n ? out->max - out->n : 0;
            if (step == 0 || !buf_reserve(out, step)) {
                char more;
                if (read(fd, &more, 1) == 0)
                    return ERR_OK;
                return err_set(err, ERR_LIMIT, "read '%s': more than %zu bytes",
                               path, out->max);
            }
        }
        ssize_t got = read(fd, out->p + out->n, step);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fs_error(err, "read", path);
        if (got == 0)
            return ERR_OK;
        out->n += (size_t)got;
    }
}

static enum errc read_file(const char *path, bool pseudo, struct buf *out,
                           struct err *err)
{
    struct stat st;
    enum errc rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return fs_error(err, "open", path);
    if (fstat(fd, &st) != 0)
        rc = fs_error(err, "stat", path);
    else if (S_ISDIR(st.st_mode))
        rc = err_set(err, ERR_INVALID, "'%s' is a directory, not a file", path);
    else if (!S_ISREG(st.st_mode))
        rc = err_set(err, ERR_INVALID, "'%s' is not a regular file", path);
    else if (!pseudo && (uint64_t)st.st_size > out->max)
        rc = err_set(err, ERR_LIMIT, "'%s' has %lld bytes, the limit is %zu",
                     path, (long long)st.st_size, out->max);
    else
        rc = read_all(fd, path,
                      pseudo ? (size_t)READ_STEP : (size_t)st.st_size + 1, out,
                      err);
    (void)close(fd);
    return rc;
}

enum errc fs_read(const char *path, struct buf *out, struct err *err)
{
    return read_file(path, false, out, err);
}

enum errc fs_read_pseudo(const char *path, struct buf *out, struct err *err)
{
    return read_file(path, true, out, err);
}

static int visible(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

enum errc fs_list(const char *path,
                  enum errc (*each)(void *ctx, const char *name), void *ctx,
                  struct err *err)
{
    struct dirent **names;
    enum errc rc = ERR_OK;
    int n = scandir(path, &names, visible, alphasort);

    if (n < 0)
        return fs_error(err, "open directory", path);
    for (int i = 0; i < n; i++) {
        if (!rc)
            rc = each(ctx, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return rc;
}

enum errc fs_make_dirs(const char *path, struct err *err)
{
    char part[PATH_MAX];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(part))
        return err_set(err, ERR_INVALID, "the path '%s' is too long or empty",
                       path);
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return fs_error(err, "make directory", part);
    }
    return ERR_OK;
}

bool fs_write_all(int fd, const void *p, size_t n)
{
    const char *at = p;

    while (n) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put == 0)
            errno = EIO;
        if (put <= 0)
            return false;
        at += put;
        n -= (size_t)put;
    }
    return true;
}

/* A new name is only safe when the directory that has it is. */
static bool sync_directory_of(const char *path)
{
    char part[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) : 0;

    (void)snprintf(part, sizeof(part), "%.*s%s", n, path, n ? "" : ".");
    int fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

enum errc fs_publish(int fd, const char *temporary, const char *path,
                     struct err *err)
{
    enum errc rc = ERR_OK;

    if (fsync(fd) != 0)
        rc = fs_error(err, "write", temporary);
    if (close(fd) != 0 && !rc)
        rc = fs_error(err, "write", temporary);
    if (!rc && (rename(temporary, path) != 0 || !sync_directory_of(path)))
        rc = fs_error(err, "publish", path);
    if (rc)
        (void)unlink(temporary);
    return rc;
}

bool fs_name_matches(const char *globs, const char *name)
{
    struct str rest = str_from_cstr(globs);
    char one[256];

    while (rest.n) {
        struct str glob = str_trim(str_cut(&rest, ','));
        (void)snprintf(one, sizeof(one), STR_FMT, STR_ARG(glob));
        if (glob.n && fnmatch(one, name, 0) == 0)
            return true;
    }
    return false;
}

DIR *fs_open_dir(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (!d && fd >= 0)
        (void)close(fd);
    return d;
}

int fs_rename_new(int at, const char *from, const char *to)
{
    struct stat st;

    if (renameat2(at, from, at, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    if (fstatat(at, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return EEXIST;
    return renameat(at, from, at, to) ? errno : 0;
}
