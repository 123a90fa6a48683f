/* From the bytes at hand to requests. */
#include <string.h>
#include <sys/socket.h>

#include "codec/gzip.h"
#include "codec/snappy.h"
#include "http/conn_internal.h"

enum {
    MS = 1000000,
    BODY_ALIGN = 64,
};

static void refuse(struct conn *c, int status, const char *why)
{
    c->req->keep_alive = false;
    c->state = CONN_WAIT;
    http_reply_error(c->req, status, "%s", why);
}

static const char *head_error(int status)
{
    switch (status) {
    case 414:
        return "the request line is too long";
    case 431:
        return "the headers are too large or too many";
    case 501:
        return "the only transfer coding understood is chunked";
    case 505:
        return "this server speaks HTTP/1.1";
    default:
        return "malformed HTTP request";
    }
}

/* Splits the target into path and query; absolute form loses its authority. */
static void split_target(struct http_request *r)
{
    struct str rest = r->head.target;

    if (str_starts(rest, STR("http://")) || str_starts(rest, STR("https://"))) {
        rest = str_slice(rest, rest.p[4] == 's' ? 8 : 7, rest.n);
        const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
        rest = slash ? str_slice(rest, (size_t)(slash - rest.p), rest.n)
                     : STR("/");
    }
    r->path = str_cut(&rest, '?');
    r->query = rest;
}

static void copy_id(struct http_request *r)
{
    struct str id = r->head.known[HTTP_REQUEST_ID];

    r->id[0] = '\0';
    if (id.n == 0 || id.n >= sizeof(r->id))
        return;
    memcpy(r->id, id.p, id.n);
    r->id[id.n] = '\0';
}

static void reply_options(struct http_request *r)
{
    r->status = 204;
    http_reply(r, 204, NULL);
}

static void put_allow(struct http_request *r)
{
    unsigned a = r->match.allowed;

    http_header(r, "Allow", "%s%s%sOPTIONS", a & HTTP_GET ? "GET, HEAD, " : "",
                a & HTTP_POST ? "POST, " : "",
                a & HTTP_DELETE ? "DELETE, " : "");
}

/* What can be said before the body has come: 0, or a status, with the words in
 * *why. */
static int objection(struct conn *c, const char **why)
{
    struct http_request *r = c->req;
    const struct http_server *s = c->loop->server;

    r->method = http_method_parse(r->head.method);
    split_target(r);
    copy_id(r);
    int status =
        router_match(s->router, r->method, r->path, &r->arena, &r->match);
    *why = status == 404 ? "there is nothing at this path; see /docs"
                         : "malformed path";
    if (r->method == HTTP_OPTIONS && str_eq(r->path, STR("*")))
        return 0;
    if (status)
        return status;
    status = s->hooks.authorise ? s->hooks.authorise(s->hooks.ctx, r) : 0;
    *why = "access denied";
    if (status)
        return status;
    *why = "there is nothing at this path; see /docs";
    if (!r->match.route)
        return 404;
    if (!r->match.method_known && r->method != HTTP_OPTIONS) {
        *why = "this path does not have that method; see the Allow header";
        put_allow(r);
        return 405;
    }
    *why = "the body is larger than the limit (--max-body)";
    if (r->head.content_length > (int64_t)s->limits.max_body)
        return 413;
    if (r->head.known[HTTP_EXPECT].p && r->head.minor >= 1 &&
        !r->head.expect_continue) {
        *why = "the only expectation understood is 100-continue";
        return 417;
    }
    return 0;
}

/* Where a body of known length goes. The tensor behind an inference header is
 * put on a cache line, so that the runtime can use it where it is. */
static bool make_large(struct http_request *r)
{
    size_t n = (size_t)r->head.content_length, skip = 0;
    uint64_t header;
    struct str value = r->head.known[HTTP_INFERENCE_LENGTH];

    if (value.p && str_to_u64(value, &header) && header <= n)
        skip = (size_t)(-header & (BODY_ALIGN - 1));
    char *p = arena_bytes(&r->arena, n + skip + PAD);
    if (!p)
        return false;
    r->large = p + skip;
    r->large_n = n;
    r->large_have = 0;
    return true;
}

