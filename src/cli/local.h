/* local.h - a server of our own in a child process, on a free loopback port,
 * for commands that take a model file where a URL could stand. */
#ifndef CLI_LOCAL_H
#define CLI_LOCAL_H

#include <sys/types.h>

#include "cli/command.h"
#include "cli/hint_flags.h"
#include "http/client.h"

struct local {
    pid_t pid; /* 0: the server is somebody else's */
    struct client_url url;
    char path[512]; /* of the request; "" when the URL did not say */
};

/* target: a URL, or a model file that is then served. */
MUST_CHECK enum errc local_open(struct cli *cli, const char *target,
                                const struct import_hints *hints,
                                struct local *out, struct err *err);
void local_close(struct local *l);

/* Asks the server for the path and an example body of its first model. */
MUST_CHECK enum errc local_example(struct local *l, struct buf *body,
                                   struct err *err);

/* The body from -d TEXT, -d @FILE, -f FILE or -f -; false: none was given. */
MUST_CHECK enum errc local_body(const char *data, const char *file,
                                struct buf *out, bool *given, struct err *err);

bool local_is_url(const char *target);

#endif
