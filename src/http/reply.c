/* The writing side: replies, and the requests and buffers that are used again
 * and again. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "codec/gzip.h"
#include "http/conn_internal.h"
#include "http/status.h"

enum {
    MS = 1000000,
    KEEP_FREE = 256,      /* objects kept for reuse, per loop */
    KEEP_OUT = 256 << 10, /* a larger reply buffer is given back */
    LAST_WORDS = 256,     /* of a reply, always there */
    OUT_MAX = 1 << 30,
    LINGER_MS = 2000,
};

struct inbuf *inbuf_take(struct http_loop *l)
{
    struct inbuf *in = l->free_in;

    if (in) {
        l->free_in = in->next;
        l->n_free_in--;
    } else {
        in = malloc(sizeof(*in));
        if (!in)
            return NULL;
        memset(in->data + IN_SIZE, 0, PAD);
    }
    in->n = in->pos = 0;
    return in;
}

void inbuf_release(struct http_loop *l, struct inbuf *in)
{
    if (l->n_free_in >= KEEP_FREE) {
        free(in);
        return;
    }
    in->next = l->free_in;
    l->free_in = in;
    l->n_free_in++;
}

/* Empties the reply. There is always room for the head and a short message,
 * so that lack of memory can be told. False only for a buffer that had no
 * memory yet. */
static bool start_out(struct buf *out)
{
    buf_clear(out);
    if (!buf_reserve(out, HTTP_HEADROOM + LAST_WORDS))
        return false;
    out->n = HTTP_HEADROOM;
    return true;
}

struct http_request *request_take(struct http_loop *l)
{
    struct http_request *r = l->free_requests;

    if (r) {
        l->free_requests = r->next;
        l->n_free_requests--;
    } else {
        r = calloc(1, sizeof(*r));
        if (!r)
            return NULL;
        r->loop = l;
        arena_init(&r->arena, l->server->limits.max_body * 5 + (8 << 20));
        buf_init(&r->out, OUT_MAX);
    }
    if (!start_out(&r->out)) {
        arena_fini(&r->arena);
        free(r);
        return NULL;
    }
    r->next = NULL;
    r->conn = NULL;
    atomic_store_explicit(&r->gone, false, memory_order_relaxed);
    memset(&r->head, 0, sizeof(r->head));
    r->match.route = NULL;
    r->status = 0;
    r->n_extra = 0;
    r->id[0] = '\0';
    r->method = HTTP_OTHER;
    r->path = r->query = r->body = (struct str){NULL, 0};
    r->bytes_in = r->bytes_out = 0;
    r->start_ns = l->loop.now_ns;
    r->keep_alive = r->may_compress = r->stream = r->endless = false;
    r->in_pieces = r->begun = false;
    r->user = NULL;
    r->model = "";
    r->in = NULL;
    r->large = NULL;
    return r;
}

void request_release(struct http_request *r)
{
    struct http_loop *l = r->loop;

    if (r->in)
        inbuf_release(l, r->in);
    r->in = NULL;
    pieces_drop(r);
    gzip_close(r->packer);
    r->packer = NULL;
    buf_fini(&r->storage);
    buf_fini(&r->unpacked);
    if (l->n_free_requests >= KEEP_FREE) {
        arena_fini(&r->arena);
        buf_fini(&r->out);
        free(r);
        return;
    }
    arena_reset(&r->arena);
    if (r->out.cap > KEEP_OUT)
        buf_fini(&r->out);
    r->next = l->free_requests;
    l->free_requests = r;
    l->n_free_requests++;
}

struct buf *http_out(struct http_request *r)
{
    return &r->out;
}

size_t http_out_size(const struct http_request *r)
{
    return r->out.n > HTTP_HEADROOM ? r->out.n - HTTP_HEADROOM : 0;
}