static enum errc unpack(struct http_request *r, struct err *err)
{
    struct str coding = r->head.known[HTTP_CONTENT_ENCODING];
    bool snappy = coding.p && str_eq_nocase(coding, STR("snappy"));
    enum gzip_coding kind = GZIP_GZIP;

    if (!coding.p || str_eq_nocase(coding, STR("identity")))
        return ERR_OK;
    if (str_eq_nocase(coding, STR("gzip")) ||
        str_eq_nocase(coding, STR("x-gzip")))
        kind = GZIP_GZIP;
    else if (str_eq_nocase(coding, STR("deflate")))
        kind = GZIP_DEFLATE;
    else if (!snappy)
        return err_set(err, ERR_UNSUPPORTED,
                       "Content-Encoding '" STR_FMT
                       "' is not understood; use gzip, deflate or none",
                       STR_ARG(coding));
    buf_init(&r->unpacked, r->loop->server->limits.max_body);
    enum errc rc = snappy ? snappy_decode(r->body, &r->unpacked, err)
                          : gzip_decode(kind, r->body, &r->unpacked, err);
    if (rc)
        return rc;
    /* Room to look ahead, see codec/number.h. */
    r->unpacked.max += PAD;
    char *pad = buf_reserve(&r->unpacked, PAD);
    if (!pad)
        return err_set(err, ERR_NOMEM, "out of memory");
    memset(pad, 0, PAD);
    r->body = buf_str(&r->unpacked);
    return ERR_OK;
}

static void dispatch(struct conn *c)
{
    struct http_request *r = c->req;
    struct err err;

    c->state = CONN_WAIT;
    r->bytes_in = r->body.n;
    enum errc rc = unpack(r, &err);
    if (rc) {
        http_reply_error(r, rc == ERR_UNSUPPORTED ? 415 : errc_http_status(rc),
                         "%s", err.msg);
        return;
    }
    if (r->method == HTTP_OPTIONS) {
        put_allow(r);
        reply_options(r);
        return;
    }
    r->match.route->handle(r);
}

static void send_continue(struct conn *c)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

    (void)send(c->watch.fd, line, sizeof(line) - 1, MSG_NOSIGNAL);
}

static void begin_body(struct conn *c)
{
    struct http_request *r = c->req;
    struct inbuf *in = c->in;
    size_t have = in->n - in->pos;

    r->body = (struct str){in->data + in->pos, 0};
    if (!r->head.chunked && r->head.content_length <= 0) {
        dispatch(c);
        return;
    }
    if (r->head.expect_continue && have == 0)
        send_continue(c);
    c->state = CONN_BODY;
    c->body_bytes = 0;
    c->deadline_ns = c->loop->loop.now_ns +
                     (int64_t)c->loop->server->limits.body_timeout_ms * MS;
    if (r->head.chunked) {
        c->chunked = (struct chunked){0};
        buf_init(&r->storage, c->loop->server->limits.max_body);
        return;
    }
    size_t n = (size_t)r->head.content_length;
    if (in->pos + n <= IN_SIZE)
        return; /* it will fit where it is */
    if (!make_large(r)) {
        refuse(c, 503, "out of memory for the body");
        return;
    }
    memcpy(r->large, in->data + in->pos, have);
    r->large_have = have;
    in->pos = in->n;
}

static void on_head(struct conn *c)
{
    struct http_request *r = c->req;
    const char *why;

    c->in->pos = r->head.line;
    r->keep_alive =
        r->head.keep_alive && !atomic_load(&c->loop->server->draining);
    int status = objection(c, &why);
    if (status == 0) {
        begin_body(c);
        return;
    }
    /* The connection can go on if the body is already here to be skipped. */
    size_t have = c->in->n - c->in->pos;
    int64_t n = r->head.content_length < 0 ? 0 : r->head.content_length;
    if (r->head.chunked || (uint64_t)n > have)
        r->keep_alive = false;
    else
        c->in->pos += (size_t)n;
    c->state = CONN_WAIT;
    http_reply_error(r, status, "%s", why);
}

/* False: there is no memory for a request. */
static bool read_head(struct conn *c)
{
    struct inbuf *in = c->in;

    if (!c->req) {
        c->req = request_take(c->loop);
        if (!c->req)
            return false;
        c->req->conn = c;
    }
    int rc = http_head_parse(&c->req->head, in->data, in->n);
    if (rc == HTTP_COMPLETE)
        on_head(c);
    else if (rc != HTTP_NEED_MORE)
        refuse(c, rc, head_error(rc));
    return true;
}

