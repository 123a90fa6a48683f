/* routes.h - every path of the data plane. */
#ifndef SERVE_ROUTES_H
#define SERVE_ROUTES_H

#include "http/router.h"

const struct http_route *serve_routes(size_t *n);

#endif
