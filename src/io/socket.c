#include "io/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static enum errc resolve(const char *host, uint16_t port, int flags,
                         struct addrinfo **out, struct err *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = flags | AI_NUMERICSERV};
    char service[8];

    (void)snprintf(service, sizeof(service), "%u", port);
    int rc = getaddrinfo(host, service, &hints, out);
    if (rc)
        return err_set(err, ERR_INVALID, "cannot find the address '%s': %s",
                       host, gai_strerror(rc));
    return ERR_OK;
}

static int listen_on(const struct addrinfo *a)
{
    int on = 1;
    int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int e = errno;
    (void)close(fd);
    errno = e;
    return -1;
}

enum errc socket_listen(const char *host, uint16_t port, int *out,
                        struct err *err)
{
    struct addrinfo *list;
    enum errc rc = resolve(host, port, AI_PASSIVE, &list, err);
    int fd = -1;

    if (rc)
        return rc;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = listen_on(a);
    int e = errno;
    freeaddrinfo(list);
    if (fd < 0 && e == EADDRINUSE)
        return err_set(err, ERR_CONFLICT,
                       "port %u on %s is taken by another process; choose "
                       "another with --http-port, or see who has it with: ss "
                       "-ltnp 'sport = :%u'",
                       port, host, port);
    if (fd < 0)
        return err_set(err, errc_from_errno(e), "cannot listen on %s:%u: %s",
                       host, port, strerror(e));
    *out = fd;
    return ERR_OK;
}

uint16_t socket_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof(a);

    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return 0;
    if (a.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&a)->sin6_port);
    return ntohs(((struct sockaddr_in *)(void *)&a)->sin_port);
}

int socket_is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           strncmp(host, "127.", 4) == 0;
}

enum errc socket_connect(const char *host, uint16_t port, int timeout_ms,
                         int *out, struct err *err)
{
    struct timeval t = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    struct addrinfo *list;
    enum errc rc = resolve(host, port, 0, &list, err);
    int fd = -1, on = 1, e = 0;

    if (rc)
        return rc;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        /* The send limit also bounds connect(). */
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            e = errno;
            (void)close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        return err_set(err, ERR_UNAVAIL, "cannot connect to %s:%u: %s", host,
                       port, strerror(e));
    *out = fd;
    return ERR_OK;
}

enum errc socket_packets(int out[2], struct err *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out) == 0)
        return ERR_OK;
    return err_set(err, ERR_IO, "cannot make a pair of sockets: %s",
                   strerror(errno));
}
