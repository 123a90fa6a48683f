#include "machine/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40, DEPTH_MAX = 128 };

/* A walk from the root: directories that were entered, so that ".." has
 * somewhere to go, and what is left of the path. */
struct walk {
    int fds[DEPTH_MAX]; /* [0] is the root, not ours */
    int depth, links;
    char rest[PATH_MAX];
};

static void leave(struct walk *w, int to)
{
    while (w->depth > to)
        (void)close(w->fds[w->depth--]);
}

/* Cuts the next name off the rest; false: there is none. */
static bool next_name(struct walk *w, char *name, bool *last)
{
    const char *p = w->rest + strspn(w->rest, "/");
    size_t n = strcspn(p, "/");

    if (n == 0 || n > NAME_MAX)
        return false;
    memcpy(name, p, n);
    name[n] = '\0';
    p += n;
    p += strspn(p, "/");
    *last = *p == '\0';
    memmove(w->rest, p, strlen(p) + 1);
    return true;
}

/* The link's text comes before what is left. */
static int follow(struct walk *w, const char *name)
{
    char text[PATH_MAX], joined[2 * PATH_MAX];
    ssize_t n = readlinkat(w->fds[w->depth], name, text, sizeof(text) - 1);

    if (n < 0)
        return -1;
    text[n] = '\0';
    if (++w->links > LINKS_MAX) {
        errno = ELOOP;
        return -1;
    }
    int len = snprintf(joined, sizeof(joined), "%s/%s", text, w->rest);
    if (len < 0 || len >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(w->rest, joined, (size_t)len + 1);
    if (text[0] == '/')
        leave(w, 0);
    return 0;
}

static int enter(struct walk *w, const char *name)
{
    if (w->depth + 1 == DEPTH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = openat(w->fds[w->depth], name,
                    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    w->fds[++w->depth] = fd;
    return 0;
}

/* Walks to the directory of the path's last part, whose name is put into
 * `name`: "." when the path ends at a directory that was entered. With
 * `through` a link in the last place is followed, too. */
static int walk(struct walk *w, int root, const char *path, bool through,
                char *name)
{
    bool last = false;

    *w = (struct walk){.fds = {root}};
    if (strlen(path) >= sizeof(w->rest)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(w->rest, path, strlen(path) + 1);
    while (next_name(w, name, &last)) {
        struct stat st;
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            leave(w, w->depth > 0 ? w->depth - 1 : 0);
            continue;
        }
        if (fstatat(w->fds[w->depth], name, &st, AT_SYMLINK_NOFOLLOW))
            return -1;
        if (S_ISLNK(st.st_mode) && (through || !last)) {
            if (follow(w, name))
                return -1;
            continue;
        }
        if (last)
            return 0;
        if (enter(w, name))
            return -1;
    }
    memcpy(name, ".", 2);
    return 0;
}

int inside_open(int root, const char *path, int flags)
{
    struct walk w;
    char name[NAME_MAX + 1];
    int fd = -1;

    if (walk(&w, root, path, true, name) == 0)
        fd = openat(w.fds[w.depth], name, flags | O_NOFOLLOW);
    int error = errno;
    leave(&w, 0);
    errno = error;
    return fd;
}

ssize_t inside_link(int root, const char *path, char *out, size_t size)
{
    struct walk w;
    char name[NAME_MAX + 1];
    ssize_t n = -1;

    if (walk(&w, root, path, false, name) == 0)
        n = readlinkat(w.fds[w.depth], name, out, size);
    int error = errno;
    leave(&w, 0);
    errno = error;
    return n;
}
