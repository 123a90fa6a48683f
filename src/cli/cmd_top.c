/* cmd_top.c - a look at the monitor, again and again. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "codec/json_tree.h"
#include "codec/percent.h"
#include "export/numbers.h"
#include "http/fetch.h"

enum {
    ANSWER_MAX = 16 << 20,
    ASK_MS = 5000,
    GPUS_MAX = 64,
    SECOND = 1000000000
};

struct options {
    const char *url;
    int64_t interval;
    bool once, json;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"url",      'u', FLAG_TEXT,     AT(url), "http://127.0.0.1:8002", 0, 0, 0, TEXT_OPT_TOP_URL, false, 0, NULL},
    {"interval",   0, FLAG_DURATION, AT(interval), "2s", SECOND / 10, INT64_C(3600) * SECOND, SECOND, TEXT_OPT_TOP_INTERVAL, false, 0, NULL},
    {"once",     '1', FLAG_BOOL,     AT(once), NULL, 0, 0, 0, TEXT_OPT_ONCE, false, 0, NULL},
    {"json",       0, FLAG_BOOL,     AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};

/* How people call the numbers of export/numbers.h. */
static const enum text titles[NUMBERS] = {
    [NUMBER_TARGETS_DOWN] = TEXT_TOP_DOWN,
    [NUMBER_REQUESTS] = TEXT_TOP_REQUESTS,
    [NUMBER_SUCCESS] = TEXT_TOP_SUCCESS,
    [NUMBER_P50] = TEXT_TOP_P50,
    [NUMBER_P95] = TEXT_TOP_P95,
    [NUMBER_WAITING] = TEXT_TOP_WAITING,
    [NUMBER_CPU] = TEXT_TOP_CPU,
    [NUMBER_MEMORY] = TEXT_TOP_MEMORY,
    [NUMBER_DISK] = TEXT_TOP_DISK,
};

/* Of each GPU. */
static const struct {
    const char *name, *metric;
} columns[] = {
    {"utilization_percent", "DCGM_FI_DEV_GPU_UTIL"},
    {"memory_used_mib", "DCGM_FI_DEV_FB_USED"},
    {"memory_total_mib", "DCGM_FI_DEV_FB_TOTAL"},
    {"temperature_celsius", "DCGM_FI_DEV_GPU_TEMP"},
    {"power_watts", "DCGM_FI_DEV_POWER_USAGE"},
    {"up", "gpu_up"},
};
/* clang-format on */

struct gpu_row {
    struct str gpu, name;
    double v[COUNT(columns)];
};

/* All that was found out at once. */
struct view {
    struct cli *cli;
    const char *url;
    struct arena arena;
    struct err *err;
    double numbers[NUMBERS]; /* NAN: not known */
    struct gpu_row gpus[GPUS_MAX];
    size_t n_gpus;
    const struct json_node *alerts;
};

/* ---- asking ------------------------------------------------------------- */

static enum errc ask(struct view *v, const char *path, const char *expr,
                     const struct json_node **out)
{
    struct buf url, answer;
    struct fetch f = {.timeout_ms = ASK_MS};

    *out = NULL;
    buf_init(&url, 1 << 16);
    buf_init(&answer, ANSWER_MAX);
    buf_printf(&url, "%.1000s%s", v->url, path);
    if (expr) {
        buf_puts(&url, "?query=");
        percent_encode_form(&url, str_from_cstr(expr));
    }
    buf_putc(&url, '\0');
    f.url = url.p;
    enum errc rc = fetch_run(&f, &answer, v->err);
    struct json_node *root =
        rc ? NULL : json_tree_copy(buf_str(&answer), &v->arena, NULL);
    *out = json_get(root, "data");
    if (!rc && !*out)
        rc = err_set(v->err, ERR_UNAVAIL, "%s: this is no monitor", v->url);
    buf_fini(&url);
    buf_fini(&answer);
    return rc;
}

static double value_of(const struct json_node *series)
{
    struct str text = json_str_or(json_at(json_get(series, "value"), 1), "NaN");
    char copy[64];

    (void)snprintf(copy, sizeof(copy), "%.*s", (int)(text.n < 60 ? text.n : 60),
                   text.p);
    return strtod(copy, NULL);
}

