/* inside.h - paths that stay beneath a directory: links are followed as if it
 * were the root, and none leads out.
 *
 * openat2() with RESOLVE_IN_ROOT does the same from Linux 5.6 on; machines that
 * are examined are older.
 */
#ifndef MACHINE_INSIDE_H
#define MACHINE_INSIDE_H

#include <stddef.h>
#include <sys/types.h>

/* open() of an absolute path as seen from the directory `root`; -1 and errno.
 * ELOOP: more than 40 links. */
int inside_open(int root, const char *path, int flags);

/* readlink() of it. */
ssize_t inside_link(int root, const char *path, char *out, size_t size);

#endif
