/* assets.h - the files of console/docs, compiled in by tools/embed.c. */
#ifndef SERVE_ASSETS_H
#define SERVE_ASSETS_H

#include <stddef.h>

struct asset {
    const char *name, *type;
    const unsigned char *bytes;
    size_t size;
};

extern const struct asset assets[];
extern const size_t assets_count;

#endif
