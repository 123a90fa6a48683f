/* socket.h - TCP sockets. */
#ifndef IO_SOCKET_H
#define IO_SOCKET_H

#include <stdint.h>

#include "base/err.h"

/* A non-blocking listening TCP socket. host is a name or a numeric address;
 * port 0 lets the system choose. ERR_CONFLICT: the port is taken. */
MUST_CHECK enum errc socket_listen(const char *host, uint16_t port, int *out,
                                   struct err *err);

/* The port a socket is bound to. */
uint16_t socket_port(int fd);

/* True for 127.0.0.0/8, ::1 and names that mean them. */
int socket_is_loopback(const char *host);

/* A connected blocking TCP socket with a time limit for every step. */
MUST_CHECK enum errc socket_connect(const char *host, uint16_t port,
                                    int timeout_ms, int *out, struct err *err);

/* Two connected sockets that keep packets whole; neither waits when it is
 * written to with MSG_DONTWAIT. */
MUST_CHECK enum errc socket_packets(int out[2], struct err *err);

#endif
