/* master_internal.h - the master's inside; for master*.c. */
#ifndef DAEMON_MASTER_INTERNAL_H
#define DAEMON_MASTER_INTERNAL_H

#include "daemon/child.h"
#include "daemon/control_socket.h"
#include "daemon/master.h"
#include "daemon/takeover.h"
#include "supervise/supervisor.h"

enum reload_state {
    RELOAD_NONE,
    RELOAD_TRIES, /* the new serving process is being tried */
    RELOAD_DONE,
    RELOAD_REFUSED,
};

struct reload {
    unsigned number; /* of the newest one */
    enum reload_state state;
    bool wanted;                       /* another one, behind it */
    const struct daemon_options *next; /* NULL: none is under way */
    struct daemon_change change;
    char message[512];
    int64_t applied_ns; /* of the newest one in force, monotonic; 0: none */
};

struct master {
    struct supervisor supervisor; /* first: its watches find us */
    const struct master_options *master;
    const struct daemon_options *options; /* in force */
    int fds[2];    /* of the data plane, of the monitor; -1: none */
    int logs[2];   /* lines to the monitor: its end, the end of all others */
    unsigned port; /* of the data plane */
    struct unit *serve, *monitor; /* monitor: NULL when there is none */
    struct control_socket control;
    char id[48]; /* of it */
    struct reload reload;
    bool stopping, announced;
    unsigned generation; /* how often it has become another program */
    char upgrade[4096];  /* the program it is to become; "": none */
    char trouble[512];   /* why the newest upgrade or restart did not go well */
    int64_t started_ns;  /* wall clock */
    enum errc rc;        /* of a start that failed */
    struct err *err;
};

/* ---- master_tell.c: what happens, as lines of the log ----------------------
 */

void master_told(void *ctx, struct unit *u, enum unit_event e,
                 const char *text);

/* ---- master_reload.c --------------------------------------------------------
 */

/* Reads the settings, and applies them, at once or when the new serving process
 * is ready. */
void master_reload(struct master *m);

/* The serving process of a reload is ready, or cannot be. */
void master_reload_went(struct master *m, bool well, const char *why);

MUST_CHECK enum errc master_add_services(struct master *m,
                                         const struct daemon_options *o,
                                         struct err *err);

/* ---- master_control.c -------------------------------------------------------
 */

/* One request of the control socket: a line of JSON, answered by one. */
void master_asked(void *ctx, struct str request, struct buf *reply);

/* ---- master_state.c: what the next master must know ----------------- */

void master_remember(struct master *m);
void master_record(struct master *m, const struct unit *u); /* its death */
void master_adopt(struct master *m); /* services that outlived the last one */

/* Everything is to end, in its order. */
void master_stop(struct master *m);

/* An address that this machine reaches. */
const char *master_reachable(const char *host);

#endif
