/* loader.h - a thread that loads and unloads models, one after the other, so
 * that no event loop waits for a disk. */
#ifndef SERVE_LOADER_H
#define SERVE_LOADER_H

#include "http/request.h"
#include "serve/registry.h"

struct loader;

MUST_CHECK enum errc loader_new(struct registry *r, struct loader **out,
                                struct err *err);
void loader_free(struct loader *l); /* finishes the job at hand */

/* Answers r when the model was loaded or unloaded. Loop thread. */
void loader_submit(struct loader *l, struct http_request *r, const char *model,
                   bool load);

#endif
