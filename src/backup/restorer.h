/* restorer.h - one source, or what is beneath a path of it, is written out of a
 * backup into a place of its own. */
#ifndef BACKUP_RESTORER_H
#define BACKUP_RESTORER_H

#include "backup/backup.h"
#include "backup/hashers.h"

struct restorer {
    const struct backup_told *told;
    struct restored *result;
    int backup;        /* read from */
    struct str select; /* "models", or "models/iris" */
    int at;            /* directory that it is written into */
    const char *name;  /* as this */
    struct hashers *hashers;
    struct restored_dirs *dirs; /* restorer.c */
    struct hash_task *task;
    bool owners_told;
};

/* Writes all that is selected; each file is read back and compared. On a
 * failure what was written stays: the caller removes it. ERR_UNFIT: a file of
 * the backup is damaged; ERR_NOT_FOUND: there is nothing of that name. */
MUST_CHECK enum errc restorer_run(struct restorer *r, struct err *err);

#endif
