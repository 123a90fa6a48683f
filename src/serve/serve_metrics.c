#include "serve/serve_metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "serve/infer.h"

static const double seconds_bounds[] = {
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001,
    0.0025,  0.005,    0.01,    0.025,  0.05,    0.1,    0.25,
    0.5,     1,        2.5,     5,      10};
static const double size_bounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256};

/* Bounds of prometheus-fastapi-instrumentator 8.0, and below them those that an
 * answer of ours needs: its median would else be half of the first one. */
static const double highr_bounds[] = {
    .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05,
    .075,  .1,     .25,   .5,   .75,   1,    1.5, 2,    2.5,
    3,     3.5,    4,     4.5,  5,     7.5,  10,  30,   60};
static const double lowr_bounds[] = {.1, .5, 1};

/* clang-format off */
#define COUNTER(name, help)   {name, help, METRIC_COUNTER, NULL, 0}
#define GAUGE(name, help)     {name, help, METRIC_GAUGE, NULL, 0}
#define SECONDS(name, help)   {name, help, METRIC_HISTOGRAM, seconds_bounds, COUNT(seconds_bounds)}

enum {
    SUCCESS, FAILURE, INFERENCES, EXECUTIONS, REQUEST_US, QUEUE_US, INPUT_US,
    INFER_US, OUTPUT_US, PENDING, LOAD_SECONDS,
    PARSE, QUEUE, BATCH_WAIT, RUN, ENCODE, BATCH_SIZE, QUEUE_DEPTH, INLINE,
    REJECTED,
};

/* Triton's names and help texts first, then our own. */
static const struct metric_family families[] = {
    [SUCCESS]      = COUNTER("nv_inference_request_success", "Number of successful inference requests, all batch sizes"),
    [FAILURE]      = COUNTER("nv_inference_request_failure", "Number of failed inference requests, all batch sizes"),
    [INFERENCES]   = COUNTER("nv_inference_count", "Number of inferences performed (does not include cached requests)"),
    [EXECUTIONS]   = COUNTER("nv_inference_exec_count", "Number of model executions performed (does not include cached requests)"),
    [REQUEST_US]   = COUNTER("nv_inference_request_duration_us", "Cumulative inference request duration in microseconds (includes cached requests)"),
    [QUEUE_US]     = COUNTER("nv_inference_queue_duration_us", "Cumulative inference queuing duration in microseconds (includes cached requests)"),
    [INPUT_US]     = COUNTER("nv_inference_compute_input_duration_us", "Cumulative compute input duration in microseconds (does not include cached requests)"),
    [INFER_US]     = COUNTER("nv_inference_compute_infer_duration_us", "Cumulative compute inference duration in microseconds (does not include cached requests)"),
    [OUTPUT_US]    = COUNTER("nv_inference_compute_output_duration_us", "Cumulative inference compute output duration in microseconds (does not include cached requests)"),
    [PENDING]      = GAUGE("nv_inference_pending_request_count", "Instantaneous number of pending requests awaiting execution per-model."),
    [LOAD_SECONDS] = GAUGE("nv_model_load_duration_secs", "Model load time in seconds"),
    [PARSE]        = SECONDS("stoker_parse_seconds", "Time to turn a request body into tensors."),
    [QUEUE]        = SECONDS("stoker_queue_seconds", "Time a request waited before its run, reading the body not included."),
    [BATCH_WAIT]   = SECONDS("stoker_batch_wait_seconds", "Time a decoded request waited for its batch to run."),
    [RUN]          = SECONDS("stoker_run_seconds", "Time of the model run a request was part of."),
    [ENCODE]       = SECONDS("stoker_encode_seconds", "Time from the end of the run to the encoded reply."),
    [BATCH_SIZE]   = {"stoker_batch_size_rows", "Rows per model run.", METRIC_HISTOGRAM, size_bounds, COUNT(size_bounds)},
    [QUEUE_DEPTH]  = GAUGE("stoker_queue_requests", "Requests waiting in the model's queue."),
    [INLINE]       = GAUGE("stoker_model_inline", "1: the model runs on the event loop, 0: in the pool."),
    [REJECTED]     = COUNTER("stoker_rejected_total", "Requests dropped before the model ran, by reason."),
};
/* clang-format on */

static struct metric *series(struct metrics *m, int family,
                             const struct served *model, const char *reason)
{
    struct buf labels;

    buf_init(&labels, 4096);
    metric_label(&labels, "model", str_from_cstr(model->name));
    metric_label(&labels, "version", str_from_cstr(model->version));
    if (reason)
        metric_label(&labels, "reason", str_from_cstr(reason));
    buf_putc(&labels, '\0');
    struct metric *s =
        labels.failed ? NULL : metrics_series(m, &families[family], labels.p);
    buf_fini(&labels);
    return s;
}

