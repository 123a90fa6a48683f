#include "unit/unit.h"

#include <pthread.h>

#include "fault.h"
#include "metric/metric.h"

static const double bounds[] = {0.1, 1, 2.5};
static const struct metric_family counter = {"x_total", "Xs.", METRIC_COUNTER, NULL, 0};
static const struct metric_family odd = {"nv_x", "Xs.", METRIC_COUNTER, NULL, 0};
static const struct metric_family histogram = {"y_seconds", "Ys.", METRIC_HISTOGRAM, bounds, 3};
static const struct metric_family summary = {"z_bytes", "Zs.", METRIC_SUMMARY, NULL, 0};

TEST(metrics_expose_both_formats)
{
    struct metrics *m = metrics_new(2);
    struct buf b;

    metric_add(metrics_series(m, &counter, "a=\"1\""), 0, 2);
    metric_add(metrics_series(m, &counter, "a=\"1\""), 1, 3);
    metric_add(metrics_series(m, &odd, ""), 0, 1);
    metric_observe(metrics_series(m, &histogram, ""), 0, 0.1);
    metric_observe(metrics_series(m, &histogram, ""), 1, 2);
    metric_observe(metrics_series(m, &histogram, ""), 1, 99);
    metric_observe(metrics_series(m, &summary, "h=\"/\""), 0, 7);
    buf_init(&b, 1 << 16);
    metrics_expose(m, false, &b);
    CHECK_STR(buf_str(&b),
              "# HELP x_total Xs.\n# TYPE x_total counter\nx_total{a=\"1\"} 5\n"
              "# HELP nv_x Xs.\n# TYPE nv_x counter\nnv_x 1\n"
              "# HELP y_seconds Ys.\n# TYPE y_seconds histogram\n"
              "y_seconds_bucket{le=\"0.1\"} 1\ny_seconds_bucket{le=\"1.0\"} 1\n"
              "y_seconds_bucket{le=\"2.5\"} 2\ny_seconds_bucket{le=\"+Inf\"} 3\n"
              "y_seconds_count 3\ny_seconds_sum 101.09999999999999\n"
              "# HELP z_bytes Zs.\n# TYPE z_bytes summary\nz_bytes_count{h=\"/\"} 1\n"
              "z_bytes_sum{h=\"/\"} 7\n");
    buf_clear(&b);
    metrics_expose(m, true, &b);
    CHECK(memmem(b.p, b.n, "# TYPE x counter\nx_total{a=\"1\"} 5\n", 34) != NULL);
    CHECK(memmem(b.p, b.n, "# TYPE nv_x unknown\n", 20) != NULL);
    CHECK(b.n > 6 && memcmp(b.p + b.n - 6, "# EOF\n", 6) == 0);
    buf_fini(&b);
    metrics_free(m);
}

static void *count(void *arg)
{
    struct metric *s = ((struct metric **)arg)[0];
    unsigned shard = (unsigned)(uintptr_t)((void **)arg)[1];

    for (int i = 0; i < 100000; i++)
        metric_observe(s, shard, 1);
    return NULL;
}

TEST(metrics_lose_nothing_between_threads)
{
    struct metrics *m = metrics_new(4);
    struct metric *s = metrics_series(m, &histogram, "");
    void *args[4][2];
    pthread_t t[4];
    uint64_t n;

    for (unsigned i = 0; i < 4; i++) {
        args[i][0] = s;
        args[i][1] = (void *)(uintptr_t)i;
        pthread_create(&t[i], NULL, count, args[i]);
    }
    for (int i = 0; i < 100; i++)
        (void)metric_value(s, &n);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    CHECK_INT(metric_value(s, &n), 400000);
    CHECK_INT(n, 400000);
    metrics_free(m);
}

TEST(metrics_survive_every_allocation_failure)
{
    FAULT_LOOP(n) {
        struct metrics *m = metrics_new(1);
        if (m) {
            struct metric *s = metrics_series(m, &counter, "a=\"b\"");
            metric_add(s, 0, 1);
        }
        metrics_free(m);
    }
    CHECK(true);
}
