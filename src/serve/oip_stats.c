/* oip_stats.c - GET .../stats: the statistics extension, from the same counters
 * as /metrics. All eight members are always there: Triton's perf_analyzer
 * reads each of them without looking. */
#include <string.h>

#include "serve/protocols.h"

static void put_duration(struct buf *b, const char *name, double count,
                         double us)
{
    buf_printf(b, "\"%s\":{\"count\":%.0f,\"ns\":%.0f}", name, count,
               us * 1000);
}

static void put_batches(struct buf *b, const struct served *m)
{
    bool first = true;

    buf_puts(b, ",\"batch_stats\":[");
    for (size_t i = 1; i < SERVED_BATCH_STATS; i++) {
        uint64_t runs = atomic_load(&m->batches[i].runs);
        if (runs == 0)
            continue;
        buf_printf(b,
                   "%s{\"batch_size\":%zu,\"compute_input\":{\"count\":%llu,"
                   "\"ns\":0},\"compute_infer\":{\"count\":%llu,\"ns\":%llu},"
                   "\"compute_output\":{\"count\":%llu,\"ns\":0}}",
                   first ? "" : ",", i, (unsigned long long)runs,
                   (unsigned long long)runs,
                   (unsigned long long)atomic_load(&m->batches[i].infer_ns),
                   (unsigned long long)runs);
        first = false;
    }
    buf_putc(b, ']');
}

static void put_model(struct buf *b, const struct served *m)
{
    const struct served_metrics *x = &m->metrics;
    double ok = metric_value(x->success, NULL);
    double failed = metric_value(x->fail_rejected, NULL) +
                    metric_value(x->fail_canceled, NULL) +
                    metric_value(x->fail_backend, NULL) +
                    metric_value(x->fail_other, NULL);

    buf_puts(b, "{\"name\":");
    buf_put_quoted(b, str_from_cstr(m->name));
    buf_puts(b, ",\"version\":");
    buf_put_quoted(b, str_from_cstr(m->version));
    buf_printf(b,
               ",\"last_inference\":%lld,\"inference_count\":%.0f,"
               "\"execution_count\":%.0f,\"inference_stats\":{",
               (long long)atomic_load(&m->last_ms),
               metric_value(x->count, NULL), metric_value(x->exec_count, NULL));
    put_duration(b, "success", ok, metric_value(x->request_us, NULL));
    buf_putc(b, ',');
    put_duration(b, "fail", failed, 0);
    buf_putc(b, ',');
    put_duration(b, "queue", ok, metric_value(x->queue_us, NULL));
    buf_putc(b, ',');
    put_duration(b, "compute_input", ok, metric_value(x->input_us, NULL));
    buf_putc(b, ',');
    put_duration(b, "compute_infer", ok, metric_value(x->infer_us, NULL));
    buf_putc(b, ',');
    put_duration(b, "compute_output", ok, metric_value(x->output_us, NULL));
    buf_puts(b, ",\"cache_hit\":{\"count\":0,\"ns\":0},"
                "\"cache_miss\":{\"count\":0,\"ns\":0}},"
                "\"response_stats\":{}");
    put_batches(b, m);
    buf_puts(b, ",\"memory_usage\":[]}");
}

void oip_stats(struct http_request *r)
{
    const struct snapshot *snap = service_snapshot(r->loop);
    struct str name = r->match.params[0], version = r->match.params[1];
    struct buf *b = http_out(r);
    bool first = true;

    buf_puts(b, "{\"model_stats\":[");
    for (size_t i = 0; i < snap->n; i++) {
        const struct registry_entry *e = &snap->entries[i];
        if (!e->served || (name.p && !str_eq(name, str_from_cstr(e->name))) ||
            (version.n && !str_eq(version, str_from_cstr(e->version))))
            continue;
        if (!first)
            buf_putc(b, ',');
        first = false;
        put_model(b, e->served);
    }
    if (name.p && first) {
        http_reply_error(r, 404,
                         "requested model '" STR_FMT "' is not available",
                         STR_ARG(name));
        return;
    }
    buf_puts(b, "]}");
    http_reply(r, 200, "application/json");
}
