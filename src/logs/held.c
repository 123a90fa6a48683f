/* held.c - is a file open? A lease for writing is granted only when it is not
 * (fcntl(2)); where there are no leases, what processes have open in /proc
 * tells, if all of them may be looked at. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "logs/clean.h"

/* Is one of the process' descriptors this file? */
static enum held held_by(const char *pid, const struct stat *file)
{
    char path[300];
    enum held held = HELD_NO;

    (void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    DIR *d = opendir(path);
    if (!d)
        return errno == ENOENT ? HELD_NO : HELD_UNKNOWN; /* it ended */
    for (struct dirent *e; held == HELD_NO && (e = readdir(d)) != NULL;) {
        struct stat st;
        if (fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
            st.st_dev == file->st_dev && st.st_ino == file->st_ino)
            held = HELD_YES;
    }
    (void)closedir(d);
    return held;
}

static enum held held_by_anyone(int fd)
{
    struct stat st;
    enum held all = HELD_NO;
    DIR *d = fstat(fd, &st) ? NULL : opendir("/proc");

    if (!d)
        return HELD_UNKNOWN;
    for (struct dirent *e; all != HELD_YES && (e = readdir(d)) != NULL;) {
        if (!isdigit((unsigned char)e->d_name[0]) ||
            atoi(e->d_name) == getpid())
            continue;
        enum held one = held_by(e->d_name, &st);
        all = one == HELD_NO ? all : one;
    }
    (void)closedir(d);
    return all;
}

enum held file_held(int fd)
{
    /* Who opens it meanwhile is told by a signal: one that does nothing. */
    (void)fcntl(fd, F_SETSIG, SIGURG);
    if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
        return HELD_NO;
    return errno == EAGAIN ? HELD_YES : held_by_anyone(fd);
}
