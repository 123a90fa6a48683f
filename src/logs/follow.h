/* follow.h - reads what is written to a file, as it is written, through its
 * rotation: when another file has its name, the old one is read to its end
 * first. A file that became shorter is read from its start.
 *
 * Threads: one at a time.
 */
#ifndef LOGS_FOLLOW_H
#define LOGS_FOLLOW_H

#include "base/buf.h"

struct follow {
    const char *path; /* kept as it is; it need not be there yet */
    int fd;           /* -1: not open */
    uint64_t at, inode;
    struct buf rest; /* a line that has not ended */
    bool started;
};

/* From the end of the file that is there now. */
void follow_init(struct follow *f, const char *path);
void follow_fini(struct follow *f);

/* Calls each() for every new line, without its end. True when there may be
 * more at once. */
bool follow_read(struct follow *f, void (*each)(void *ctx, struct str line),
                 void *ctx);

#endif
