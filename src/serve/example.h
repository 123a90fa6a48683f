/* example.h - a request that works, for the documentation of a model. */
#ifndef SERVE_EXAMPLE_H
#define SERVE_EXAMPLE_H

#include "base/buf.h"
#include "serve/served.h"

enum { EXAMPLE_MAX = 4096 }; /* elements; larger inputs get no example */

/* The body for POST /predict, or false when an input is too large or cannot be
 * sent. */
bool example_predict(struct buf *b, const struct served *m);

/* The body for POST /v2/models/{m}/infer. */
bool example_oip(struct buf *b, const struct served *m);

/* The body for POST /v1/models/{m}:predict. */
bool example_tfs(struct buf *b, const struct served *m);

#endif
