/* The store alone: bytes a sample on disk by kind of series, time to append,
 * to open again and to read all of it.
 *
 *     build/release/bench_store [SERIES [SAMPLES]]     default 10000 x 2160
 * (six hours at 10 s)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "tsdb/tsdb.h"

enum { STEP_MS = 10000 };

static const char *const kinds[] = {"constant",    "percent",
                                    "temperature", "watts_3_decimals",
                                    "counter",     "latency_sum_us"};

static double next(unsigned kind, double v)
{
    switch (kind) {
    case 0:
        return 42;
    case 1:
        v += rand() % 11 - 5;
        return v < 0 ? 0 : v > 100 ? 100 : v;
    case 2:
        return rand() % 8 ? v : 55 + rand() % 5;
    case 3:
        return (300000 + rand() % 40000) / 1000.0;
    case 4:
        return v + rand() % 100;
    default:
        return v + (rand() % 100000) / 1e6;
    }
}

static enum errc remove_one(void *ctx, const char *name)
{
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", (const char *)ctx, name);
    return unlink(path) == 0 ? ERR_OK : ERR_IO;
}

static double seconds_since(int64_t start)
{
    return (double)(clock_mono_ns() - start) * 1e-9;
}

static void must(enum errc rc, const struct err *err)
{
    if (rc) {
        fprintf(stderr, "bench_store: %s\n", err->msg);
        exit(1);
    }
}

/* kind: one of them, or -1 for all of them in turn. */
static void measure(const char *name, int kind, uint32_t series, int samples)
{
    char dir[] = "/tmp/bench-store.XXXXXX", id[32];
    struct tsdb_options o = {.dir = mkdtemp(dir), .by_hand = true};
    double *v = calloc(series, sizeof(*v));
    struct tsdb *db;
    struct tsdb_stats s;
    struct samples read = {0};
    struct err err;

    srand(1);
    must(tsdb_open(&o, &db, &err), &err);
    int64_t start = clock_mono_ns();
    for (int k = 0; k < samples; k++) {
        tsdb_write_begin(db);
        for (uint32_t i = 0; i < series; i++) {
            uint32_t number = i;
            if (k == 0) {
                (void)snprintf(id, sizeof(id), "%u", i);
                struct label l[] = {{LABEL_NAME, STR("metric_of_a_service")},
                                    {STR("id"), str_from_cstr(id)},
                                    {STR("job"), STR("bench")}};
                must(tsdb_series(db, (struct labels){l, 3}, &number, &err),
                     &err);
            }
            unsigned which = kind < 0 ? i % COUNT(kinds) : (unsigned)kind;
            v[i] = next(which, v[i]);
            must(tsdb_append(db, number, (int64_t)k * STEP_MS, v[i]), &err);
        }
        tsdb_write_end(db);
        if (k % 10 == 0)
            must(tsdb_flush(db, &err), &err);
        if (k % 90 == 0)
            must(tsdb_maintain(db, &err), &err);
    }
    must(tsdb_flush(db, &err), &err);
    must(tsdb_maintain(db, &err), &err);
    double appended = seconds_since(start);
    tsdb_stats(db, &s);
    double all = (double)series * samples;
    double bytes = (double)(s.segment_bytes + s.snapshot_bytes + s.wal_bytes);
    tsdb_close(db);
    start = clock_mono_ns();
    must(tsdb_open(&o, &db, &err), &err);
    double opened = seconds_since(start);
    start = clock_mono_ns();
    for (uint32_t i = 0; i < series; i++)
        must(tsdb_read(db, i, 0, INT64_MAX, &read), &err);
    double took = seconds_since(start);
    printf("%-18s %9.2f %9.2f %12.2f %9.0f %9.0f\n", name, bytes / all,
           (double)s.segment_bytes /
               (double)(s.segment_samples ? s.segment_samples : 1),
           all / appended / 1e6, opened * 1e3, took * 1e3);
    samples_fini(&read);
    tsdb_close(db);
    must(fs_list(dir, remove_one, dir, &err), &err);
    (void)rmdir(dir);
    free(v);
}

int main(int argc, char **argv)
{
    uint32_t series = argc > 1 ? (uint32_t)atoi(argv[1]) : 10000;
    int samples = argc > 2 ? atoi(argv[2]) : 2160;

    printf("%u series, %d samples each, one every %d s\n\n", series, samples,
           STEP_MS / 1000);
    printf("%-18s %9s %9s %12s %9s %9s\n", "", "bytes a", "of that,", "append,",
           "open,", "read all,");
    printf("%-18s %9s %9s %12s %9s %9s\n", "kind of series", "sample",
           "segments", "million/s", "ms", "ms");
    for (unsigned i = 0; i < COUNT(kinds); i++)
        measure(kinds[i], (int)i, series, samples);
    measure("all of them", -1, series, samples);
    return 0;
}
