#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cli/command.h"
#include "schedule/when.h"

struct options {
    int64_t count;
    const char *from;
    bool json;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"count", 'n', FLAG_INT,  AT(count), "5", 1, 1000, 0, TEXT_OPT_SCHEDULE_COUNT, false, 0, NULL},
    {"from",    0, FLAG_TEXT, AT(from),  NULL, 0, 0, 0, TEXT_OPT_SCHEDULE_FROM, false, 0, NULL},
    {"json",    0, FLAG_BOOL, AT(json),  NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

enum { LOCAL_TEXT = 64 };

/* "2026-12-01 03:00 CST +0800" */
static const char *local_text(int64_t t, char out[LOCAL_TEXT])
{
    time_t at = (time_t)t;
    struct tm tm;

    if (!localtime_r(&at, &tm) ||
        strftime(out, LOCAL_TEXT, "%Y-%m-%d %H:%M %a %z", &tm) == 0)
        out[0] = '\0';
    return out;
}

static void tell(struct cli *cli, const struct options *o, int64_t t,
                 bool first)
{
    char local[LOCAL_TEXT], utc[CLOCK_TEXT_MAX];

    local_text(t, local);
    clock_format(t * 1000000000, utc);
    if (!o->json) {
        fprintf(cli->out, "%s  %s\n", local, utc);
        return;
    }
    struct buf b;
    buf_init(&b, 1024);
    buf_put_field(&b,
                  first ? "{\"local\":" : ",{\"local\":", str_from_cstr(local));
    buf_put_field(&b, ",\"utc\":", str_from_cstr(utc));
    buf_putc(&b, '}');
    fprintf(cli->out, STR_FMT, STR_ARG(buf_str(&b)));
    buf_fini(&b);
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    int64_t ms = clock_wall_ms();
    struct buf text;
    struct when w;

    if (strcmp(args->rest[0], "next") != 0)
        return err_set(err, ERR_INVALID,
                       text_in(cli->language, TEXT_SCHEDULE_WHAT),
                       args->rest[0]);
    if (o->from && !clock_parse(str_from_cstr(o->from), &ms))
        return err_set(err, ERR_INVALID,
                       text_in(cli->language, TEXT_SCHEDULE_FROM), o->from);
    buf_init(&text, 4096);
    for (int i = 1; i < args->n; i++)
        buf_printf(&text, "%s%s", i > 1 ? " " : "", args->rest[i]);
    enum errc rc = when_parse(buf_str(&text), &w, err);
    int64_t t = ms / 1000;
    fputs(!rc && o->json ? "[" : "", cli->out);
    for (int64_t i = 0; i < o->count && !rc; i++) {
        t = when_next(&w, t);
        if (t < 0 && i == 0)
            rc = err_set(err, ERR_INVALID,
                         text_in(cli->language, TEXT_SCHEDULE_NEVER),
                         WHEN_YEARS);
        if (t < 0)
            break;
        tell(cli, o, t, i == 0);
    }
    fputs(o->json && (!rc || t < 0) ? "]\n" : "", cli->out);
    buf_fini(&text);
    return rc;
}

static void words(FILE *out)
{
    fputs("next ", out);
}

const struct command cmd_schedule = {
    .name = "schedule",
    .args = "next TIME...",
    .summary = TEXT_CMD_SCHEDULE,
    .min_args = 2,
    .max_args = 64,
    .flags = flags,
    .words = words,
    .run = run,
};
