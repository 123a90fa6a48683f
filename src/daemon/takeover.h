/* takeover.h - one master becomes another program, by execve(2): the process,
 * its children and its sockets stay, and nothing is refused or lost meanwhile.
 *
 *   old master: facts --> memfd, number in $STOKER_TAKEOVER --> execve(new)
 *   new master: facts --> sockets, units with their processes and logs
 *               --> serve and monitor are replaced, as by a restart
 *
 * When the new program cannot start, it becomes the old one again, whose file
 * it was given open ($STOKER_TAKEOVER_BACK).
 *
 * Threads: one. */
#ifndef DAEMON_TAKEOVER_H
#define DAEMON_TAKEOVER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

struct json_node;
struct master;

/* Are we the new program? */
bool takeover_is_on(void);

/* The new program cannot start: the old one is to go on. Returns only when that
 * is not possible either. */
void takeover_back(char **argv);

/* ---- for the master ---------------------------------------------------------
 */

/* Becomes that program; returns when it cannot. ERR_BUSY: one of our processes
 * is just starting: try again. */
MUST_CHECK enum errc takeover_give(struct master *m, const char *program,
                                   struct err *err);

/* The facts; NULL: there are none. They lie in the arena. */
const struct json_node *takeover_read(struct arena *a);

/* Of the facts: sockets and the lock, before they are opened ... */
void takeover_take_sockets(struct master *m, const struct json_node *facts);

/* ... and the processes, when the units are there. */
void takeover_take_units(struct master *m, const struct json_node *facts);

#endif
