/* control_socket.h - the master's ear: a socket in a directory of its own, for
 * `stoker status` and its like. A line of JSON is asked, a line answered, by
 * whoever may enter the directory: its owner, and root.
 *
 *   DIRECTORY/lock           held as long as the master lives
 *   DIRECTORY/control.sock
 *   DIRECTORY/state.json     what the next master must know
 *   DIRECTORY/deaths.jsonl   how processes ended
 *
 * Threads: the loop's. */
#ifndef DAEMON_CONTROL_SOCKET_H
#define DAEMON_CONTROL_SOCKET_H

#include <stdbool.h>

#include "base/buf.h"
#include "io/loop.h"

enum { CONTROL_SOCKET_DIR_MAX = 4096, CONTROL_MESSAGE_MAX = 1 << 20 };

struct control_socket {
    int fd, lock, dir; /* fd -1: not open */
    char path[CONTROL_SOCKET_DIR_MAX];
    struct watch watch;
    void (*asked)(void *ctx, struct str request, struct buf *reply);
    void *ctx;
};

/* c->lock: that of the directory, if we hold it already, else -1. ERR_CONFLICT:
 * another master lives there. */
MUST_CHECK enum errc control_socket_open(
    struct control_socket *c, const char *directory,
    void (*asked)(void *ctx, struct str request, struct buf *reply), void *ctx,
    struct err *err);
MUST_CHECK enum errc control_socket_watch(struct control_socket *c,
                                          struct loop *l, struct err *err);
void control_socket_close(struct control_socket *c);
void control_socket_leave(struct control_socket *c); /* in a forked process */

/* A name for this control, the same after a restart. */
void control_socket_id(const struct control_socket *c, char *out, size_t max);

/* The other side: asks the master of that directory. ERR_UNAVAIL: there is
 * none. */
MUST_CHECK enum errc control_socket_ask(const char *directory,
                                        struct str request, struct buf *reply,
                                        struct err *err);

#endif
