/* entry.h - one file, directory or link of a backup. */
#ifndef BACKUP_ENTRY_H
#define BACKUP_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/str.h"

enum entry_kind { ENTRY_FILE, ENTRY_DIR, ENTRY_LINK, ENTRY_PIPE };

enum { ENTRY_SHA256 = 65, ENTRY_XATTRS_MAX = 1 << 20 };

struct entry {
    struct str path; /* "models/iris/1/model.onnx": beneath the backup */
    enum entry_kind kind;
    uint32_t mode; /* permissions, with set-user-id and the like */
    uint32_t uid, gid;
    struct timespec mtime;
    int64_t size; /* bytes of a file */
    char sha256[ENTRY_SHA256];
    struct str target;  /* of a symbolic link */
    struct str same_as; /* path of the entry that this is another name of */
    struct str xattrs;  /* words NAME=BASE64, as manifest.h has them */

    /* Of the source, to see whether it was changed since; 0: not known. */
    uint64_t ino;
    struct timespec ctime;
};

/* The order of the walk and of manifests: by names from the top, and a
 * directory before what is in it. */
int entry_compare(struct str a, struct str b);

/* Is `path` beneath the directory? */
bool entry_beneath(struct str path, struct str directory);

/* Kind, size and facts of what is there; the rest is empty. False: a socket or
 * device, which is not saved. */
bool entry_of(const struct stat *st, struct entry *out);

bool entry_same_time(struct timespec a, struct timespec b);

/* Nobody has written to the file since it was saved, as far as a file system
 * can tell. */
bool entry_is_unchanged(const struct entry *was, const struct stat *st);

#endif
