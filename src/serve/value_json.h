/* value_json.h - outputs of any kind as JSON: a tensor as nested lists, a
 * sequence as a list, a map as an object, an absent optional as null. */
#ifndef SERVE_VALUE_JSON_H
#define SERVE_VALUE_JSON_H

#include "base/buf.h"
#include "model/tensor.h"

/* `b64`: strings as {"b64": ...}. */
void value_json_write(struct buf *b, const struct value *v, bool b64);

/* A list of per-row texts from a sequence: member i as JSON. */
void value_json_member(struct buf *b, const struct value *sequence, size_t i);

#endif
