#include "daemon/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"

enum { BACKLOG = 16, CLIENT_MS = 1000, ASK_S = 30 };

/* The socket's address: by way of the directory's descriptor, because paths may
 * be longer than an address (unix(7): 108 bytes). */
static struct sockaddr_un address(int dir)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    (void)snprintf(a.sun_path, sizeof(a.sun_path),
                   "/proc/self/fd/%d/control.sock", dir);
    return a;
}

void control_socket_id(const struct control_socket *c, char *out, size_t max)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (const char *p = c->path; *p; p++)
        h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    if (!c->path[0])
        h = (uint64_t)getpid();
    (void)snprintf(out, max, "%016llx", (unsigned long long)h);
}

/* ---- the master's side ---------------------------------------------- */

/* One request on one connection, at once: who asks has a second to do so, and
 * is ourselves. */
static void on_client(struct watch *w, uint32_t events)
{
    struct control_socket *c =
        (struct control_socket *)(void *)((char *)w -
                                          offsetof(struct control_socket,
                                                   watch));
    struct timeval limit = {CLIENT_MS / 1000, 0};
    struct buf request, reply;
    int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC);

    (void)events;
    if (fd < 0)
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    buf_init(&request, CONTROL_MESSAGE_MAX);
    buf_init(&reply, CONTROL_MESSAGE_MAX);
    for (bool more = true; more;) {
        char *p = buf_reserve(&request, 4096);
        ssize_t n = p ? recv(fd, p, 4096, 0) : -1;
        request.n += n > 0 ? (size_t)n : 0;
        more = n > 0 && !memchr(request.p, '\n', request.n);
        if (n <= 0)
            buf_clear(&request);
    }
    if (request.n) {
        c->asked(c->ctx, buf_str(&request), &reply);
        (void)fs_write_all(fd, reply.p, reply.n);
    }
    (void)close(fd);
    buf_fini(&request);
    buf_fini(&reply);
}

/* The lock is the kernel's: it goes with its holder, however that ends. */
static enum errc take_lock(struct control_socket *c, struct err *err)
{
    if (c->lock >= 0)
        return ERR_OK; /* it was handed to us */
    c->lock = openat(c->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (c->lock < 0)
        return fs_error(err, "cannot use", c->path);
    if (flock(c->lock, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    return err_set(err, ERR_CONFLICT,
                   "Stoker runs already (%s); 'stoker status' shows it, "
                   "'stoker reload' applies new settings",
                   c->path);
}

enum errc control_socket_open(struct control_socket *c, const char *directory,
                              void (*asked)(void *ctx, struct str request,
                                            struct buf *reply),
                              void *ctx, struct err *err)
{
    *c = (struct control_socket){
        .fd = -1, .lock = c->lock, .dir = -1, .asked = asked, .ctx = ctx};
    (void)snprintf(c->path, sizeof(c->path), "%s", directory);
    enum errc rc = fs_make_dirs(directory, err);
    if (!rc) {
        c->dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        rc = c->dir < 0 ? fs_error(err, "cannot use", directory) : ERR_OK;
    }
    if (!rc)
        rc = take_lock(c, err);
    if (rc)
        return rc;
    struct sockaddr_un a = address(c->dir);
    (void)unlinkat(c->dir, "control.sock", 0);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0077);
    bool fine = c->fd >= 0 &&
                bind(c->fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
                listen(c->fd, BACKLOG) == 0;
    (void)umask(mask);
    return fine ? ERR_OK : fs_error(err, "cannot listen in", directory);
}

enum errc control_socket_watch(struct control_socket *c, struct loop *l,
                               struct err *err)
{
    if (c->fd < 0)
        return ERR_OK;
    c->watch = (struct watch){.fd = c->fd, .ready = on_client};
    return loop_add(l, &c->watch, EPOLLIN, err);
}

static void close_all(struct control_socket *c)
{
    const int fds[] = {c->fd, c->lock, c->dir};

    for (size_t i = 0; i < COUNT(fds); i++)
        if (fds[i] > 0)
            (void)close(fds[i]);
    c->fd = c->lock = c->dir = -1;
}

void control_socket_leave(struct control_socket *c)
{
    close_all(c);
}

void control_socket_close(struct control_socket *c)
{
    if (c->fd >= 0)
        (void)unlinkat(c->dir, "control.sock", 0);
    close_all(c);
}

/* ---- the other side ------------------------------------------------- */

enum errc control_socket_ask(const char *directory, struct str request,
                             struct buf *reply, struct err *err)
{
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sockaddr_un a = address(dir);
    struct timeval limit = {ASK_S, 0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t n = -1;

    bool there = dir >= 0 && fd >= 0 &&
                 connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
    int e = errno;
    if (there) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        if (fs_write_all(fd, request.p, request.n) && fs_write_all(fd, "\n", 1))
            do {
                char *p = buf_reserve(reply, 65536);
                n = p ? recv(fd, p, 65536, 0) : -1;
                reply->n += n > 0 ? (size_t)n : 0;
            } while (n > 0);
        e = errno;
    }
    if (fd >= 0)
        (void)close(fd);
    if (dir >= 0)
        (void)close(dir);
    if (!there && (e == EACCES || e == EPERM))
        return err_set(err, ERR_DENIED, "cannot ask Stoker in %s: %s",
                       directory, strerror(e));
    if (!there)
        return err_set(err, ERR_UNAVAIL,
                       "Stoker does not run ('stoker up' starts it)");
    return n == 0 && reply->n
               ? ERR_OK
               : err_set(err, ERR_IO, "Stoker did not answer: %s", strerror(e));
}
