/* hashers.h - threads that take the SHA-256 of files, while these are still
 * being written, and hand the answers out in the order in which they were
 * asked.
 *
 *   caller:  task ── start ── wrote ... ── wrote_all         retire
 *   threads:          └────── read what was written ──────────┘
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

enum { HASH_TASKS = 64, HASH_THREADS_MAX = 16, DURABLE_FROM = 1 << 20 };

struct twin;

struct hash_task {
    /* The caller's: what it is about; its texts lie in `texts`. */
    struct entry entry;
    struct buf texts;
    bool linked;               /* its file is that of the backup before */
    bool dropped;              /* it could not be read: it is to go */
    char before[ENTRY_SHA256]; /* of the file before, of the same size, or "" */
    struct twin *twin;         /* it has other names */

    int fd;       /* read from its start; closed behind retire(); -1: none */
    bool durable; /* what was written is put on the disk, too: small files have
                     syncfs() */

    /* The answer. */
    char sha256[DIGEST_TEXT];
    enum errc rc;
    struct err err;

    int64_t written; /* may be read up to there */
    bool complete;
    int step; /* hashers.c */
};

struct hashers;

/* What is done with a task whose answer is there, in the thread of the caller,
 * within hashers_task() and hashers_finish(), which return its failure. */
typedef enum errc hash_retire(void *ctx, struct hash_task *t, struct err *err);

/* A thread for each processor. */
MUST_CHECK enum errc hashers_new(hash_retire *retire, void *ctx,
                                 struct hashers **out, struct err *err);

/* Ends the threads, also within a file. NULL is fine. */
void hashers_free(struct hashers *h);

/* A free task, with an entry of that path, which lies in its texts and ends in
 * a NUL. Retires those that are done, and waits for the oldest when all are in
 * use. One that is not started comes again. */
MUST_CHECK enum errc hashers_task(struct hashers *h, struct str path,
                                  struct hash_task **out, struct err *err);

/* The task, filled in, stands in line. One without a file is done at once. */
void hashers_start(struct hashers *h, struct hash_task *t);
void hashers_wrote(struct hashers *h, struct hash_task *t, int64_t upto);
void hashers_wrote_all(struct hashers *h, struct hash_task *t);

/* Waits until its file is done: to begin again with it, by hashers_again(). */
void hashers_wait(struct hashers *h, struct hash_task *t);
void hashers_again(struct hashers *h, struct hash_task *t);

/* Retires all, waiting for them. */
MUST_CHECK enum errc hashers_finish(struct hashers *h, struct err *err);

#endif
