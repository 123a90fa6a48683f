/* json_tensor.h - nested JSON lists straight into a tensor's own element type,
 * and back.
 *
 * Reading infers the shape on the way: [[1,2],[3,4]] is [2,2], 7 is a scalar,
 * [[],[]] is [2,0]. Ragged lists are refused with the place of the first row
 * that differs. No tree is built: elements are written once, to where they
 * stay, in the arena of the reader.
 */
#ifndef CODEC_JSON_TENSOR_H
#define CODEC_JSON_TENSOR_H

#include "codec/dtype.h"
#include "codec/json.h"
#include "codec/shape.h"

/* Elements under construction. Start with {.type = t}; strings are an array of
 * struct str that point into the text or the arena. */
struct elements {
    enum dtype type;
    void *data;
    size_t n, cap;
    bool b64; /* strings may be {"b64": "..."} objects (TF Serving) */
};

/* Appends one value, of any nesting, to e and tells its shape. False with the
 * reason in the reader. */
bool json_tensor_read(struct json *j, struct elements *e, struct shape *shape);

/* Room for n more elements; false when the arena's limit is reached. Reading
 * makes its own room: this avoids the guess when the number is known. */
bool elements_reserve(struct elements *e, struct arena *arena, size_t n);

/* Bytes of one element in memory. */
size_t elements_size(enum dtype type);

/* Writes n elements from data as a flat list without brackets: "1.0,2.5". */
void json_tensor_write_flat(struct buf *b, enum dtype type, const void *data,
                            size_t n);

/* Writes nested lists after the shape; a scalar is a bare value. `b64`: write
 * strings as {"b64": ...} objects. */
void json_tensor_write(struct buf *b, enum dtype type, const void *data,
                       const struct shape *shape, bool b64);

#endif
