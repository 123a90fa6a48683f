/* backup.h - backups of files that can be read with ls.
 *
 *   sources --walk--> entries --copy, or link to the backup before--> files
 *                        └── hashers ──> MANIFEST.mtree, SHA256SUMS ──> a name
 *
 * How a directory of backups looks: store.h. Every function opens it anew; none
 * keeps anything. What is told on the way (notes, progress) comes in the thread
 * of the caller.
 *
 * Threads: any; two that make backups in one directory wait for each other or
 * are refused (ERR_BUSY).
 */
#ifndef BACKUP_BACKUP_H
#define BACKUP_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backup/store.h"
#include "backup/twins.h"

struct backup_told {
    /* Something about one file: it is left out, changed, damaged ... */
    void (*note)(void *ctx, struct str path, const char *what);
    /* So many bytes of so many (0: not known) are done; NULL. */
    void (*progress)(void *ctx, int64_t done, int64_t of);
    void *ctx;
};

enum { BACKUP_NAME_MAX = 256 };

/* ---- create.c ----------------------------------------------------------- */

#define BACKUP_NAME "%Y-%m-%d_%H%M%S"

struct create_options {
    const char *repo;
    const char *const *sources; /* PATH or NAME=PATH */
    size_t n;
    const char *name; /* strftime(3) format, local time */
    const char *tag, *exclude;
    int64_t created_ns; /* since 1970 */
    int64_t wait_ns;    /* for the lock */
    bool one_file_system;
};

struct created {
    char name[BACKUP_NAME_MAX];
    char before[BACKUP_NAME_MAX]; /* the one it shares files with; "": none */
    int64_t entries, files, bytes;
    int64_t new_files, new_bytes; /* that the one before did not have */
    unsigned left_out;            /* told as notes */
    unsigned changing;            /* files that changed while they were read */
};

/* ERR_UNAVAIL: the disk is full. After a failure nothing of it is there. */
MUST_CHECK enum errc backup_create(const struct create_options *o,
                                   const struct backup_told *told,
                                   struct created *out, struct err *err);

/* ---- verify.c ----------------------------------------------------------- */

struct verified {
    int64_t entries, bytes;
    unsigned wrong; /* told as notes: missing, changed, strange */
};

/* Reads all of it back. Files that backups share are read once for all that
 * have the same `seen` (twins.h). ERR_UNFIT: something is wrong with it. */
MUST_CHECK enum errc backup_verify(struct store *s, const char *name,
                                   int64_t now_ns, struct twins *seen,
                                   const struct backup_told *told,
                                   struct verified *out, struct err *err);

/* ---- restore.c ---------------------------------------------------------- */

struct restore_options {
    const char *repo, *name;
    const char *source; /* the name of one of its sources; NULL: all */
    const char *to;     /* a directory; NULL: where they were */
    bool force;         /* what is there gives way, and is kept beside it */
    bool dry_run;
    int64_t now_ns;
};

struct restored {
    int64_t entries, bytes;
    unsigned
        incomplete; /* owners and attributes that could not be set: notes */
};

/* Each source is restored beside its place, compared with the manifest, and
 * then takes its place at once. ERR_CONFLICT: something is there, and nothing
 * was done. `placed` tells where each went, and where what was there is now
 * ("" when nothing was). */
MUST_CHECK enum errc backup_restore(const struct restore_options *o,
                                    const struct backup_told *told,
                                    void (*placed)(void *ctx, const char *path,
                                                   const char *old),
                                    struct restored *out, struct err *err);

/* ---- diff.c ------------------------------------------------------------- */

enum difference {
    DIFF_ADDED,
    DIFF_REMOVED,
    DIFF_CHANGED, /* contents, kind or target */
    DIFF_META     /* mode, owner, time or attributes alone */
};

/* From one backup to another; `with` NULL: to what the sources are now, of
 * which files of other size, time or inode are read. */
MUST_CHECK enum errc backup_diff(struct store *s, const char *name,
                                 const char *with,
                                 const struct backup_told *told,
                                 void (*each)(void *ctx, enum difference d,
                                              const struct entry *e),
                                 struct err *err);

/* ---- keep.c ------------------------------------------------------------- */

struct keep_policy {
    int64_t last, hourly, daily, weekly, monthly, yearly;
    int64_t within_ns; /* before the newest; 0: no such rule */
    const char *tags;  /* with commas between; NULL */
};

struct keep {
    const struct backup *backup;
    bool keeps;
    char reasons[128]; /* "last, daily, weekly" */
};

/* Which of the backups stay: those that any rule keeps, within each group of
 * one host and its sources. As in restic, a rule keeps the newest one of each
 * of the last n hours, days ... that have one, in local time; weeks begin on
 * Monday. Damaged ones are kept, and do not count. ERR_INVALID: the policy says
 * nothing. */
MUST_CHECK enum errc keep_choose(const struct backups *all,
                                 const struct keep_policy *p, struct keep *out,
                                 struct err *err);

#endif