static enum errc ask_numbers(struct view *v)
{
    const struct json_node *data;
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < NUMBERS && !rc; i++) {
        rc = ask(v, "/api/v1/query", numbers[i].expr, &data);
        const struct json_node *first = json_at(json_get(data, "result"), 0);
        v->numbers[i] = first ? value_of(first) : (double)NAN;
    }
    return rc;
}

static struct gpu_row *row_of(struct view *v, const struct json_node *labels)
{
    struct str gpu = json_str_or(json_get(labels, "gpu"), "");

    for (size_t i = 0; i < v->n_gpus; i++)
        if (str_eq(v->gpus[i].gpu, gpu))
            return &v->gpus[i];
    if (v->n_gpus == GPUS_MAX || json_get(labels, "GPU_I_ID"))
        return NULL;
    struct gpu_row *row = &v->gpus[v->n_gpus++];
    *row = (struct gpu_row){
        .gpu = gpu, .name = json_str_or(json_get(labels, "modelName"), "")};
    for (size_t i = 0; i < COUNT(columns); i++)
        row->v[i] = NAN;
    return row;
}

static enum errc ask_gpus(struct view *v)
{
    const struct json_node *data;
    enum errc rc = ERR_OK;

    for (size_t i = COUNT(columns); i-- > 0 && !rc;) {
        rc = ask(v, "/api/v1/query", columns[i].metric, &data);
        const struct json_node *list = json_get(data, "result");
        for (const struct json_node *n = list ? list->first : NULL; n;
             n = n->next) {
            struct gpu_row *row = row_of(v, json_get(n, "metric"));
            if (row && !json_get(json_get(n, "metric"), "GPU_I_ID"))
                row->v[i] = value_of(n);
        }
    }
    return rc;
}

static enum errc look(struct view *v)
{
    const struct json_node *data;
    enum errc rc = ask_numbers(v);

    if (!rc)
        rc = ask_gpus(v);
    if (!rc)
        rc = ask(v, "/api/v1/alerts", NULL, &data);
    v->alerts = rc ? NULL : json_get(data, "alerts");
    return rc;
}

/* ---- showing ------------------------------------------------------------ */

static void put_number(struct buf *b, double v, const char *unit)
{
    if (isnan(v))
        buf_puts(b, "-");
    else if (strcmp(unit, "percentunit") == 0)
        buf_printf(b, "%.1f %%", v * 100);
    else if (strcmp(unit, "s") == 0)
        buf_printf(b, "%.2f ms", v * 1000);
    else if (strcmp(unit, "bytes") == 0)
        buf_printf(b, "%.1f GiB", v / 1073741824);
    else if (strcmp(unit, "reqps") == 0)
        buf_printf(b, "%.1f /s", v);
    else
        buf_printf(b, "%.0f", v);
}

static void put_alerts(struct buf *b, const struct view *v, bool colour)
{
    const char *key =
        v->cli->language == LANGUAGE_ZH ? "summary_zh" : "summary";
    size_t n = 0;

    for (const struct json_node *a = v->alerts ? v->alerts->first : NULL; a;
         a = a->next) {
        const struct json_node *texts = json_get(a, "annotations");
        bool firing = json_says(json_get(a, "state"), "firing");
        struct str name =
            json_str_or(json_get(json_get(a, "labels"), "alertname"), "");
        struct str what = json_str_or(json_get(texts, key), "");
        if (!what.n)
            what = json_str_or(json_get(texts, "summary"), "");
        buf_printf(b, "  %s%s " STR_FMT "%s  " STR_FMT "\n",
                   !colour  ? ""
                   : firing ? "\033[31m"
                            : "\033[33m",
                   firing ? "!" : "~", STR_ARG(name), colour ? "\033[0m" : "",
                   STR_ARG(what));
        n++;
    }
    if (!n)
        buf_printf(b, "  %s\n", text_in(v->cli->language, TEXT_TOP_FINE));
}