static void read_chunked(struct conn *c)
{
    struct http_request *r = c->req;
    struct inbuf *in = c->in;
    size_t used;
    int rc = chunked_read(&c->chunked, in->data + in->pos, in->n - in->pos,
                          &used, &r->storage);

    in->pos += used;
    c->body_bytes += used;
    /* The head stays; what is behind it was copied. */
    if (in->pos == in->n)
        in->pos = in->n = r->head.line;
    if (rc > CHUNKED_DONE) {
        refuse(c, rc,
               rc == 413 ? "the body is larger than the limit "
                           "(--max-body)"
                         : "malformed chunked body");
    } else if (rc == CHUNKED_DONE) {
        r->storage.max += PAD;
        r->storage.failed = false;
        char *pad = buf_reserve(&r->storage, PAD);
        if (!pad) {
            refuse(c, 503, "out of memory for the body");
            return;
        }
        memset(pad, 0, PAD);
        r->body = buf_str(&r->storage);
        dispatch(c);
    }
}

static void read_body(struct conn *c)
{
    struct http_request *r = c->req;
    struct inbuf *in = c->in;

    if (r->head.chunked) {
        read_chunked(c);
    } else if (r->large) {
        if (r->large_have < r->large_n)
            return;
        memset(r->large + r->large_n, 0, PAD);
        r->body = (struct str){r->large, r->large_n};
        dispatch(c);
    } else {
        size_t n = (size_t)r->head.content_length;
        if (in->n - in->pos < n)
            return;
        r->body = (struct str){in->data + in->pos, n};
        in->pos += n;
        dispatch(c);
    }
}

/* The reply has been sent: make room for the next request. */
static void next_request(struct conn *c)
{
    struct inbuf *in = c->in;

    request_release(c->req);
    c->req = NULL;
    c->replied = false;
    c->sent = 0;
    c->state = CONN_HEAD;
    if (in) {
        memmove(in->data, in->data + in->pos, in->n - in->pos);
        in->n -= in->pos;
        in->pos = 0;
    }
    c->deadline_ns = c->loop->loop.now_ns +
                     (int64_t)c->loop->server->limits.header_timeout_ms * MS;
}

static void become_idle(struct conn *c)
{
    struct http_loop *l = c->loop;

    if (c->in) {
        inbuf_release(l, c->in);
        c->in = NULL;
    }
    c->deadline_ns =
        l->loop.now_ns + (int64_t)l->server->limits.idle_timeout_ms * MS;
    conn_list_remove(c->in_idle ? &l->idle : &l->busy, c);
    conn_list_add(&l->idle, c);
    c->in_idle = true;
}

/* One step with the bytes at hand. False: no progress, or c is closed. */
static bool step(struct conn *c)
{
    if (c->req && c->req->endless && !c->replied) {
        conn_stream_flush(c);
        return false;
    }
    if (c->replied && (c->state == CONN_WAIT || c->state == CONN_WRITE)) {
        c->state = CONN_WRITE;
        if (conn_flush(c) != CONN_FLUSHED)
            return false;
        next_request(c);
        if (c->in && c->in->n)
            return true;
        become_idle(c);
        return false;
    }
    if (c->state == CONN_WAIT && c->req->pieces) {
        (void)conn_flush(c);
        return false;
    }
    if (!c->in)
        return false;
    if (c->state == CONN_HEAD) {
        if (!read_head(c)) {
            conn_close(c);
            return false;
        }
        return c->state != CONN_HEAD;
    }
    if (c->state == CONN_BODY) {
        read_body(c);
        return c->state != CONN_BODY;
    }
    return false;
}

/* Makes all progress that the bytes at hand allow. May close c. A handler that
 * replies at once comes back here through http_reply(): the outer call goes
 * on, so that pipelined requests are a loop and not a recursion. */
void conn_advance(struct conn *c)
{
    struct http_loop *l = c->loop;

    if (l->advancing == c)
        return;
    struct conn *outer = l->advancing;
    l->advancing = c;
    while (step(c))
        ;
    l->advancing = outer;
}