void http_header(struct http_request *r, const char *name, const char *fmt, ...)
{
    char value[HTTP_EXTRA_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(value, sizeof(value), fmt, ap);
    va_end(ap);
    int n = snprintf(r->extra + r->n_extra, sizeof(r->extra) - r->n_extra,
                     "%s: %s\r\n", name, value);
    if (n > 0 && (size_t)n < sizeof(r->extra) - r->n_extra)
        r->n_extra += (size_t)n;
}

static const char *date_of(struct http_loop *l)
{
    int64_t s = clock_wall_ns() / 1000000000;

    if (s != l->date_s) {
        time_t t = (time_t)s;
        struct tm tm;
        gmtime_r(&t, &tm);
        strftime(l->date, sizeof(l->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
        l->date_s = s;
    }
    return l->date;
}

static char *put(char *at, const char *text, size_t n)
{
    memcpy(at, text, n);
    return at + n;
}

#define PUT_LITERAL(at, text) put((at), (text), sizeof(text) - 1)
#define PUT_CSTR(at, text)    put((at), (text), strlen(text))

/* The head is written in front of the body, ending where it begins. */
static size_t write_head(struct http_request *r, size_t body,
                         char head[HTTP_HEADROOM])
{
    char *at = head;

    at = PUT_LITERAL(at, "HTTP/1.1 ");
    at += number_write_u64(at, (uint64_t)r->status);
    *at++ = ' ';
    at = PUT_CSTR(at, http_status_text(r->status));
    at = PUT_LITERAL(at, "\r\nServer: stoker\r\nDate: ");
    at = PUT_CSTR(at, date_of(r->loop));
    if (r->content_type) {
        at = PUT_LITERAL(at, "\r\nContent-Type: ");
        at = PUT_CSTR(at, r->content_type);
    }
    if (r->stream) {
        at = PUT_LITERAL(at, "\r\nTransfer-Encoding: chunked");
    } else if (r->status != 204 && !r->endless) {
        at = PUT_LITERAL(at, "\r\nContent-Length: ");
        at += number_write_u64(at, body);
    }
    if (!r->keep_alive)
        at = PUT_LITERAL(at, "\r\nConnection: close");
    else if (r->head.minor == 0)
        at = PUT_LITERAL(at, "\r\nConnection: keep-alive");
    if (r->id[0]) {
        at = PUT_LITERAL(at, "\r\nX-Request-Id: ");
        at = PUT_CSTR(at, r->id);
    }
    at = PUT_LITERAL(at, "\r\n");
    at = put(at, r->extra, r->n_extra);
    at = PUT_LITERAL(at, "\r\n");
    return (size_t)(at - head);
}

static void set_error(struct http_request *r, int status, const char *message)
{
    (void)start_out(&r->out);
    buf_puts(&r->out, "{\"error\":");
    buf_put_quoted(&r->out, str_from_cstr(message));
    buf_putc(&r->out, '}');
    if (r->out.failed) {
        (void)start_out(&r->out);
        buf_puts(&r->out, "{\"error\":\"out of memory\"}");
    }
    r->status = status;
    r->content_type = "application/json";
}

#define FORMAT_ERROR(message)                               \
    do {                                                    \
        va_list ap;                                         \
        va_start(ap, fmt);                                  \
        (void)vsnprintf(message, sizeof(message), fmt, ap); \
        va_end(ap);                                         \
    } while (0)

void http_set_error(struct http_request *r, int status, const char *fmt, ...)
{
    char message[1024];

    FORMAT_ERROR(message);
    set_error(r, status, message);
}

void http_reply_error(struct http_request *r, int status, const char *fmt, ...)
{
    char message[1024];

    FORMAT_ERROR(message);
    set_error(r, status, message);
    http_reply(r, status, r->content_type);
}

size_t reply_front(struct http_request *r, struct buf *out, size_t body)
{
    char text[HTTP_HEADROOM];
    size_t n = r->begun ? 0 : write_head(r, body, text);

    if (r->stream && body)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%zx\r\n", body);
    memcpy(out->p + HTTP_HEADROOM - n, text, n);
    return n;
}

/* Makes r->out what is to be sent, the last chunk if there are any. What is not
 * whole ends with the connection. */
static void finish(struct http_request *r)
{
    size_t body = 0;

    if (r->out.failed && !r->begun)
        set_error(r, 503, "out of memory for the reply");
    if (!r->out.failed)
        reply_compress(r);
    r->stream = r->stream && r->head.minor >= 1 && r->method != HTTP_HEAD;
    if (!r->out.failed)
        body = http_out_size(r);
    r->bytes_out += body;
    if (r->stream)
        buf_puts(&r->out, body ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
    if (r->out.failed) {
        r->keep_alive = false;
        r->out.n = r->out_from = 0;
        return;
    }
    if (r->method == HTTP_HEAD || r->status == 204)
        r->out.n = HTTP_HEADROOM;
    r->out_from = HTTP_HEADROOM - reply_front(r, &r->out, body);
}

void http_reply(struct http_request *r, int status, const char *content_type)
{
    struct conn *c = r->conn;

    r->status = c ? status : 499;
    r->content_type = content_type;
    if (c)
        finish(r);
    if (r->loop->server->hooks.done)
        r->loop->server->hooks.done(r->loop->server->hooks.ctx, r);
    if (!c) {
        request_release(r);
        return;
    }
    c->replied = true;
    if (!r->pieces)
        c->sent = r->out_from;
    conn_advance(c);
}

/* Behind the last byte of the last reply on a connection. Closing at once
 * would throw away what the client still sends, and with it our reply. */
static void end_connection(struct conn *c)
{
    if (c->eof) {
        conn_close(c);
        return;
    }
    (void)shutdown(c->watch.fd, SHUT_WR);
    c->state = CONN_LINGER;
    c->body_bytes = 0;
    c->deadline_ns = c->loop->loop.now_ns + (int64_t)LINGER_MS * MS;
    if (c->events != EPOLLIN) {
        c->events = EPOLLIN;
        loop_change(&c->loop->loop, &c->watch, c->events);
    }
}

void conn_want(struct conn *c, uint32_t events)
{
    if (c->events == events)
        return;
    c->events = events;
    loop_change(&c->loop->loop, &c->watch, events);
}

/* What is to be sent next; NULL: all of it is gone. */
static struct buf *unsent(struct conn *c)
{
    struct buf *piece = pieces_first(c), *out = &c->req->out;

    if (piece)
        return piece;
    return c->replied && c->sent < out->n ? out : NULL;
}

enum conn_flush conn_flush(struct conn *c)
{
    struct buf *out;

    while ((out = unsent(c))) {
        ssize_t put =
            send(c->watch.fd, out->p + c->sent, out->n - c->sent, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EAGAIN) {
            c->deadline_ns =
                c->loop->loop.now_ns +
                (int64_t)c->loop->server->limits.write_timeout_ms * MS;
            conn_want(c, c->replied ? EPOLLOUT : c->events | EPOLLOUT);
            return CONN_BLOCKED;
        }
        if (put < 0) {
            conn_close(c);
            return CONN_ENDED;
        }
        c->sent += (size_t)put;
    }
    if (!c->replied) {
        conn_want(c, c->events & ~(uint32_t)EPOLLOUT);
        return CONN_FLUSHED;
    }
    if (!c->req->keep_alive) {
        end_connection(c);
        return CONN_ENDED;
    }
    conn_want(c, EPOLLIN);
    return CONN_FLUSHED;
}

struct http_request *http_detach(struct http_request *r)
{
    struct conn *c = r->conn;
    struct http_request *n = request_take(r->loop);

    if (!n)
        return NULL;
    n->head = r->head;
    n->method = r->method;
    n->path = r->path;
    n->query = r->query;
    n->match = r->match;
    n->start_ns = r->start_ns;
    n->model = r->model;
    n->bytes_in = r->bytes_in;
    memcpy(n->id, r->id, sizeof(n->id));
    /* The old request keeps the bytes it points into, and what the client may
     * have sent behind them goes with it: the connection ends here. */
    n->conn = c;
    c->req = n;
    r->conn = NULL;
    r->in = c->in;
    c->in = NULL;
    atomic_store(&r->gone, true);
    return n;
}

const char *http_request_id(struct http_request *r)
{
    static const char hex[] = "0123456789abcdef";

    if (r->id[0])
        return r->id;
    if (!r->loop->ids)
        (void)!getrandom(&r->loop->ids, sizeof(r->loop->ids), 0);
    /* A counter with a random start, mixed so that ids do not look alike. */
    uint64_t id = r->loop->ids++ * UINT64_C(0x9e3779b97f4a7c15);
    id = (id ^ id >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    for (int i = 0; i < 16; i++)
        r->id[i] = hex[id >> (60 - 4 * i) & 15];
    r->id[16] = '\0';
    return r->id;
}

bool http_accepts(const struct http_request *r, const char *type)
{
    struct str list = r->head.known[HTTP_ACCEPT];

    while (list.p) {
        struct str item = str_cut(&list, ',');
        if (str_eq_nocase(str_trim(str_cut(&item, ';')), str_from_cstr(type)))
            return true;
    }
    return false;
}