static void put_gpus(struct buf *b, const struct view *v)
{
    for (size_t i = 0; i < v->n_gpus; i++) {
        const struct gpu_row *g = &v->gpus[i];
        buf_printf(b, "  GPU " STR_FMT "  ", STR_ARG(g->gpu));
        if (g->v[5] == 0) {
            buf_printf(b, "%s\n", text_in(v->cli->language, TEXT_TOP_LOST));
            continue;
        }
        buf_printf(
            b, "%3.0f %%  %6.0f / %.0f MiB  %3.0f C  %4.0f W  " STR_FMT "\n",
            g->v[0], g->v[1], g->v[2], g->v[3], g->v[4], STR_ARG(g->name));
    }
}

static void put_view(struct buf *b, const struct view *v, bool colour)
{
    char when[CLOCK_TEXT_MAX];

    clock_format(clock_wall_ns(), when);
    buf_printf(b, "stoker top  %s  %.19s UTC\n\n", v->url, when);
    put_alerts(b, v, colour);
    buf_putc(b, '\n');
    for (size_t i = 0; i < NUMBERS; i++) {
        buf_printf(b, "  %s: ", text_in(v->cli->language, titles[i]));
        put_number(b, v->numbers[i], numbers[i].unit);
        buf_putc(b, '\n');
    }
    if (v->n_gpus)
        buf_putc(b, '\n');
    put_gpus(b, v);
}

static void put_json_number(struct buf *b, const char *name, double v)
{
    buf_printf(b, "\"%s\":", name);
    if (isfinite(v))
        buf_printf(b, "%.17g", v);
    else
        buf_puts(b, "null");
}

static void put_json(struct buf *b, const struct view *v)
{
    buf_putc(b, '{');
    for (size_t i = 0; i < NUMBERS; i++) {
        put_json_number(b, numbers[i].name, v->numbers[i]);
        buf_putc(b, ',');
    }
    buf_puts(b, "\"gpus\":[");
    for (size_t i = 0; i < v->n_gpus; i++) {
        buf_puts(b, i ? ",{\"gpu\":" : "{\"gpu\":");
        buf_put_quoted(b, v->gpus[i].gpu);
        for (size_t k = 0; k < COUNT(columns); k++) {
            buf_putc(b, ',');
            put_json_number(b, columns[k].name, v->gpus[i].v[k]);
        }
        buf_putc(b, '}');
    }
    buf_puts(b, "],\"alerts\":");
    if (v->alerts)
        json_tree_write(b, v->alerts);
    buf_puts(b, "}\n");
}

static enum errc show(struct cli *cli, const struct options *o, bool screen,
                      struct err *err)
{
    struct view v = {.cli = cli, .url = o->url, .err = err};
    struct buf b;

    arena_init(&v.arena, 8 * (size_t)ANSWER_MAX);
    buf_init(&b, ANSWER_MAX);
    enum errc rc = look(&v);
    if (screen)
        buf_puts(&b, "\033[H\033[2J");
    if (rc && screen)
        buf_printf(&b, "%s\n", err->msg); /* it may come back */
    else if (!rc && o->json)
        put_json(&b, &v);
    else if (!rc)
        put_view(&b, &v, screen);
    fprintf(cli->out, STR_FMT, STR_ARG(buf_str(&b)));
    fflush(cli->out);
    buf_fini(&b);
    arena_fini(&v.arena);
    return screen ? ERR_OK : rc;
}

/* False: a signal came. */
static bool rest(const sigset_t *set, int64_t ns)
{
    const struct timespec t = {ns / SECOND, ns % SECOND};

    return sigtimedwait(set, NULL, &t) < 0 && errno == EAGAIN;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    bool screen = !o->once && !o->json && isatty(fileno(cli->out)) == 1;
    enum errc rc = fetch_init(err);
    sigset_t set;

    (void)args;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (screen)
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
    do
        rc = rc ? rc : show(cli, o, screen, err);
    while (screen && !rc && rest(&set, o->interval));
    return rc;
}

const struct command cmd_top = {
    .name = "top",
    .args = "",
    .summary = TEXT_CMD_TOP,
    .max_args = 0,
    .flags = flags,
    .run = run,
};
