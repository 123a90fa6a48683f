/* conn_internal.h - one connection; for the files of this module.
 *
 *   HEAD -> BODY -> WAIT -> WRITE -> HEAD ...        keep-alive
 *                              |
 *                              +---> LINGER -> closed  the rest of a refused
 *                                                      body is read away
 */
#ifndef HTTP_CONN_INTERNAL_H
#define HTTP_CONN_INTERNAL_H

#include "codec/number.h"
#include "http/chunked.h"
#include "http/server.h"

enum { IN_SIZE = HTTP_MAX_HEAD + 512, PAD = NUMBER_PAD };

/* What was received and not used yet. Does not move while a request points
 * into it. */
struct inbuf {
    struct inbuf *next;
    size_t n, pos;
    char data[IN_SIZE + PAD];
};

/* What sending came to: all of it, and the connection goes on; some of it; or
 * the connection is ending or has ended. */
enum conn_flush { CONN_FLUSHED, CONN_BLOCKED, CONN_ENDED };

enum conn_state { CONN_HEAD, CONN_BODY, CONN_WAIT, CONN_WRITE, CONN_LINGER };

struct conn {
    struct watch watch;
    struct http_loop *loop;
    struct conn *prev, *next;
    struct inbuf *in;         /* NULL while nothing is buffered */
    struct http_request *req; /* NULL between requests */
    int64_t deadline_ns;
    struct chunked chunked;
    uint32_t events; /* as registered with the loop */
    uint8_t state;
    bool in_idle;              /* which list it is in */
    bool replied;              /* the reply is in req->out */
    bool eof;                  /* the client sends no more */
    size_t sent;               /* of a piece, or else of req->out */
    uint64_t body_bytes;       /* received so far, for the minimum rate */
    unsigned char address[16]; /* of the client, IPv6 form */
    uint16_t port;
};

/* conn.c */
void conn_open(struct http_loop *l, int fd, const unsigned char address[16],
               uint16_t port);
void conn_close(struct conn *c);
void conn_sweep(struct http_loop *l);
/* Moves up to n idle connections to another loop. */
void conn_give(struct http_loop *from, struct http_loop *to, unsigned n);
void conn_drop_idle(struct http_loop *l); /* the longest idle one */
void conn_list_add(struct conn_list *list, struct conn *c);
void conn_list_remove(struct conn_list *list, struct conn *c);

/* conn_read.c */
void conn_advance(struct conn *c);

/* conn_receive.c */
void conn_receive(struct conn *c);

/* reply.c */
struct http_request *request_take(struct http_loop *l);
void request_release(struct http_request *r);
enum conn_flush conn_flush(struct conn *c);
void conn_want(struct conn *c, uint32_t events); /* no others from now on */
/* Puts in front of a body what stands there, the head (but once) and the size
 * of a chunk, and says how long that is. */
size_t reply_front(struct http_request *r, struct buf *out, size_t body);
struct inbuf *inbuf_take(struct http_loop *l);
void inbuf_release(struct http_loop *l, struct inbuf *in);

/* stream.c: sends what the client takes now. */
void conn_stream_flush(struct conn *c);

/* pieces.c: the one of which bytes from c->sent on are to be sent; NULL: all
 * that came are gone, and c->sent is of req->out. */
struct buf *pieces_first(struct conn *c);
void pieces_drop(struct http_request *r);

/* compress.c: the reply's body, or what is left of it, if the client asked for
 * it. */
void reply_compress(struct http_request *r);
/* Compresses the body into *packed, which has room in front. False: not asked
 * for, or no memory. */
bool reply_pack(struct http_request *r, bool last, struct buf *packed);

#endif
