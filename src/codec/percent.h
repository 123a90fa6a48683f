/* percent.h - percent-encoding of URL paths and queries (RFC 3986, 2.1). */
#ifndef CODEC_PERCENT_H
#define CODEC_PERCENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* Decodes once. Without a percent sign the text itself is returned. False on a
 * malformed escape, on NUL and other controls, and when out of memory. */
bool percent_decode(struct str text, struct arena *arena, struct str *out);

/* The same for a text of a form (application/x-www-form-urlencoded): a plus is
 * a space, and controls may be in it. */
bool percent_decode_form(struct str text, struct arena *arena, struct str *out);

/* Appends the text as a form has it. */
void percent_encode_form(struct buf *out, struct str text);

/* Appends the text as a path has it (RFC 3986, 3.3): slashes stay. */
void percent_encode_path(struct buf *out, struct str text);

#endif
