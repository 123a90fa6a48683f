/* base64.h - RFC 4648, section 4: the standard alphabet with padding. */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Writes at most text.n bytes. False on any byte that does not belong. */
bool base64_decode(struct str text, char *out, size_t *n);

size_t base64_encoded_size(size_t n);
size_t base64_encode(struct str bytes, char *out);

#endif
