/* size_text.h - sizes for people. */
#ifndef CLI_SIZE_TEXT_H
#define CLI_SIZE_TEXT_H

#include <stdint.h>

enum { SIZE_TEXT_MAX = 24 };

/* "4.1 kB": powers of 1000. Returns out. */
const char *size_text(int64_t bytes, char out[SIZE_TEXT_MAX]);

#endif
