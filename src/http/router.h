/* router.h - from method and path to a handler, by a table.
 *
 * Patterns are segments: a word, {name} for any one segment, and a final {*}
 * for the rest of the path. The path is split before it is percent-decoded,
 * once, so an encoded slash never makes a segment; empty, "." and ".." segments
 * are refused, a slash at the end is forgiven. What a filter in front of the
 * table (authorisation) sees is this normal form.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_POST = 4,
    HTTP_OPTIONS = 8,
    HTTP_DELETE = 16,
    HTTP_OTHER = 32, /* known to the standard, to no route of ours */
};

struct http_request;

struct http_route {
    unsigned methods; /* HEAD goes with GET by itself */
    const char *pattern;
    void (*handle)(struct http_request *r);
    unsigned flags; /* for the module that owns the table */
};

enum { ROUTER_MAX_SEGMENTS = 10, ROUTER_MAX_PARAMS = 4 };

struct http_match {
    const struct http_route *route; /* NULL: no such path */
    size_t index;                   /* of the route in the table */
    bool method_known;              /* false: 405, `allowed` says which */
    unsigned allowed;
    struct str params[ROUTER_MAX_PARAMS];
};

struct router;

/* The table must outlive the router. NULL if out of memory. */
struct router *router_new(const struct http_route *table, size_t n);
void router_free(struct router *r);

/* 0, or the status to refuse the path with. Parameters point into the path or
 * the arena. */
int router_match(const struct router *r, unsigned method, struct str path,
                 struct arena *arena, struct http_match *out);

unsigned http_method_parse(struct str name);

#endif
