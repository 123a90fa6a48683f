#include "http/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/chunked.h"
#include "io/socket.h"

enum { STEP = 65536, HEAD_MAX = 65536 };

enum errc client_url_parse(const char *text, struct client_url *out,
                           struct err *err)
{
    const char *p = text;
    uint64_t port = 80;

    if (strncmp(p, "https://", 8) == 0)
        return err_set(err, ERR_UNSUPPORTED, "'%s': https is not supported yet",
                       text);
    if (strncmp(p, "http://", 7) == 0)
        p += 7;
    size_t n = strcspn(p, "/");
    out->path = p + n;
    struct str authority = {p, n}, host = authority;
    const char *colon = memrchr(p, ':', n);
    if (colon && (p[0] != '[' || colon[-1] == ']')) {
        host.n = (size_t)(colon - p);
        if (!str_to_u64(str_slice(authority, host.n + 1, n), &port) ||
            port == 0 || port > 65535)
            return err_set(err, ERR_INVALID, "'%s': the port is not a number",
                           text);
    }
    if (host.n > 2 && host.p[0] == '[')
        host = str_slice(host, 1, host.n - 1);
    if (host.n == 0 || host.n >= sizeof(out->host))
        return err_set(err, ERR_INVALID, "'%s' is not a URL", text);
    memcpy(out->host, host.p, host.n);
    out->host[host.n] = '\0';
    out->port = (uint16_t)port;
    return ERR_OK;
}

long client_head(struct str text, int *status, int64_t *length, bool *chunked)
{
    const char *end = text.n ? memmem(text.p, text.n, "\r\n\r\n", 4) : NULL;
    uint64_t n;

    if (!end)
        return 0;
    if (text.n < 12 || memcmp(text.p, "HTTP/1.", 7) != 0)
        return -1;
    *status = atoi(text.p + 9);
    *length = -1;
    *chunked = false;
    struct str rest = {text.p, (size_t)(end - text.p)};
    (void)str_cut(&rest, '\n');
    while (rest.p) {
        struct str value = str_cut(&rest, '\n');
        struct str name = str_cut(&value, ':');
        if (value.n && value.p[value.n - 1] == '\r')
            value.n--;
        value = str_trim(value);
        if (str_eq_nocase(name, STR("content-length")) &&
            str_to_u64(value, &n) && n <= INT64_MAX)
            *length = (int64_t)n;
        else if (str_eq_nocase(name, STR("transfer-encoding")))
            *chunked = str_eq_nocase(value, STR("chunked"));
    }
    return end - text.p + 4;
}

static enum errc send_all(int fd, struct str s, struct err *err)
{
    while (s.n) {
        ssize_t put = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return err_set(err, ERR_IO, "sending the request: %s",
                           strerror(errno));
        s = str_slice(s, (size_t)put, s.n);
    }
    return ERR_OK;
}

/* One recv() appended to in; *eof at the end. */
static enum errc receive(int fd, struct buf *in, bool *eof, struct err *err)
{
    char *at = buf_reserve(in, STEP);

    if (!at)
        return err_set(err, ERR_LIMIT, "the reply is too large");
    ssize_t got = recv(fd, at, STEP, 0);
    if (got < 0 && errno == EAGAIN)
        return err_set(err, ERR_TIMEOUT, "no reply in time");
    if (got < 0 && errno != EINTR)
        return err_set(err, ERR_IO, "receiving the reply: %s", strerror(errno));
    *eof = got == 0;
    in->n += got > 0 ? (size_t)got : 0;
    return ERR_OK;
}

static enum errc read_body(int fd, struct buf *in, size_t head, int64_t length,
                           bool chunked, struct buf *out, struct err *err)
{
    struct chunked state = {0};
    size_t used, at = head;
    bool eof = false;
    enum errc rc = ERR_OK;

    while (!rc) {
        if (chunked) {
            int done = chunked_read(&state, in->p + at, in->n - at, &used, out);
            at += used;
            if (done == CHUNKED_DONE)
                return ERR_OK;
            if (done > CHUNKED_DONE)
                return err_set(err, ERR_INVALID, "a malformed chunked reply");
        } else if (length >= 0 ? in->n - head >= (uint64_t)length : eof) {
            size_t n = length >= 0 ? (size_t)length : in->n - head;
            buf_put(out, (struct str){in->p + head, n});
            return out->failed
                       ? err_set(err, ERR_LIMIT, "the reply is too large")
                       : ERR_OK;
        }
        if (eof)
            return err_set(err, ERR_IO, "the reply was cut off");
        rc = receive(fd, in, &eof, err);
    }
    return rc;
}

static enum errc exchange(int fd, struct str request, const struct str *body,
                          int *status, struct buf *out, struct err *err)
{
    struct buf in;
    long head = 0;
    int64_t length = -1;
    bool chunked = false, eof = false;
    enum errc rc = send_all(fd, request, err);

    /* A server may refuse before it has read everything: hear it out. */
    if (!rc && body && send_all(fd, *body, NULL))
        (void)shutdown(fd, SHUT_WR);
    buf_init(&in, out->max + HEAD_MAX + STEP);
    while (!rc && head == 0) {
        rc = receive(fd, &in, &eof, err);
        if (rc)
            break;
        head = client_head(buf_str(&in), status, &length, &chunked);
        if (head > 0 && *status == 100) {
            in.n -= (size_t)head;
            memmove(in.p, in.p + head, in.n);
            head = client_head(buf_str(&in), status, &length, &chunked);
        }
        if (head < 0 || (head == 0 && eof))
            rc = err_set(err, ERR_IO, "the server did not answer in HTTP");
    }
    if (!rc && *status != 204)
        rc = read_body(fd, &in, (size_t)head, length, chunked, out, err);
    buf_fini(&in);
    return rc;
}

enum errc client_request(const struct client_url *url, const char *path,
                         const char *type, const struct str *body,
                         int timeout_ms, int *status, struct buf *out,
                         struct err *err)
{
    struct buf request;
    int fd;
    enum errc rc = socket_connect(url->host, url->port, timeout_ms, &fd, err);

    if (rc)
        return rc;
    buf_init(&request, 1 << 20);
    buf_printf(&request,
               "%s %s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: stoker\r\n"
               "Connection: close\r\n",
               body ? "POST" : "GET", *path ? path : "/", url->host, url->port);
    if (body)
        buf_printf(&request, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                   type, body->n);
    buf_puts(&request, "\r\n");
    rc = exchange(fd, buf_str(&request), body, status, out, err);
    buf_fini(&request);
    (void)close(fd);
    return rc;
}
