/* progress.h - how far something long is, in one line on the terminal. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/command.h"

struct progress {
    struct cli *cli;
    bool shows; /* standard error is a terminal */
    int64_t started_ns, told_ns;
    bool any; /* a line stands there */
};

void progress_start(struct progress *p, struct cli *cli);

/* "1.2 GB of 2.1 GB, 410.0 MB/s, 2 s left", after two seconds and then twice a
 * second; of: 0 when it is not known. */
void progress_bytes(struct progress *p, int64_t done, int64_t of);

/* Takes the line away. */
void progress_end(struct progress *p);

#endif
