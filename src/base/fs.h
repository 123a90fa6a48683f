/* fs.h - whole files in, whole files out. */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the file's bytes to out, whose max is the limit. Refuses what is not
 * a regular file (it might never end) and what is over the limit. */
MUST_CHECK enum errc fs_read(const char *path, struct buf *out,
                             struct err *err);

/* The same for files under /proc and /sys, whose size reads as 0. */
MUST_CHECK enum errc fs_read_pseudo(const char *path, struct buf *out,
                                    struct err *err);

/* errno as an error of ours: "what 'path': No such file or directory". */
enum errc fs_error(struct err *err, const char *what, const char *path);

/* The names in a directory, sorted, without dot files; each call to `each`
 * gets one. A non-zero answer stops and is returned. */
MUST_CHECK enum errc fs_list(const char *path,
                             enum errc (*each)(void *ctx, const char *name),
                             void *ctx, struct err *err);

/* Does one of the globs (glob(7)), with commas between, match the name? */
bool fs_name_matches(const char *globs, const char *name);

/* The directory of that name in the directory `at`, not through a link. NULL:
 * errno tells why. */
DIR *fs_open_dir(int at, const char *name);

/* Gives it another name in the directory, never over what is there: EEXIST.
 * Where the file system has no RENAME_NOREPLACE, there is a moment between the
 * look and the change. 0 or errno. */
int fs_rename_new(int at, const char *from, const char *to);

/* Makes the directory and those above it that are missing, for the owner only.
 */
MUST_CHECK enum errc fs_make_dirs(const char *path, struct err *err);

/* Writes all n bytes. errno tells why it could not. */
bool fs_write_all(int fd, const void *p, size_t n);

/* What was written to fd, under the name `temporary`, gets its real name, and
 * both the bytes and the name survive a loss of power. Closes fd; the temporary
 * file is gone after a failure. */
MUST_CHECK enum errc fs_publish(int fd, const char *temporary, const char *path,
                                struct err *err);

#endif
