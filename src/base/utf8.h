/* utf8.h - which byte sequences are UTF-8 (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF). */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Bytes of the character at the start of s, or 0 if it is not one. */
size_t utf8_length(struct str s);
bool utf8_valid(struct str s);

/* Writes cp (a scalar value) to out[0..4) and returns the number of bytes. */
size_t utf8_encode(uint32_t cp, char *out);

#endif
