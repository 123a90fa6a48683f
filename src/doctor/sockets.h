/* sockets.h - who listens where, and the ports that services need. */
#ifndef DOCTOR_SOCKETS_H
#define DOCTOR_SOCKETS_H

#include "doctor/check.h"

struct listener {
    bool any, beyond;    /* somebody; and not on loopback alone */
    unsigned long inode; /* of the first socket */
};

/* Of both families; any is false if nobody does. */
struct listener listener_of(struct exam *x, unsigned port);

/* Each port of the options. */
void each_port(struct exam *x, void *ctx,
               void (*each)(struct exam *x, void *ctx, unsigned port));

#endif
