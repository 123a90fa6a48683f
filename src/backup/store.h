/* store.h - the directory that backups lie in.
 *
 *     DIR/2026-11-30_051000/            a backup: ordinary files
 *         models/iris/1/model.onnx      read-only; the same file as in the
 *                                       backup before when nothing changed
 *         MANIFEST.mtree                what is in it (manifest.h)
 *         SHA256SUMS                    written last; for sha256sum -c
 *     DIR/.stoker-backup/lock           held while one is made or removed
 *     DIR/.stoker-backup/verified/NAME  when it was verified
 *     DIR/.incomplete-NAME              what was being made, or removed, by a
 *                                       process that ended
 *
 * A backup has its name only when all of it is on the disk: what is listed is
 * whole. Locks are the kernel's (flock), which end with their process.
 *
 * Threads: one.
 */
#ifndef BACKUP_STORE_H
#define BACKUP_STORE_H

#include <stdbool.h>

#include "backup/manifest.h"
#include "base/arena.h"
#include "base/err.h"

struct store {
    const char *path; /* as the user gave it */
    int fd;
    int lock; /* -1: not held */
};

/* ERR_NOT_FOUND: there is no such directory; with `make` it is made. */
MUST_CHECK enum errc store_open(const char *path, bool make, struct store *out,
                                struct err *err);
void store_close(struct store *s);

/* Takes the lock, waits for it so long, and removes what others left undone.
 * ERR_BUSY: says who holds it. */
MUST_CHECK enum errc store_lock(struct store *s, int64_t wait_ns,
                                struct err *err);

struct backup {
    const char *name;
    struct manifest_head head;
    int64_t entries, bytes; /* -1: the manifest is damaged */
    int64_t verified_ns;    /* 0: never */
};

struct backups {
    struct backup *v; /* the oldest first */
    size_t n, cap;
};

/* All backups; texts in the arena. One whose manifest is damaged is there too,
 * with entries -1. */
MUST_CHECK enum errc store_list(const struct store *s, struct arena *a,
                                struct backups *out, struct err *err);

/* The one of that name, or the newest for "latest". ERR_NOT_FOUND. */
MUST_CHECK enum errc store_find(const struct store *s, struct arena *a,
                                const char *name, struct backup *out,
                                struct err *err);

/* Its directory, which prune leaves alone as long as it is open: ERR_BUSY when
 * prune has it. */
MUST_CHECK enum errc store_enter(const struct store *s, const char *name,
                                 int *fd, struct err *err);

/* Its manifest, opened. */
MUST_CHECK enum errc store_manifest(int backup, struct arena *a,
                                    struct manifest *out, struct err *err);

/* A new one under a hidden name, with the lock held. */
MUST_CHECK enum errc store_begin(struct store *s, const char *name, int *fd,
                                 struct err *err);

/* It gets its name, or name-2 and so on when that is taken, which goes to
 * `name`, of so many bytes. All that is in it must be on the disk. */
MUST_CHECK enum errc store_publish(struct store *s, char *name, size_t max,
                                   struct err *err);

/* Takes it, and all in it, away again. */
void store_abandon(struct store *s, const char *name);

/* Removes a backup, with the lock held: first its name, then the rest. */
MUST_CHECK enum errc store_remove(struct store *s, const char *name,
                                  struct err *err);

/* That it was verified at that time. */
MUST_CHECK enum errc store_verified(struct store *s, const char *name,
                                    int64_t now_ns, struct err *err);

/* The name can be one of a backup: no slash, not hidden, not too long. */
bool store_name_is_fine(const char *name);

/* Removes what is there, with all that is in it, through no link. False: some
 * of it is still there; errno tells why. */
bool remove_tree(int at, const char *name);

#endif
