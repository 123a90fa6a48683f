/* manifest.h - what is in a backup, as text: MANIFEST.mtree.
 *
 * The format is mtree(5), which mtree(8) and bsdtar read. What mtree has no
 * word for stands in comments of ours: about the whole at the start ("#: key
 * value") and the end ("#: end entries bytes"), about an entry in the line
 * before it ("#= ino=5 ctime=1.2 same=./a xattr.user.x=YWJj").
 *
 *     #mtree
 *     #: version 1
 *     #: created 2026-11-30T05:10:00.000Z
 *     #: host machine-1
 *     #: source models /srv/models
 *     . type=dir
 *     #= ino=12 ctime=1764479400.000000001
 *     ./models type=dir mode=0755 uid=0 gid=0 time=1764479400.000000001
 *     ...
 *     #: end 3 entries, 1234 bytes
 *
 * Names have bytes that stand for something as \ooo (octal), as vis(3) writes
 * them. Entries come in the order of entry_compare(). A reader holds one line
 * in memory, whatever the number of entries.
 *
 * Threads: a reader or writer is for one.
 */
#ifndef BACKUP_MANIFEST_H
#define BACKUP_MANIFEST_H

#include <stdio.h>

#include "backup/entry.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define MANIFEST_NAME "MANIFEST.mtree"
#define SUMS_NAME     "SHA256SUMS"

enum { SOURCES_MAX = 64, TAG_MAX = 128, HOST_MAX = 256 };

struct source {
    const char *name; /* of its top in the backup */
    const char *path; /* absolute */
};

struct manifest_head {
    int64_t created_ns;     /* since 1970 */
    const char *host, *tag; /* "" for none */
    struct source sources[SOURCES_MAX];
    size_t n;
};

/* ---- writing ------------------------------------------------------------ */

void manifest_put_head(struct buf *out, const struct manifest_head *head);
void manifest_put(struct buf *out, const struct entry *e);
void manifest_put_end(struct buf *out, int64_t entries, int64_t bytes);

/* A line of SHA256SUMS, as sha256sum(1) writes it. */
void sums_put(struct buf *out, const char *sha256, struct str path);

/* The word for an extended attribute, a blank before it. */
void manifest_put_xattr(struct buf *out, const char *name, struct str value);

/* ---- reading ------------------------------------------------------------ */

struct manifest {
    struct manifest_head head;
    int64_t entries, bytes; /* of what was read so far */
    bool ended;

    /* The reader's. */
    FILE *file;
    struct arena *arena; /* of the head's texts */
    struct buf line;
    bool held;       /* the line is still to be read */
    unsigned number; /* of the line, for messages */
    struct buf texts, extra;
    struct buf last; /* path of the entry before */
    bool last_is_dir;
};

/* Reads the head, whose texts lie in the arena. Takes fd, also on failure.
 * ERR_INVALID: "line 3: ..."; also from manifest_next(). */
MUST_CHECK enum errc manifest_open(int fd, struct arena *a,
                                   struct manifest *out, struct err *err);
void manifest_close(struct manifest *m); /* zeroed is fine */

/* The next entry, whose texts stay until the next call; *more is false behind
 * the last. Paths are relative, and have no "." or ".." in them; each comes
 * behind the one before, and not beneath a file. */
MUST_CHECK enum errc manifest_next(struct manifest *m, struct entry *out,
                                   bool *more, struct err *err);

/* The next extended attribute of e->xattrs: *rest is what is left of it. The
 * value is written over `value`. False: there is none. */
bool manifest_xattr(struct str *rest, struct buf *name, struct buf *value);

/* Totals from the end of an open manifest, without reading all of it: nothing
 * else is to be read from it then. False: it has no end. */
bool manifest_totals(const struct manifest *m, int64_t *entries,
                     int64_t *bytes);

#endif
