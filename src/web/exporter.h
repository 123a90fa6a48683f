/* exporter.h - a port of its own for the GPUs' metrics, in place of
 * dcgm-exporter: GET /metrics and /health.
 *
 * It answers with the last reading, so that no request waits for a GPU.
 */
#ifndef WEB_EXPORTER_H
#define WEB_EXPORTER_H

#include "collect/gpu/gpu.h"
#include "http/server.h"

struct exporter;

/* Takes over the listening socket. gpus must outlive it. */
MUST_CHECK enum errc exporter_start(struct gpus *gpus, int fd,
                                    const struct http_limits *limits,
                                    struct exporter **out, struct err *err);
void exporter_free(struct exporter *e); /* NULL is fine */

#endif
