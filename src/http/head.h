/* head.h - the head of an HTTP/1.1 request: line and headers.
 *
 * Incremental: each call gets everything received so far, in a buffer that
 * does not move, and continues at the last incomplete line; the result does
 * not depend on the pieces. No allocation, no sockets.
 *
 * Strict on purpose (RFC 9112): no bare LF, no line folding, no space before
 * the colon, one Host, one length. Every one of those has been a request
 * smuggling bug somewhere.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum {
    HTTP_MAX_HEADERS = 64,
    HTTP_MAX_TARGET = 8192,
    HTTP_MAX_HEAD = 16384,
};

/* The headers that mean something to us; the value, or p == NULL. */
enum http_header {
    HTTP_HOST,
    HTTP_CONTENT_LENGTH,
    HTTP_TRANSFER_ENCODING,
    HTTP_CONNECTION,
    HTTP_EXPECT,
    HTTP_CONTENT_TYPE,
    HTTP_CONTENT_ENCODING,
    HTTP_ACCEPT,
    HTTP_ACCEPT_ENCODING,
    HTTP_ACCEPT_LANGUAGE,
    HTTP_INFERENCE_LENGTH, /* Inference-Header-Content-Length */
    HTTP_REQUEST_ID,       /* X-Request-Id */
    HTTP_TRACEPARENT,
    HTTP_USER_AGENT,
    HTTP_AUTHORIZATION,
    HTTP_FETCH_SITE, /* Sec-Fetch-Site */
    HTTP_KNOWN_HEADERS,
};

struct http_head {
    uint32_t line;  /* where the current line begins */
    uint32_t seen;  /* how far a line end was looked for */
    bool started;   /* the request line is done */
    uint8_t blanks; /* empty lines in front of the request line */
    uint8_t minor;  /* HTTP/1.minor */
    uint8_t headers;

    struct str method, target;
    struct str known[HTTP_KNOWN_HEADERS];

    /* Set when complete. */
    int64_t content_length; /* -1: none given */
    bool chunked, keep_alive, expect_continue;
};

enum http_result {
    HTTP_NEED_MORE = 0,
    HTTP_COMPLETE = 1, /* head->line is the first byte of the body */
    /* any larger value is the status to refuse the request with */
};

/* A zeroed head is ready for the first call. */
int http_head_parse(struct http_head *h, const char *buf, size_t n);

#endif
