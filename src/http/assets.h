/* assets.h - pages that are put into the program at build time
 * (tools/embed.c); each set is declared by the module that owns it. */
#ifndef HTTP_ASSETS_H
#define HTTP_ASSETS_H

#include "http/request.h"

struct asset {
    const char *name; /* of the file, without its directories */
    const char *type; /* its media type */
    const unsigned char *bytes;
    size_t size;
};

struct assets {
    const struct asset *v;
    size_t n;
};

/* Answers with the file of that name, or 404. A page may talk to this server
 * and to nobody else. */
void http_reply_asset(struct http_request *r, const struct assets *set,
                      struct str name);

#endif
