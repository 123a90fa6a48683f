/* load.h - a load generator: so many connections, each sends the next request
 * when the answer to the last one is complete (closed loop). One thread. */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "base/err.h"
#include "base/str.h"
#include "http/client.h"

struct load_result {
    int concurrency;
    double seconds;
    uint64_t requests, errors; /* errors: no status 200 */
    int first_error;           /* its status; 0: the connection broke */
    double p50_ms, p99_ms, max_ms;
};

/* Sends `request` (a whole HTTP/1.1 message) for so long. */
MUST_CHECK enum errc load_run(const struct client_url *url, struct str request,
                              int concurrency, int64_t duration_ns,
                              struct load_result *out, struct err *err);

#endif
