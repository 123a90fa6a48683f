#include "backup/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/sort.h"

enum { DEPTH_MAX = 256, PATH_BYTES_MAX = 1 << 16, NAMES_MAX = 1 << 30 };

struct walking {
    const struct walk *w;
    struct buf path; /* of where it is */
    dev_t dev;       /* of the top */
    struct err *err;
};

static enum errc below(struct walking *g, int at, const char *name, int depth);

static enum errc missed(struct walking *g, int error)
{
    if (g->w->missed) {
        g->w->missed(g->w->ctx, buf_str(&g->path), error);
        return ERR_OK;
    }
    buf_putc(&g->path, '\0');
    errno = error;
    enum errc rc = fs_error(g->err, "cannot read", g->path.p);
    g->path.n--;
    return rc;
}

/* The names in it, sorted. */
static enum errc read_names(struct walking *g, int fd, struct arena *a,
                            char ***names, size_t *n)
{
    DIR *d = fs_open_dir(fd, ".");
    size_t cap = 0;
    bool good = true;

    *names = NULL;
    *n = 0;
    if (!d)
        return missed(g, errno);
    errno = 0;
    for (struct dirent *e; good && (e = readdir(d)) != NULL; errno = 0) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            (g->w->exclude && fs_name_matches(g->w->exclude, e->d_name)))
            continue;
        char *name = arena_cstr(a, str_from_cstr(e->d_name));
        good = name && arena_grow(a, names, *n, &cap, sizeof(**names));
        if (good)
            (*names)[(*n)++] = name;
    }
    int error = errno;
    (void)closedir(d);
    if (!good)
        return err_set(g->err, ERR_NOMEM, "out of memory for names");
    if (*n)
        qsort(*names, *n, sizeof(**names), sort_texts);
    return error ? missed(g, error) : ERR_OK;
}

static enum errc inside(struct walking *g, int fd, int depth)
{
    size_t was = g->path.n, n = 0;
    struct arena a;
    char **names = NULL;

    arena_init(&a, NAMES_MAX);
    enum errc rc = read_names(g, fd, &a, &names, &n);
    for (size_t i = 0; i < n && !rc; i++) {
        buf_putc(&g->path, '/');
        buf_puts(&g->path, names[i]);
        rc = below(g, fd, names[i], depth + 1);
        g->path.n = was;
    }
    arena_fini(&a);
    return rc;
}

static bool is_left_out(const struct walking *g, const struct stat *st)
{
    const struct walk *w = g->w;

    return (w->one_file_system && st->st_dev != g->dev) ||
           (w->skip && st->st_dev == w->skip->st_dev &&
            st->st_ino == w->skip->st_ino);
}

/* What g->path names. */
static enum errc below(struct walking *g, int at, const char *name, int depth)
{
    struct walked w = {.at = at, .name = name, .fd = -1};

    buf_putc(&g->path, '\0');
    if (g->path.failed || depth > DEPTH_MAX)
        return err_set(g->err, ERR_LIMIT, "%.300s...: the path is too long",
                       g->path.p);
    g->path.n--;
    w.path = buf_str(&g->path);
    if (fstatat(at, name, &w.st, AT_SYMLINK_NOFOLLOW))
        return missed(g, errno);
    if (depth == 0)
        g->dev = w.st.st_dev;
    if (is_left_out(g, &w.st))
        return ERR_OK;
    if (!S_ISDIR(w.st.st_mode))
        return g->w->each(g->w->ctx, &w, g->err);
    w.fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (w.fd < 0 || fstat(w.fd, &w.st)) {
        int error = errno;
        if (w.fd >= 0)
            (void)close(w.fd);
        return missed(g, error);
    }
    enum errc rc = g->w->each(g->w->ctx, &w, g->err);
    if (!rc)
        rc = inside(g, w.fd, depth);
    (void)close(w.fd);
    return rc;
}

enum errc walk_tree(const struct walk *w, int at, const char *name,
                    const char *top, struct err *err)
{
    struct walking g = {.w = w, .err = err};

    buf_init(&g.path, PATH_BYTES_MAX);
    buf_puts(&g.path, top);
    enum errc rc = below(&g, at, name, 0);
    buf_fini(&g.path);
    return rc;
}
