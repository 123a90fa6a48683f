/* twins.h - files with several names (hard links): the first path of each. */
#ifndef BACKUP_TWINS_H
#define BACKUP_TWINS_H

#include <sys/stat.h>

#include "backup/entry.h"
#include "base/arena.h"
#include "base/compiler.h"

struct twin {
    dev_t dev;
    ino_t ino;
    struct str path;
    struct str xattrs;         /* as entry.h has them */
    char sha256[ENTRY_SHA256]; /* "" until it is known */
};

struct twins {
    struct arena arena;
    struct twin **slots; /* by hash; a power of two */
    size_t n, cap;
};

void twins_init(struct twins *t);
void twins_fini(struct twins *t);

/* The one of this file; with *is_new it is this path. NULL: out of memory. */
struct twin *twins_find(struct twins *t, const struct stat *st, struct str path,
                        bool *is_new);

/* Keeps a copy of the attributes. False: out of memory. */
MUST_CHECK bool twins_keep_xattrs(struct twins *t, struct twin *twin,
                                  struct str xattrs);

#endif