void serve_metrics_model(struct metrics *m, struct served *model)
{
    struct served_metrics *out = &model->metrics;

    out->success = series(m, SUCCESS, model, NULL);
    out->fail_rejected = series(m, FAILURE, model, "REJECTED");
    out->fail_canceled = series(m, FAILURE, model, "CANCELED");
    out->fail_backend = series(m, FAILURE, model, "BACKEND");
    out->fail_other = series(m, FAILURE, model, "OTHER");
    out->count = series(m, INFERENCES, model, NULL);
    out->exec_count = series(m, EXECUTIONS, model, NULL);
    out->request_us = series(m, REQUEST_US, model, NULL);
    out->queue_us = series(m, QUEUE_US, model, NULL);
    out->input_us = series(m, INPUT_US, model, NULL);
    out->infer_us = series(m, INFER_US, model, NULL);
    out->output_us = series(m, OUTPUT_US, model, NULL);
    out->pending = series(m, PENDING, model, NULL);
    out->load_seconds = series(m, LOAD_SECONDS, model, NULL);
    out->parse = series(m, PARSE, model, NULL);
    out->queue = series(m, QUEUE, model, NULL);
    out->batch_wait = series(m, BATCH_WAIT, model, NULL);
    out->run = series(m, RUN, model, NULL);
    out->encode = series(m, ENCODE, model, NULL);
    out->batch_size = series(m, BATCH_SIZE, model, NULL);
    out->queue_depth = series(m, QUEUE_DEPTH, model, NULL);
    out->inline_mode = series(m, INLINE, model, NULL);
    out->reject_full = series(m, REJECTED, model, "queue_full");
    out->reject_deadline = series(m, REJECTED, model, "deadline");
    out->reject_gone = series(m, REJECTED, model, "client_gone");
}

static const struct metric_family http_families[] = {
    COUNTER("http_requests_total",
            "Total number of requests by method, status and handler."),
    {"http_request_size_bytes",
     "Content length of incoming requests by handler. Only value of header is "
     "respected. Otherwise ignored. No percentile calculated. ",
     METRIC_SUMMARY, NULL, 0},
    {"http_response_size_bytes",
     "Content length of outgoing responses by handler. Only value of header is "
     "respected. Otherwise ignored. No percentile calculated. ",
     METRIC_SUMMARY, NULL, 0},
    {"http_request_duration_highr_seconds",
     "Latency with many buckets but no API specific labels. Made for more "
     "accurate percentile calculations. ",
     METRIC_HISTOGRAM, highr_bounds, COUNT(highr_bounds)},
    {"http_request_duration_seconds",
     "Latency with only few buckets by handler. Made to be only used if "
     "aggregation by handler is important. ",
     METRIC_HISTOGRAM, lowr_bounds, COUNT(lowr_bounds)},
};

enum { TOTAL, SIZE_IN, SIZE_OUT, HIGHR, LOWR };
enum { METHODS = 5, STATUSES = 5 };

/* The series of one handler, found once. */
struct handler {
    struct metric *size_in, *size_out;
    struct metric *lowr[METHODS];
    struct metric *total[METHODS][STATUSES];
};

struct http_metrics {
    struct metrics *metrics;
    struct metric *highr;
    unsigned shard;
    size_t routes;
    struct handler handlers[]; /* the last is for paths without a route */
};

struct http_metrics *http_metrics_new(struct metrics *m, unsigned shard,
                                      size_t routes)
{
    struct http_metrics *h =
        calloc(1, sizeof(*h) + (routes + 1) * sizeof(h->handlers[0]));

    if (!h)
        return NULL;
    h->metrics = m;
    h->shard = shard;
    h->routes = routes;
    h->highr = metrics_series(m, &http_families[HIGHR], "");
    return h;
}

void http_metrics_free(struct http_metrics *h)
{
    free(h);
}

static const char *const method_names[METHODS] = {"GET", "HEAD", "POST",
                                                  "OPTIONS", "OTHER"};

static unsigned method_index(unsigned method)
{
    return (unsigned)__builtin_ctz(method | 1U << (METHODS - 1));
}

static struct metric *find(struct http_metrics *h, int family,
                           const char *handler, const char *method,
                           unsigned status)
{
    char labels[256], part[64] = "", st[24] = "";

    if (method)
        (void)snprintf(part, sizeof(part), ",method=\"%s\"", method);
    if (status)
        (void)snprintf(st, sizeof(st), ",status=\"%uxx\"", status);
    (void)snprintf(labels, sizeof(labels), "handler=\"%.100s\"%s%s", handler,
                   part, st);
    return metrics_series(h->metrics, &http_families[family], labels);
}

void http_metrics_count(struct http_metrics *h, const struct http_request *r,
                        double seconds)
{
    const char *label = r->match.route ? r->match.route->pattern : "none";
    struct handler *x =
        &h->handlers[r->match.route ? r->match.index : h->routes];
    unsigned m = method_index(r->method);
    unsigned s = (unsigned)r->status / 100 - 1;

    if (s >= STATUSES)
        return;
    if (!x->total[m][s])
        x->total[m][s] = find(h, TOTAL, label, method_names[m], s + 1);
    if (!x->lowr[m])
        x->lowr[m] = find(h, LOWR, label, method_names[m], 0);
    if (!x->size_in) {
        x->size_in = find(h, SIZE_IN, label, NULL, 0);
        x->size_out = find(h, SIZE_OUT, label, NULL, 0);
    }
    metric_add(x->total[m][s], h->shard, 1);
    metric_observe(x->size_in, h->shard, (double)r->bytes_in);
    metric_observe(x->size_out, h->shard, (double)r->bytes_out);
    metric_observe(x->lowr[m], h->shard, seconds);
    metric_observe(h->highr, h->shard, seconds);
}
