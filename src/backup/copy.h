/* copy.h - the bytes and the extended attributes of one file. */
#ifndef BACKUP_COPY_H
#define BACKUP_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Copies `size` bytes from the start, holes as holes, the cheapest way there
 * is: shared blocks (FICLONE), within the kernel, or by hand. `progress` is
 * told how far it is. */
MUST_CHECK enum errc copy_bytes(int from, int to, int64_t size,
                                void (*progress)(void *ctx, int64_t upto),
                                void *ctx, bool *source_failed,
                                struct err *err);

/* Appends the attributes as words of a manifest. Those that belong to the file
 * system or the security policy of the machine, and what may not be read, are
 * left out. */
MUST_CHECK enum errc copy_take_xattrs(int fd, struct buf *out, struct err *err);

/* Sets those of the words; the number of those that could not be. */
unsigned copy_set_xattrs(int fd, struct str words);

#endif
