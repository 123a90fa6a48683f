/* remove.c - a tree goes, through no link, with few open files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/store.h"

enum { REMOVE_DEPTH = 1024 };

static bool remove_below(int at, const char *name, int depth);

/* Takes fd. */
static bool empty(int fd, int depth)
{
    DIR *d = fdopendir(fd);
    bool good = d != NULL;
    int e = errno;

    if (!d)
        (void)close(fd);
    for (struct dirent *i; d && (i = readdir(d)) != NULL;)
        if (strcmp(i->d_name, ".") != 0 && strcmp(i->d_name, "..") != 0 &&
            !remove_below(dirfd(d), i->d_name, depth + 1)) {
            good = false;
            e = errno;
        }
    if (d)
        (void)closedir(d);
    errno = e;
    return good;
}

static bool remove_below(int at, const char *name, int depth)
{
    if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
        return true;
    if ((errno != EISDIR && errno != EPERM) || depth > REMOVE_DEPTH)
        return false;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    (void)fchmod(fd, 0700); /* it may be read-only */
    if (!empty(fd, depth))
        return false;
    return unlinkat(at, name, AT_REMOVEDIR) == 0;
}

bool remove_tree(int at, const char *name)
{
    return remove_below(at, name, 0);
}
