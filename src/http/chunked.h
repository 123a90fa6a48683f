/* chunked.h - the chunked transfer coding (RFC 9112, 7.1), incrementally.
 *
 * Strict: CR LF only, no white space around sizes, at most 16 digits; chunk
 * extensions are skipped and trailers dropped, both within a limit. The total
 * result does not depend on the pieces the bytes come in.
 */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include "base/buf.h"

struct chunked {
    uint8_t state;
    uint8_t digits;    /* of the size being read */
    uint64_t left;     /* bytes of the current chunk still to come */
    uint32_t overhead; /* bytes of extensions and trailers so far */
};

enum chunked_result {
    CHUNKED_MORE = 0,
    CHUNKED_DONE = 1,
    /* any larger value is the status to refuse the request with */
};

/* Reads from in[0..n), appends data to out, whose max is the limit, and says
 * in *used how much it took: after CHUNKED_DONE the rest is the next request.
 */
int chunked_read(struct chunked *c, const char *in, size_t n, size_t *used,
                 struct buf *out);

#endif
