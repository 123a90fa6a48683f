/* request.h - one HTTP request on its way to an answer.
 *
 * A handler gets it complete, with its body. It answers by writing the body
 * into r->out and calling http_reply(), at once or later; until then the
 * request and all it points to stay where they are, even when the client
 * leaves (r->gone).
 *
 * Threads: belongs to the loop it came from. Another thread may read head,
 * params and body and write arena and out between hand-over and return, and
 * may read `gone` at any time.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "http/head.h"
#include "http/router.h"

struct conn;
struct gzip_stream;
struct http_loop;
struct http_server;
struct inbuf;
struct piece;

enum {
    HTTP_HEADROOM = 768, /* bytes of r->out in front of the body */
    HTTP_EXTRA_MAX = 256,
    HTTP_ID_MAX = 64,
};

struct http_request {
    struct http_request *next; /* free list, or the owner's queue */
    struct http_loop *loop;
    struct conn *conn; /* NULL once the client is gone */
    _Atomic bool gone;

    struct http_head head;
    unsigned method;
    struct str path, query; /* as sent, not decoded */
    struct http_match match;
    struct str body; /* without transfer and content codings */

    struct arena arena;
    struct buf out; /* HTTP_HEADROOM bytes, then the body of the reply */
    int status;
    const char *content_type;
    char extra[HTTP_EXTRA_MAX]; /* more header lines, each with CR LF */
    size_t n_extra;
    char id[HTTP_ID_MAX]; /* sent by the client, or made by http_request_id */

    int64_t start_ns;
    uint64_t bytes_in, bytes_out; /* of the bodies, as on the wire */
    bool keep_alive;
    bool may_compress; /* the handler allows any size to be compressed */
    bool stream;       /* send chunked: the length is nobody's business */
    bool in_pieces;    /* the writer's: some of it was handed over, and */
    bool begun;        /* the loop's: the head is in front of that */
    bool endless;      /* it goes on until the connection ends */

    /* For the server's user. */
    void *user;
    const char *model; /* for the logs; "" when there is none */

    struct inbuf *in;    /* what head and body point into */
    struct buf storage;  /* or this */
    struct buf unpacked; /* or this */
    char *large;         /* or this: a body with a known length */
    size_t large_n, large_have;

    struct gzip_stream *packer;
    struct piece *pieces;   /* to be sent before out, see pieces.h */
    size_t out_from;        /* where what is to be sent of out begins */
    _Atomic size_t waiting; /* bytes of pieces under way */
};

/* The buffer for the reply's body. */
struct buf *http_out(struct http_request *r);
size_t http_out_size(const struct http_request *r);

/* Adds a header line to the reply; the value must not have line ends. */
void http_header(struct http_request *r, const char *name, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Sends r->out. The request must not be touched afterwards. Loop thread. */
void http_reply(struct http_request *r, int status, const char *content_type);

/* Replaces the body by {"error": message} and sends it. */
void http_reply_error(struct http_request *r, int status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* The same without sending, for other threads: status and body are set, and
 * http_reply(r, r->status, r->content_type) is still to be called. */
void http_set_error(struct http_request *r, int status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Parts the request from its client, who gets the answer through the returned
 * request instead; r is released when it is replied to, as if the client had
 * left. NULL if out of memory, and then nothing changed. */
struct http_request *http_detach(struct http_request *r);

/* The request's id: the client's, or a new one. */
const char *http_request_id(struct http_request *r);

/* True when the client wants this type more than none at all: "application/x"
 * is named in Accept. */
bool http_accepts(const struct http_request *r, const char *type);

#endif
