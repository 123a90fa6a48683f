/* ship_internal.h - one row a kind of receiver. */
#ifndef LOGS_SHIP_INTERNAL_H
#define LOGS_SHIP_INTERNAL_H

#include "logs/ship.h"

struct ship_line {
    struct str text;
    uint64_t byte; /* of its file */
};

struct ship_batch {
    struct ship_line *v;
    size_t n;
    uint64_t file;
    const char *queue; /* its name */
    const char *host;
};

struct receiver {
    const char *path; /* the URL's ends so */
    const char *type; /* of the body */
    void (*put)(const struct ship_batch *b, struct buf *body);
    /* After a status of 2xx. Leaves in the batch what is to be sent once more,
     * and counts what was refused for good, in words too. May be NULL. */
    void (*judge)(struct ship_batch *b, struct str answer, uint64_t *failed,
                  struct err *why);
};

extern const struct receiver receiver_elasticsearch, receiver_loki;

#endif
