/* A query that is read can be written down and read again as the same; it is
 * answered within its limits, at one moment and over a range. */
#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "promql/promql.h"

static void add_series(struct tsdb *db, const char *name, const char *le, int n)
{
    struct label v[] = {{LABEL_NAME, str_from_cstr(name)},
                        {STR("job"), STR("api")},
                        {LABEL_BUCKET, str_from_cstr(le)}};
    uint32_t series;

    MUST(tsdb_series(db, (struct labels){v, *le ? 3 : 2}, &series, NULL) ==
         ERR_OK);
    for (int i = 0; i < 40; i++)
        MUST(tsdb_append(db, series, i * 15000, i % 17 * n) == ERR_OK);
}

static struct tsdb *small_store(void)
{
    struct tsdb_options options = {0};
    struct tsdb *db;

    MUST(tsdb_open(&options, &db, NULL) == ERR_OK);
    add_series(db, "up", "", 1);
    add_series(db, "requests_total", "", 3);
    add_series(db, "latency_bucket", "0.5", 1);
    add_series(db, "latency_bucket", "+Inf", 2);
    return db;
}

static void ask(const struct promql_expr *x, struct tsdb *db, bool range)
{
    struct promql_how how = {.db = db,
                             .start = 300000,
                             .end = range ? 600000 : 300000,
                             .step = 30000,
                             .range = range,
                             .timeout = 2000,
                             .max_samples = 100000,
                             .max_memory = 32u << 20};
    struct promql_result r;

    if (promql_query(x, &how, &r, NULL) == ERR_OK)
        promql_result_fini(&r);
}

/* What is written is read as the same. */
static void write_and_read(const struct promql_expr *x,
                           void (*write)(const struct node *, struct buf *))
{
    struct promql_expr *again;
    struct buf once, written, twice;

    buf_init(&once, 8 << 20);
    buf_init(&written, 8 << 20);
    buf_init(&twice, 8 << 20);
    promql_print(x->root, &once);
    write(x->root, &written);
    if (!written.failed && written.n <= PROMQL_MAX_BYTES) {
        MUST(promql_parse(buf_str(&written), &again, NULL) == ERR_OK);
        promql_print(again->root, &twice);
        MUST(str_eq(buf_str(&once), buf_str(&twice)));
        promql_free(again);
    }
    buf_fini(&once);
    buf_fini(&written);
    buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct promql_expr *x;

    if (promql_parse(text, &x, NULL))
        return 0;
    write_and_read(x, promql_print);
    write_and_read(x, promql_pretty);
    struct tsdb *db = small_store();
    ask(x, db, false);
    ask(x, db, true);
    tsdb_close(db);
    promql_free(x);
    return 0;
}
