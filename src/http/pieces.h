/* pieces.h - a reply that is sent while the rest of it is being written.
 *
 *     r->status = 200;
 *     buf_put(http_out(r), ...);
 *     http_send_pieces(r, "application/json");    as often as one likes
 *     ...
 *     http_reply(r, 200, "application/json");     the rest, on the loop
 *
 * For answers of many megabytes: they are not held in memory, and the client
 * reads the first of them while the last are written. They are compressed here,
 * too, when the client asked for that, and not by the loop. What is not worth
 * it, or cannot be cut (HTTP/1.0, HEAD), stays where it is until http_reply().
 *
 * Once a piece is gone, nothing can be said but the rest: http_out() that
 * failed then ends the connection, without the last chunk, so that the client
 * knows that the answer is not whole.
 *
 * Threads: the one that writes r->out.
 */
#ifndef HTTP_PIECES_H
#define HTTP_PIECES_H

#include "http/request.h"

/* Sends what http_out() has, if that is enough for a piece. */
void http_send_pieces(struct http_request *r, const char *content_type);

#endif
