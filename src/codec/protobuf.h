/* protobuf.h - the wire format of Protocol Buffers, read in place.
 *
 *     struct protobuf m = {bytes, ...};
 *     while (protobuf_next(&m, &field))
 *         switch (field.number) ...
 *     if (m.failed) ... the bytes are not a message
 *
 * Reads one level; a nested message is field.bytes, read the same way. Source:
 * https://protobuf.dev/programming-guides/encoding/
 */
#ifndef CODEC_PROTOBUF_H
#define CODEC_PROTOBUF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct protobuf {
    struct str rest;
    bool failed;
};

struct protobuf_field {
    uint32_t number;
    uint8_t wire;     /* 0 varint, 1 64 bits, 2 bytes, 5 32 bits */
    uint64_t value;   /* of wire 0, 1 and 5 */
    struct str bytes; /* of wire 2 */
};

/* False at the end, and on bytes that are no message (then failed is set). */
bool protobuf_next(struct protobuf *m, struct protobuf_field *f);

/* ---- writing ------------------------------------------------------------ */

void protobuf_put_varint(struct buf *b, uint64_t v);
void protobuf_put_int(struct buf *b, unsigned field, int64_t v);
void protobuf_put_double(struct buf *b, unsigned field, double v);
void protobuf_put_bytes(struct buf *b, unsigned field, struct str s);

#endif
