/* promqlanswer FILE: loads samples with times from OpenMetrics text, then
 * answers queries from standard input, one a line:
 *
 *     START END STEP QUERY      times in seconds; STEP 0: one moment (START)
 *
 * with {"data": as Prometheus' HTTP API} or {"error": ...}, one a line. For
 * the comparison with Prometheus (tests/oracle/promql_diff.py). Ranges are
 * closed on the left, as in Prometheus 2. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "codec/exposition.h"
#include "promql/promql.h"
#include "web/api.h"

struct loading {
    struct tsdb *db;
    struct arena arena;
    unsigned long samples;
};

static bool load_sample(void *ctx, const struct exposition_sample *s)
{
    struct loading *l = ctx;
    struct labels_builder b;
    struct labels labels;
    uint32_t series;

    arena_reset(&l->arena);
    labels_build(&b, &l->arena, labels_none());
    labels_set(&b, LABEL_NAME, s->name);
    for (size_t i = 0; i < s->n; i++)
        labels_set(&b, s->labels[i].name, s->labels[i].value);
    l->samples++;
    return labels_built(&b, &labels) && s->has_time &&
           tsdb_series(l->db, labels, &series, NULL) == ERR_OK &&
           tsdb_append(l->db, series, s->time, s->value) == ERR_OK;
}

static bool load(struct tsdb *db, const char *path)
{
    struct loading l = {.db = db};
    struct exposition_sink sink = {&l, load_sample, NULL};
    struct buf text;
    struct err err = {0};

    arena_init(&l.arena, 1 << 20);
    buf_init(&text, (size_t)4 << 30);
    enum errc rc = fs_read(path, &text, &err);
    if (!rc)
        rc = exposition_read(buf_str(&text), EXPOSITION_OPENMETRICS, &sink,
                             &err);
    if (rc)
        fprintf(stderr, "promqlanswer: %s: %s\n", path, err.msg);
    buf_fini(&text);
    arena_fini(&l.arena);
    return !rc;
}

static void answer(struct tsdb *db, struct str line, struct buf *out)
{
    struct promql_how how = {.db = db, .prometheus2 = true};
    struct promql_expr *x;
    struct promql_result r;
    struct err err = {0};
    char *end;

    how.start = llround(strtod(line.p, &end) * 1000);
    how.end = llround(strtod(end, &end) * 1000);
    how.step = llround(strtod(end, &end) * 1000);
    how.range = how.step > 0;
    if (!how.range)
        how.end = how.start;
    struct str query =
        str_trim(str_slice(line, (size_t)(end - line.p), line.n));
    enum errc rc = promql_parse(query, &x, &err);
    if (rc)
        x = NULL;
    else
        rc = promql_query(x, &how, &r, &err);
    buf_clear(out);
    if (rc) {
        buf_puts(out, "{\"error\":");
        buf_put_quoted(out, str_from_cstr(err.msg));
        buf_puts(out, "}\n");
    } else {
        buf_puts(out, "{\"data\":");
        api_put_result(out, &r, NULL);
        buf_puts(out, "}\n");
        promql_result_fini(&r);
    }
    promql_free(x);
    fwrite(out->p, 1, out->n, stdout);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct tsdb_options options = {.out_of_order = INT64_MAX / 2};
    struct tsdb *db;
    struct buf out;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    if (argc != 2 || tsdb_open(&options, &db, NULL))
        return 2;
    bool ok = load(db, argv[1]);
    buf_init(&out, (size_t)1 << 30);
    while (ok && (n = getline(&line, &cap, stdin)) > 0) {
        if (line[n - 1] == '\n')
            line[--n] = '\0';
        answer(db, (struct str){line, (size_t)n}, &out);
    }
    free(line);
    buf_fini(&out);
    tsdb_close(db);
    return ok ? 0 : 1;
}
