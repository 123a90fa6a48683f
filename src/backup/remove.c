/* remove.c - a tree goes, through no link, with few open files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/store.h"
#include "base/fs.h"

enum { REMOVE_DEPTH = 1024 };

static bool remove_below(int at, const char *name, int depth);

/* Takes d. */
static bool empty(DIR *d, int depth)
{
    bool good = true;
    int e = 0;

    for (struct dirent *i; (i = readdir(d)) != NULL;)
        if (strcmp(i->d_name, ".") != 0 && strcmp(i->d_name, "..") != 0 &&
            !remove_below(dirfd(d), i->d_name, depth + 1)) {
            good = false;
            e = errno;
        }
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
    DIR *d = fs_open_dir(at, name);
    if (!d)
        return false;
    (void)fchmod(dirfd(d), 0700); /* it may be read-only */
    if (!empty(d, depth))
        return false;
    return unlinkat(at, name, AT_REMOVEDIR) == 0;
}

bool remove_tree(int at, const char *name)
{
    return remove_below(at, name, 0);
}
