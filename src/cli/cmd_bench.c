#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/load.h"
#include "cli/local.h"

enum { MAX_LEVELS = 32, SECOND = 1000000000, TIMEOUT_MS = 30000 };

struct options {
    const char *data, *file, *concurrency;
    struct import_hints hints;
    int64_t duration;
    bool json;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"data",        'd', FLAG_TEXT, AT(data), NULL, 0, 0, 0, TEXT_OPT_DATA, false, 0, NULL},
    {"file",        'f', FLAG_TEXT, AT(file), NULL, 0, 0, 0, TEXT_OPT_FILE, false, 0, NULL},
    {"concurrency", 'c', FLAG_TEXT, AT(concurrency), "1,2,4,8,16,32", 0, 0, 0, TEXT_OPT_CONCURRENCY, false, 0, NULL},
    {"duration",    't', FLAG_DURATION, AT(duration), "2s", 1000000, INT64_C(3600) * SECOND, SECOND, TEXT_OPT_DURATION, false, 0, NULL},
    HINT_FLAGS(struct options, hints),
    {"json",         0,  FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

static enum errc parse_levels(const char *text, int *levels, int *n,
                              struct err *err)
{
    struct str rest = str_from_cstr(text);

    *n = 0;
    while (rest.p) {
        uint64_t v;
        if (!str_to_u64(str_trim(str_cut(&rest, ',')), &v) || v == 0 ||
            v > 100000 || *n == MAX_LEVELS)
            return err_set(err, ERR_INVALID,
                           "--concurrency '%s': up to %d numbers from 1 to "
                           "100000, separated by commas",
                           text, MAX_LEVELS);
        levels[(*n)++] = (int)v;
    }
    return ERR_OK;
}

/* One request by the ordinary client first: its error is the best there is. */
static enum errc try_once(struct local *l, struct str body, struct err *err)
{
    struct buf reply;
    int status = 0;

    buf_init(&reply, 1 << 30);
    enum errc rc = client_request(&l->url, l->path, "application/json", &body,
                                  TIMEOUT_MS, &status, &reply, err);
    if (!rc && status != 200)
        rc = err_set(err, ERR_INVALID, "status %d: %.*s", status,
                     (int)(reply.n < 400 ? reply.n : 400), reply.p);
    buf_fini(&reply);
    return rc;
}

static void make_request(const struct local *l, struct str body,
                         struct buf *out)
{
    buf_init(out, body.n + 4096);
    buf_printf(out,
               "POST %s HTTP/1.1\r\nHost: %s:%u\r\nContent-Type: "
               "application/json\r\nContent-Length: %zu\r\n\r\n",
               l->path, l->url.host, l->url.port, body.n);
    buf_put(out, body);
}

static void print_row(FILE *out, const struct load_result *r)
{
    fprintf(out, "%11d %12.0f %9.3f %9.3f %9.3f %8llu\n", r->concurrency,
            (double)r->requests / r->seconds, r->p50_ms, r->p99_ms, r->max_ms,
            (unsigned long long)r->errors);
}

static void print_json(FILE *out, const struct load_result *r, int n)
{
    fputs("{\"levels\":[", out);
    for (int i = 0; i < n; i++)
        fprintf(out,
                "%s{\"concurrency\":%d,\"requests\":%llu,\"seconds\":%.3f,"
                "\"requests_per_second\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,"
                "\"max_ms\":%.3f,\"errors\":%llu}",
                i ? "," : "", r[i].concurrency,
                (unsigned long long)r[i].requests, r[i].seconds,
                (double)r[i].requests / r[i].seconds, r[i].p50_ms, r[i].p99_ms,
                r[i].max_ms, (unsigned long long)r[i].errors);
    fputs("]}\n", out);
}

static void print_best(struct cli *cli, const struct load_result *r, int n)
{
    const struct load_result *best = r;

    for (int i = 1; i < n; i++)
        if ((double)r[i].requests / r[i].seconds >
            (double)best->requests / best->seconds)
            best = &r[i];
    fprintf(cli->out, text_in(cli->language, TEXT_BENCH_BEST),
            (double)best->requests / best->seconds, best->concurrency,
            r[0].p50_ms);
    fputc('\n', cli->out);
}

static enum errc measure(struct cli *cli, const struct options *o,
                         struct local *l, struct str body, struct err *err)
{
    struct load_result results[MAX_LEVELS];
    int levels[MAX_LEVELS], n;
    struct buf request;
    bool terminal = isatty(2) == 1;
    uint64_t errors = 0;
    enum errc rc = parse_levels(o->concurrency, levels, &n, err);

    if (!rc)
        rc = try_once(l, body, err);
    if (rc)
        return rc;
    make_request(l, body, &request);
    if (!o->json)
        fprintf(cli->out, "%s\n", text_in(cli->language, TEXT_BENCH_HEAD));
    for (int i = 0; i < n && !rc; i++) {
        if (terminal) {
            fprintf(cli->err, text_in(cli->language, TEXT_BENCH_PROGRESS),
                    i + 1, n, levels[i]);
            fputc('\r', cli->err);
        }
        fflush(cli->out);
        rc = load_run(&l->url, buf_str(&request), levels[i], o->duration,
                      &results[i], err);
        if (rc)
            break;
        errors += results[i].errors;
        if (terminal)
            fputs("\033[K", cli->err);
        if (!o->json)
            print_row(cli->out, &results[i]);
    }
    buf_fini(&request);
    if (rc)
        return rc;
    if (o->json)
        print_json(cli->out, results, n);
    else
        print_best(cli, results, n);
    if (errors)
        return err_set(err, ERR_INVALID,
                       "%llu requests failed; see the server's log",
                       (unsigned long long)errors);
    return ERR_OK;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct local l = {0};
    struct buf body;
    bool given;
    enum errc rc = local_body(o->data, o->file, &body, &given, err);

    if (!rc)
        rc = local_open(cli, args->rest[0], &o->hints, &l, err);
    if (!rc && (!given || !l.path[0]))
        rc = local_example(&l, given ? NULL : &body, err);
    if (!rc)
        rc = measure(cli, o, &l, buf_str(&body), err);
    local_close(&l);
    buf_fini(&body);
    return rc;
}

const struct command cmd_bench = {
    .name = "bench",
    .args = "URL|MODEL.onnx",
    .summary = TEXT_CMD_BENCH,
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .run = run,
};
