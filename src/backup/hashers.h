/* hashers.h - threads that take the SHA-256 of files, while these are still
 * being written, and hand the answers out in the order in which they were asked.
 *
 *   caller:  task ── start ── wrote ... ── wrote_all            take ── done
 *   threads:          └────── read what was written ──────────────┘
 *
 * The tasks are a ring: memory and open files do not grow with the tree.
 *
 * Threads: the functions are for one thread, the caller's.
 */
#ifndef BACKUP_HASHERS_H
#define BACKUP_HASHERS_H

#include <stdint.h>

#include "backup/entry.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/digest.h"

enum { HASH_TASKS = 64, HASH_THREADS_MAX = 16 };

struct twin;

struct hash_task {
    /* The caller's: what it is about; its texts lie in `texts`. */
    struct entry entry;
    struct buf texts;
    bool linked;  /* its file is that of the backup before */
    bool dropped; /* it could not be read: it is to go */
    char before[ENTRY_SHA256]; /* of the file before, of the same size, or "" */
    struct twin *twin;         /* it has other names */

    int fd;      /* read from its start; closed by hashers_done(); -1: none */
    bool durable; /* what was written is put on the disk, too */

    /* The answer. */
    char sha256[DIGEST_TEXT];
    enum errc rc;
    struct err err;

    int64_t written; /* may be read up to there */
    bool complete;
    int step; /* hashers.c */
};

struct hashers;

/* threads: 0 for one for each processor. */
MUST_CHECK enum errc hashers_new(unsigned threads, struct hashers **out,
                                 struct err *err);

/* Ends the threads, also within a file. NULL is fine. */
void hashers_free(struct hashers *h);

/* The next free task; NULL: all are in use, take one first. */
struct hash_task *hashers_task(struct hashers *h);

/* The task, filled in, stands in line. One without a file is done at once. */
void hashers_start(struct hashers *h, struct hash_task *t);
void hashers_wrote(struct hashers *h, struct hash_task *t, int64_t upto);
void hashers_wrote_all(struct hashers *h, struct hash_task *t);

/* Waits until its file is done: to begin again with it, by hashers_again(). */
void hashers_wait(struct hashers *h, struct hash_task *t);
void hashers_again(struct hashers *h, struct hash_task *t);

/* The oldest task, when it is done; with `wait` also when it is not yet. NULL:
 * there is none. */
struct hash_task *hashers_take(struct hashers *h, bool wait);

/* The one taken is free again. */
void hashers_done(struct hashers *h);

#endif
