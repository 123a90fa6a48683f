/* stream.h - an answer that goes on: server-sent events.
 *
 *     http_stream_begin(r, "text/event-stream");
 *     http_stream_put(r, STR("data: 1\n\n"));     as often as there is news
 *     http_stream_end(r);                         or when hooks.gone was called
 *
 * It has neither a length nor chunks: it ends with its connection. A client
 * that takes nothing while HTTP_STREAM_MAX bytes wait for it is dropped, so
 * that one who sleeps costs no more than that. HEAD is not for streams.
 *
 * Threads: the request's loop.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include "http/request.h"

enum { HTTP_STREAM_MAX = 4 << 20 };

/* Sends the head. From here on the request is its owner's until it is ended,
 * also when the client leaves: hooks.gone is called, and nothing that is put
 * goes anywhere. */
void http_stream_begin(struct http_request *r, const char *content_type);
void http_stream_put(struct http_request *r, struct str bytes);

/* Sends what waits and closes. The request must not be touched afterwards. */
void http_stream_end(struct http_request *r);

#endif
