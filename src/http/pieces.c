/* A reply that is sent while the rest of it is being written.
 *
 *   worker:  out -> piece -> post          out -> piece -> post    ...  done
 *   loop:                   piece -> send                 piece -> send
 *
 * A piece is a chunk (RFC 9112, 7.1). Its buffer has the same room in front as
 * any reply, for the line that tells its size, and for the head. A client that
 * reads slowly makes the pieces wait, not the worker: at most as many bytes as
 * a reply may have. */
#include "http/pieces.h"

#include <stdlib.h>

#include "http/conn_internal.h"

#define CHUNK_END "\r\n"

enum {
    PIECE = 128 << 10,        /* bytes of the body, or more */
    ROOM = PIECE + PIECE / 2, /* for one, so that it seldom has to grow */
};

struct piece {
    struct task home;
    struct piece *next;
    struct http_request *r;
    struct buf bytes;
    size_t from; /* where what is to be sent begins */
};

static void drop(struct piece *p)
{
    atomic_fetch_sub(&p->r->waiting, p->bytes.cap);
    buf_fini(&p->bytes);
    free(p);
}

struct buf *pieces_first(struct conn *c)
{
    struct http_request *r = c->req;

    while (r->pieces && c->sent == r->pieces->bytes.n) {
        struct piece *gone = r->pieces;
        r->pieces = gone->next;
        c->sent = r->pieces ? r->pieces->from : r->out_from;
        drop(gone);
    }
    return r->pieces ? &r->pieces->bytes : NULL;
}

void pieces_drop(struct http_request *r)
{
    while (r->pieces) {
        struct piece *next = r->pieces->next;
        drop(r->pieces);
        r->pieces = next;
    }
}

/* On the loop. */
static void arrive(struct task *t)
{
    struct piece *p = (struct piece *)t, **end = &p->r->pieces;
    struct http_request *r = p->r;
    struct conn *c = r->conn;

    if (!c) {
        drop(p);
        return;
    }
    size_t body = p->bytes.n - HTTP_HEADROOM - (sizeof(CHUNK_END) - 1);
    p->from = HTTP_HEADROOM - reply_front(r, &p->bytes, body);
    r->begun = true;
    r->bytes_out += body;
    if (!r->pieces)
        c->sent = p->from;
    while (*end)
        end = &(*end)->next;
    *end = p;
    conn_advance(c);
}

/* Parts what is ready from r->out, which is empty then. False: there is no
 * memory for that, and nothing happened unless r->out failed. */
static bool part(struct http_request *r, struct buf *ready)
{
    struct buf next;

    if (reply_pack(r, false, ready)) {
        r->out.n = HTTP_HEADROOM;
    } else if (r->packer) {
        r->out.failed = true;
    } else {
        buf_init(&next, r->out.max);
        if (!buf_reserve(&next, HTTP_HEADROOM + ROOM))
            return false;
        next.n = HTTP_HEADROOM;
        *ready = r->out;
        r->out = next;
    }
    return !r->out.failed;
}

static void send_piece(struct http_request *r, struct piece *p)
{
    bool none = p->bytes.n == HTTP_HEADROOM; /* the packer has it all */

    buf_puts(&p->bytes, CHUNK_END);
    r->out.failed = r->out.failed || p->bytes.failed;
    if (none || p->bytes.failed) {
        buf_fini(&p->bytes);
        free(p);
        return;
    }
    atomic_fetch_add(&r->waiting, p->bytes.cap);
    loop_post(&r->loop->loop, &p->home);
}

void http_send_pieces(struct http_request *r, const char *content_type)
{
    if (http_out_size(r) < PIECE || r->out.failed || r->head.minor < 1 ||
        r->method == HTTP_HEAD)
        return;
    if (atomic_load(&r->gone)) {
        r->out.n = HTTP_HEADROOM;
        return;
    }
    if (atomic_load(&r->waiting) > r->out.max) {
        r->out.failed = true; /* the client does not read */
        return;
    }
    struct piece *p = malloc(sizeof(*p));
    if (!p)
        return;
    *p = (struct piece){.home.run = arrive, .r = r};
    if (!part(r, &p->bytes)) {
        free(p);
        return;
    }
    if (!r->in_pieces) {
        r->content_type = content_type;
        r->stream = r->in_pieces = true;
    }
    send_piece(r, p);
}
