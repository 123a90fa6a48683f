#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/state.h"
#include "cli/command.h"
#include "cli/config/checks.h"
#include "cli/logs_show.h"
#include "cli/size_text.h"
#include "logs/clean.h"

#define DAY (INT64_C(86400) * 1000000000)

enum { OLD_DAYS = 7 };

struct options {
    int64_t older_than, max_total, keep_free;
    const char *match, *journal;
    bool by_name, dry_run, json;
    bool by_age, by_total, by_free; /* which of the first were given */
    struct logs_show show;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"follow",    'f', FLAG_BOOL, AT(show.follow), NULL, 0, 0, 0, TEXT_OPT_LOGS_FOLLOW, false, 0, NULL},
    {"lines",       0, FLAG_INT, AT(show.lines), "100", 1, 1000000, 0, TEXT_OPT_LOGS_LINES, false, 0, NULL},
    {"since",       0, FLAG_TEXT, AT(show.since), NULL, 0, 0, 0, TEXT_OPT_LOGS_SINCE, false, 0, NULL},
    {"level",       0, FLAG_TEXT, AT(show.level), NULL, 0, 0, 0, TEXT_OPT_LOGS_LEVEL, false, 0, check_log_level},
    {"model",       0, FLAG_TEXT, AT(show.model), NULL, 0, 0, 0, TEXT_OPT_LOGS_MODEL, false, 0, NULL},
    {"request-id",  0, FLAG_TEXT, AT(show.request_id), NULL, 0, 0, 0, TEXT_OPT_LOGS_REQUEST, false, 0, NULL},
    {"contains",    0, FLAG_TEXT, AT(show.contains), NULL, 0, 0, 0, TEXT_OPT_LOGS_CONTAINS, false, 0, NULL},
    {"config",    'c', FLAG_TEXT, AT(show.config), NULL, 0, 0, 0, TEXT_OPT_SETTINGS, false, 0, NULL},
    {"older-than",  0, FLAG_DURATION, AT(older_than), NULL, 0, 36500 * DAY, DAY, TEXT_OPT_LOGS_OLDER, false, AT(by_age), NULL},
    {"by-name",     0, FLAG_BOOL, AT(by_name), NULL, 0, 0, 0, TEXT_OPT_LOGS_BY_NAME, false, 0, NULL},
    {"match",       0, FLAG_TEXT, AT(match), CLEAN_MATCH, 0, 0, 0, TEXT_OPT_LOGS_MATCH, false, 0, NULL},
    {"max-total",   0, FLAG_SIZE, AT(max_total), NULL, 0, INT64_MAX, 0, TEXT_OPT_LOGS_TOTAL, false, AT(by_total), NULL},
    {"keep-free",   0, FLAG_SIZE, AT(keep_free), NULL, 0, INT64_MAX, 0, TEXT_OPT_LOGS_FREE, false, AT(by_free), NULL},
    {"dry-run",   'n', FLAG_BOOL, AT(dry_run), NULL, 0, 0, 0, TEXT_OPT_LOGS_DRY_RUN, false, 0, NULL},
    {"journal",     0, FLAG_TEXT, AT(journal), NULL, 0, 0, 0, TEXT_OPT_LOGS_JOURNAL, false, 0, NULL},
    {"json",        0, FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

struct cleaning {
    struct cli *cli;
    const struct options *o;
    bool any;
};

static void put_json(struct cleaning *c, const struct clean_entry *e)
{
    static const char *const fates[] = {"removed", "open", "failed", "gone"};
    static const char *const reasons[] = {"age", "total", "free"};
    struct buf b;

    buf_init(&b, 1 << 16);
    buf_put_field(
        &b, c->any ? ",{\"path\":" : "{\"path\":", str_from_cstr(e->path));
    buf_printf(&b, ",\"bytes\":%lld,\"age_s\":%lld", (long long)e->bytes,
               (long long)(e->age_ns / 1000000000));
    buf_put_field(&b, ",\"reason\":", str_from_cstr(reasons[e->why]));
    buf_put_field(&b, ",\"fate\":", str_from_cstr(fates[e->fate]));
    if (e->error)
        buf_put_field(&b, ",\"error\":", str_from_cstr(e->error));
    buf_putc(&b, '}');
    fprintf(c->cli->out, STR_FMT, STR_ARG(buf_str(&b)));
    buf_fini(&b);
}

static void tell(void *ctx, const struct clean_entry *e)
{
    struct cleaning *c = ctx;
    char size[SIZE_TEXT_MAX];
    enum text fate = e->fate == CLEAN_OPEN     ? TEXT_LOGS_OPEN
                     : e->fate == CLEAN_FAILED ? TEXT_LOGS_FAILED
                     : c->o->dry_run           ? TEXT_LOGS_WOULD_GO
                                               : TEXT_LOGS_REMOVED;

    if (c->o->json)
        put_json(c, e);
    else
        fprintf(c->cli->out, "%9s %5lld d  %s  %s%s%s\n",
                size_text(e->bytes, size), (long long)(e->age_ns / DAY),
                e->path, text_in(c->cli->language, fate), e->error ? ": " : "",
                e->error ? e->error : "");
    c->any = true;
}

static void sum(struct cleaning *c, const char *folder,
                const struct clean_totals *t)
{
    char size[SIZE_TEXT_MAX];

    if (c->o->json)
        fprintf(
            c->cli->out,
            "],\"matching\":%zu,\"removed\":%zu,\"open\":%zu,\"failed\":%zu,"
            "\"bytes\":%lld}",
            t->files, t->removed, t->open, t->failed, (long long)t->bytes);
    else
        fprintf(c->cli->out, text_in(c->cli->language, TEXT_LOGS_SUM), folder,
                t->removed, t->files,
                text_in(c->cli->language,
                        c->o->dry_run ? TEXT_LOGS_WOULD_GO : TEXT_LOGS_REMOVED),
                size_text(t->bytes, size), t->open, t->failed);
}

/* One directory; *failed counts what could not be removed. */
static enum errc clean(struct cleaning *c, const char *folder,
                       const char *journal, size_t *failed, struct err *err)
{
    const struct options *o = c->o;
    bool bounded = o->by_age || o->by_total || o->by_free;
    const struct clean_options what = {
        .folder = folder,
        .match = o->match,
        .older_than_ns = o->by_age ? o->older_than
                         : bounded ? -1
                                   : OLD_DAYS * DAY,
        .by_name = o->by_name,
        .keep_free = o->by_free ? o->keep_free : -1,
        .max_total = o->by_total ? o->max_total : -1,
        .dry_run = o->dry_run,
        .now_ns = clock_wall_ns(),
        .journal = journal};
    struct clean_totals totals;

    c->any = false;
    if (o->json) {
        struct buf b;
        buf_init(&b, 1 << 16);
        buf_put_field(&b, "{\"directory\":", str_from_cstr(folder));
        buf_puts(&b, ",\"logs\":[");
        fprintf(c->cli->out, STR_FMT, STR_ARG(buf_str(&b)));
        buf_fini(&b);
    }
    enum errc rc = logs_clean(&what, tell, c, &totals, err);
    if (!rc || o->json)
        sum(c, folder, &totals);
    *failed += totals.failed;
    return rc;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct cleaning c = {.cli = cli, .o = o};
    char state[STATE_PATH_MAX] = "", journal[STATE_PATH_MAX + 16];
    size_t failed = 0;
    enum errc rc = ERR_OK;

    if (args->n == 0 || strcmp(args->rest[0], "clean") != 0) {
        struct logs_show show = o->show;
        show.json = o->json;
        return logs_show(cli, &show, args->rest, (size_t)args->n, err);
    }
    if (args->n < 2)
        return err_set(err, ERR_INVALID, text_in(cli->language, TEXT_TOO_FEW),
                       "logs clean", "DIRECTORY");
    if (!o->journal && !o->dry_run && !state_path("logs", state))
        return err_set(err, ERR_DENIED, "%s",
                       text_in(cli->language, TEXT_LOGS_NO_STATE));
    (void)snprintf(journal, sizeof(journal), "%s/clean.jsonl", state);
    fputs(o->json ? "[" : "", cli->out);
    for (int i = 1; i < args->n && !rc; i++) {
        fputs(o->json && i > 1 ? ",\n" : "", cli->out);
        rc = clean(&c, args->rest[i], o->journal ? o->journal : journal,
                   &failed, err);
    }
    fputs(o->json ? "]\n" : "", cli->out);
    if (!rc && failed)
        rc = err_set(err, ERR_WARNED,
                     text_in(cli->language, TEXT_LOGS_SOME_STAY), failed);
    return rc;
}

static void words(FILE *out)
{
    fputs("clean ", out);
}

const struct command cmd_logs = {
    .name = "logs",
    .args = "[SERVICE...] | clean DIRECTORY...",
    .summary = TEXT_CMD_LOGS,
    .max_args = 64,
    .flags = flags,
    .words = words,
    .run = run,
};
