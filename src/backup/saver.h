/* saver.h - a backup that is being made: its files, and what is told of them
 * in the manifest, in the order of the walk. */
#ifndef BACKUP_SAVER_H
#define BACKUP_SAVER_H

#include <sys/stat.h>

#include "backup/backup.h"
#include "backup/hashers.h"
#include "backup/twins.h"

struct saver {
    const struct backup_told *told;
    struct created *result;
    int fd;     /* of the new backup */
    int before; /* of the one before; -1: none */
    struct hashers *hashers;
    struct twins twins;

    int manifest, sums; /* files */
    struct buf manifest_text, sums_text;
    struct digest *digest; /* of the manifest */

    int64_t done, total; /* bytes, for progress */
    int64_t done_before; /* of the file that is copied */
    struct hash_task *task;
};

MUST_CHECK enum errc saver_open(struct saver *s,
                                const struct manifest_head *head,
                                struct err *err);

/* Copies an open file under the task's path, and hashes it on the way. Takes
 * `from`. The task is started in any case. */
MUST_CHECK enum errc saver_copy(struct saver *s, struct hash_task *t, int from,
                                const struct stat *st, struct err *err);

/* All is written and on the disk. */
MUST_CHECK enum errc saver_finish(struct saver *s, struct err *err);
void saver_close(struct saver *s);

void saver_note(struct saver *s, struct str path, const char *what);

#endif
