/* embedded.h - texts that are put into the program at build time
 * (tools/embed.c); each list is declared by the module that owns it. */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_text {
    const char *name; /* of the file, without its directories */
    const char *text; /* with a NUL behind it */
    size_t n;         /* bytes without that */
};

struct embedded_texts {
    const struct embedded_text *v;
    size_t n;
};

#endif
