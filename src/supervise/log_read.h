/* log_read.h - the lines that a logger has written, from some file that was put
 * aside up to the present one, and on: each once, in their order, also while
 * files are put aside and compressed meanwhile.
 *
 * Threads: one at a time. */
#ifndef SUPERVISE_LOG_READ_H
#define SUPERVISE_LOG_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct log_reader {
    const char *directory, *name; /* kept as they are */
    void *file;                   /* gzFile; NULL: none is open */
    int fd;                       /* of the present file, else -1 */
    uint64_t number;              /* of the file that was read last; 0: none */
    struct buf rest;              /* a line that has not ended */
};

/* Begins with files that were changed at that time (seconds since 1970) or
 * later, and such that at least `bytes` lie before the end, if there are so
 * many. bytes < 0: with the oldest. */
void log_reader_init(struct log_reader *r, const char *directory,
                     const char *name, int64_t since_s, int64_t bytes);
void log_reader_fini(struct log_reader *r);

/* Calls each() for the lines that are there now, without their ends. */
MUST_CHECK enum errc log_reader_read(struct log_reader *r,
                                     void (*each)(void *ctx, struct str line),
                                     void *ctx, struct err *err);

#endif
