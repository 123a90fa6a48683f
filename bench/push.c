/* push - writes a history to a store by remote write 1.0, as fast as it takes
 * it: push URL SERIES HOURS INTERVAL_S END_MS. Prints the seconds that it took.
 *
 * Series are those of bench/monitor.py: a quarter each of counters, gauges of
 * whole numbers, gauges of three decimals, and buckets of a histogram. What
 * their values are depends on nothing but their number and the time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/protobuf.h"
#include "codec/snappy.h"
#include "http/fetch.h"

enum { BATCH_SERIES = 500, BATCH_SAMPLES = 6, BODY_MAX = 16 << 20 };

static const char *const kinds[] = {"requests_total", "gpu_utilization",
                                    "gpu_power_watts",
                                    "latency_seconds_bucket"};
static const char *const bounds[] = {"0.005", "0.01", "0.025", "0.05", "0.1",
                                     "0.25",  "0.5",  "1",     "2.5",  "+Inf"};

struct state {
    uint64_t chance;
    double v;
};

/* xorshift64*, 0 to n - 1. */
static unsigned pick(struct state *s, unsigned n)
{
    s->chance ^= s->chance >> 12;
    s->chance ^= s->chance << 25;
    s->chance ^= s->chance >> 27;
    return (unsigned)((s->chance * UINT64_C(2685821657736338717)) >> 33) % n;
}

static double next_value(struct state *s, size_t kind)
{
    if (kind == 1) {
        s->v += (double)pick(s, 11) - 5;
        s->v = s->v < 0 ? 0 : s->v > 100 ? 100 : s->v;
    } else if (kind == 2) {
        s->v = (280000 + (double)pick(s, 40000)) / 1000;
    } else {
        s->v += pick(s, 40);
    }
    return s->v;
}

static void put_label(struct buf *series, struct buf *part, const char *name,
                      const char *value)
{
    buf_clear(part);
    protobuf_put_bytes(part, 1, str_from_cstr(name));
    protobuf_put_bytes(part, 2, str_from_cstr(value));
    protobuf_put_bytes(series, 1, buf_str(part));
}

static void put_labels(size_t i, struct buf *series, struct buf *part)
{
    char id[32], path[48];

    (void)snprintf(id, sizeof(id), "%zu", i / 40);
    (void)snprintf(path, sizeof(path), "/v1/models/%zu", i / 4 % 10);
    put_label(series, part, "__name__", kinds[i % 4]);
    put_label(series, part, "instance_id", id);
    put_label(series, part, "job", "app");
    if (i % 4 == 3)
        put_label(series, part, "le", bounds[i / 4 % 10]);
    put_label(series, part, "path", path);
}

static int post(const char *url, struct str request, struct buf *body,
                struct buf *answer)
{
    static const char *const headers[] = {
        "Content-Encoding: snappy", "X-Prometheus-Remote-Write-Version: 0.1.0",
        NULL};
    struct fetch f = {.url = url,
                      .headers = headers,
                      .body_type = "application/x-protobuf",
                      .timeout_ms = 60000};
    struct err err;

    buf_clear(body);
    buf_clear(answer);
    snappy_encode(request, body);
    f.body = buf_str(body);
    if (fetch_run(&f, answer, &err)) {
        fprintf(stderr, "push: %s\n", err.msg);
        return 1;
    }
    if (f.status / 100 == 2)
        return 0;
    fprintf(stderr, "push: %d %.*s\n", f.status, (int)answer->n,
            answer->n ? answer->p : "");
    return 1;
}

/* Six samples of each of so many series, from `first` on. */
static void put_batch(struct state *states, size_t first, size_t n, int64_t t,
                      int64_t step, struct buf *request, struct buf *series,
                      struct buf *part)
{
    buf_clear(request);
    for (size_t i = first; i < first + n; i++) {
        buf_clear(series);
        put_labels(i, series, part);
        for (int k = 0; k < BATCH_SAMPLES; k++) {
            buf_clear(part);
            protobuf_put_double(part, 1, next_value(&states[i], i % 4));
            protobuf_put_int(part, 2, t + k * step);
            protobuf_put_bytes(series, 2, buf_str(part));
        }
        protobuf_put_bytes(request, 1, buf_str(series));
    }
}

int main(int argc, char **argv)
{
    struct buf request, series, part, body, answer;
    struct err err;

    if (argc != 6 || fetch_init(&err))
        return 2;
    size_t n = strtoul(argv[2], NULL, 10);
    int64_t step = strtoll(argv[4], NULL, 10) * 1000;
    int64_t end = strtoll(argv[5], NULL, 10);
    int64_t t = end - strtoll(argv[3], NULL, 10) * 3600000;
    struct state *states = calloc(n, sizeof(*states));
    if (!states)
        return 1;
    for (size_t i = 0; i < n; i++)
        states[i] = (struct state){i * UINT64_C(0x9e3779b97f4a7c15) + 1, 50};
    buf_init(&request, BODY_MAX);
    buf_init(&series, BODY_MAX);
    buf_init(&part, BODY_MAX);
    buf_init(&body, BODY_MAX);
    buf_init(&answer, BODY_MAX);
    int64_t start = clock_mono_ns();
    for (; t < end; t += BATCH_SAMPLES * step)
        for (size_t i = 0; i < n; i += BATCH_SERIES) {
            size_t m = n - i < BATCH_SERIES ? n - i : (size_t)BATCH_SERIES;
            put_batch(states, i, m, t, step, &request, &series, &part);
            if (post(argv[1], buf_str(&request), &body, &answer))
                return 1;
        }
    printf("%.3f\n", (double)(clock_mono_ns() - start) * 1e-9);
    return 0;
}
