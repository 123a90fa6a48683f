/* fs.h - whole files in, whole files out. */
#ifndef BASE_FS_H
#define BASE_FS_H

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

#endif
