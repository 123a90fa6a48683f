/* walk.h - a tree of files in the order of manifests (entry_compare), with the
 * names of one directory for each level in memory. */
#ifndef BACKUP_WALK_H
#define BACKUP_WALK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

struct walked {
    struct str path;  /* from the top's name on; ends in a NUL */
    int at;           /* directory that it is in */
    const char *name; /* in there */
    struct stat st;   /* of itself, not of what a link leads to */
    int fd;           /* of a directory, else -1 */
};

struct walk {
    const char *exclude; /* globs of names, with commas between; NULL */
    bool one_file_system;
    const struct stat *skip; /* a directory that is left out; NULL */

    /* A failure stops, and is returned. */
    enum errc (*each)(void *ctx, const struct walked *w, struct err *err);
    /* What may not be read, or is gone, and is left out; NULL: it stops. */
    void (*missed)(void *ctx, struct str path, int error);
    void *ctx;
};

/* What is at `name` in the directory `at`, and beneath it; it is called
 * `top`. */
MUST_CHECK enum errc walk_tree(const struct walk *w, int at, const char *name,
                               const char *top, struct err *err);

#endif
