#include <stdio.h>
#include <string.h>

#include "backup/backup.h"
#include "base/clock.h"
#include "cli/backup_show.h"
#include "cli/progress.h"

#define SECOND INT64_C(1000000000)
#define DAY    (86400 * SECOND)

enum { KEEP_MAX = 1000000, MEMORY_MAX = 256 << 20 };

struct options {
    const char *repo, *name, *tag, *time, *exclude, *to;
    int64_t wait;
    struct keep_policy keep;
    bool one_file_system, all, force, dry_run, json;
};

#define AT(field)   offsetof(struct options, field)
#define KEEP(field) offsetof(struct options, keep.field)

/* clang-format off */
static const struct flag flags[] = {
    {"repo",          'r', FLAG_TEXT, AT(repo), NULL, 0, 0, 0, TEXT_OPT_BACKUP_REPO, false, 0, NULL},
    {"name",            0, FLAG_TEXT, AT(name), BACKUP_NAME, 0, 0, 0, TEXT_OPT_BACKUP_NAME, false, 0, NULL},
    {"tag",             0, FLAG_TEXT, AT(tag), NULL, 0, 0, 0, TEXT_OPT_BACKUP_TAG, false, 0, NULL},
    {"time",            0, FLAG_TEXT, AT(time), NULL, 0, 0, 0, TEXT_OPT_BACKUP_TIME, false, 0, NULL},
    {"exclude",         0, FLAG_TEXT, AT(exclude), NULL, 0, 0, 0, TEXT_OPT_BACKUP_EXCLUDE, false, 0, NULL},
    {"one-file-system", 0, FLAG_BOOL, AT(one_file_system), NULL, 0, 0, 0, TEXT_OPT_BACKUP_ONE_FS, false, 0, NULL},
    {"wait",            0, FLAG_DURATION, AT(wait), "0", 0, DAY, SECOND, TEXT_OPT_BACKUP_WAIT, false, 0, NULL},
    {"all",             0, FLAG_BOOL, AT(all), NULL, 0, 0, 0, TEXT_OPT_BACKUP_ALL, false, 0, NULL},
    {"to",              0, FLAG_TEXT, AT(to), NULL, 0, 0, 0, TEXT_OPT_BACKUP_TO, false, 0, NULL},
    {"force",           0, FLAG_BOOL, AT(force), NULL, 0, 0, 0, TEXT_OPT_BACKUP_FORCE, false, 0, NULL},
    {"dry-run",       'n', FLAG_BOOL, AT(dry_run), NULL, 0, 0, 0, TEXT_OPT_BACKUP_DRY_RUN, false, 0, NULL},
    {"keep-last",       0, FLAG_INT, KEEP(last), NULL, 0, KEEP_MAX, 0, TEXT_OPT_KEEP_LAST, false, 0, NULL},
    {"keep-hourly",     0, FLAG_INT, KEEP(hourly), NULL, 0, KEEP_MAX, 0, TEXT_OPT_KEEP_HOURLY, false, 0, NULL},
    {"keep-daily",      0, FLAG_INT, KEEP(daily), NULL, 0, KEEP_MAX, 0, TEXT_OPT_KEEP_DAILY, false, 0, NULL},
    {"keep-weekly",     0, FLAG_INT, KEEP(weekly), NULL, 0, KEEP_MAX, 0, TEXT_OPT_KEEP_WEEKLY, false, 0, NULL},
    {"keep-monthly",    0, FLAG_INT, KEEP(monthly), NULL, 0, KEEP_MAX, 0, TEXT_OPT_KEEP_MONTHLY, false, 0, NULL},
    {"keep-yearly",     0, FLAG_INT, KEEP(yearly), NULL, 0, KEEP_MAX, 0, TEXT_OPT_KEEP_YEARLY, false, 0, NULL},
    {"keep-within",     0, FLAG_DURATION, KEEP(within_ns), NULL, 0, 36500 * DAY, DAY, TEXT_OPT_KEEP_WITHIN, false, 0, NULL},
    {"keep-tag",        0, FLAG_TEXT, KEEP(tags), NULL, 0, 0, 0, TEXT_OPT_KEEP_TAG, false, 0, NULL},
    {"json",            0, FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

struct doing {
    struct cli *cli;
    const struct options *o;
    struct backup_view view;
    struct backup_told told;
    struct progress progress;
    bool any; /* something was shown of a list */
};

static const char *say(const struct doing *d, enum text t)
{
    return text_in(d->cli->language, t);
}

static void on_note(void *ctx, struct str path, const char *what)
{
    struct doing *d = ctx;

    progress_end(&d->progress);
    backup_show_note(&d->view, path, what);
}

static void on_progress(void *ctx, int64_t done, int64_t of)
{
    struct doing *d = ctx;

    progress_bytes(&d->progress, done, of);
}

/* ---- create ------------------------------------------------------------- */

static enum errc do_create(struct doing *d, const struct flag_args *args,
                           struct err *err)
{
    const struct options *o = d->o;
    struct create_options c = {.repo = o->repo,
                               .sources = args->rest + 1,
                               .n = (size_t)args->n - 1,
                               .name = o->name,
                               .tag = o->tag,
                               .exclude = o->exclude,
                               .created_ns = clock_wall_ns(),
                               .wait_ns = o->wait,
                               .one_file_system = o->one_file_system};
    struct created made;

    if (!c.n)
        return err_set(err, ERR_INVALID, "%s", say(d, TEXT_BACKUP_SOURCES));
    if (o->time && !clock_parse_ns(str_from_cstr(o->time), &c.created_ns))
        return err_set(err, ERR_INVALID, say(d, TEXT_BACKUP_TIME), o->time);
    enum errc rc = backup_create(&c, &d->told, &made, err);
    progress_end(&d->progress);
    if (rc)
        return rc;
    backup_show_created(&d->view, &made);
    return made.left_out || made.changing
               ? err_set(err, ERR_WARNED, say(d, TEXT_BACKUP_INCOMPLETE),
                         made.name, made.left_out, made.changing)
               : ERR_OK;
}

/* ---- list, verify -------------------------------------------------------- */

static enum errc do_list(struct doing *d, struct store *s, struct arena *a,
                         struct err *err)
{
    struct backups all;
    enum errc rc = store_list(s, a, &all, err);

    if (!rc)
        backup_show_list(&d->view, d->o->repo, &all);
    return rc;
}

static enum errc verify_one(struct doing *d, struct store *s, const char *name,
                            struct twins *seen, int *bad, struct err *err)
{
    struct verified result;

    progress_start(&d->progress, d->cli);
    enum errc rc =
        backup_verify(s, name, clock_wall_ns(), seen, &d->told, &result, err);
    progress_end(&d->progress);
    if (rc && rc != ERR_UNFIT)
        return rc;
    *bad += rc == ERR_UNFIT;
    backup_show_verified(&d->view, name, &result, !d->any);
    d->any = true;
    return ERR_OK;
}

static enum errc verify_all(struct doing *d, struct store *s, struct arena *a,
                            struct twins *seen, int *bad, struct err *err)
{
    struct backups all;
    enum errc rc = store_list(s, a, &all, err);

    for (size_t i = 0; !rc && i < all.n; i++)
        rc = verify_one(d, s, all.v[i].name, seen, bad, err);
    return rc;
}

static enum errc do_verify(struct doing *d, struct store *s, struct arena *a,
                           const struct flag_args *args, struct err *err)
{
    struct backup latest;
    struct twins seen;
    int bad = 0;
    enum errc rc = ERR_OK;

    twins_init(&seen);
    fputs(d->o->json ? "[" : "", d->cli->out);
    if (d->o->all)
        rc = verify_all(d, s, a, &seen, &bad, err);
    for (int i = 1; i < args->n && !rc && !d->o->all; i++)
        rc = verify_one(d, s, args->rest[i], &seen, &bad, err);
    if (!d->o->all && args->n == 1) {
        rc = store_find(s, a, "latest", &latest, err);
        if (!rc)
            rc = verify_one(d, s, latest.name, &seen, &bad, err);
    }
    fputs(d->o->json ? "]\n" : "", d->cli->out);
    twins_fini(&seen);
    if (!rc && bad)
        rc = err_set(err, ERR_UNFIT, say(d, TEXT_BACKUP_UNFIT), bad);
    return rc;
}

/* ---- restore, diff ------------------------------------------------------- */

static void on_placed(void *ctx, const char *path, const char *old)
{
    struct doing *d = ctx;

    progress_end(&d->progress);
    backup_show_placed(&d->view, d->o->dry_run, !d->any, path, old);
    d->any = true;
}

static enum errc do_restore(struct doing *d, const struct flag_args *args,
                            struct err *err)
{
    const struct options *o = d->o;
    const struct restore_options r = {
        .repo = o->repo,
        .name = args->n > 1 ? args->rest[1] : NULL,
        .source = args->n > 2 ? args->rest[2] : NULL,
        .to = o->to,
        .force = o->force,
        .dry_run = o->dry_run,
        .now_ns = clock_wall_ns()};
    struct restored done;

    if (!r.name || args->n > 3)
        return err_set(err, ERR_INVALID, "%s",
                       say(d, TEXT_BACKUP_RESTORE_WHAT));
    fputs(o->json ? "{\"restored\":[" : "", d->cli->out);
    enum errc rc = backup_restore(&r, &d->told, on_placed, &done, err);
    progress_end(&d->progress);
    if (!rc || o->json)
        backup_show_restored(&d->view, o->dry_run, &done);
    if (!rc && done.incomplete)
        rc = err_set(err, ERR_WARNED, say(d, TEXT_BACKUP_HALF_RESTORED),
                     done.incomplete);
    return rc;
}

static void on_difference(void *ctx, enum difference how, const struct entry *e)
{
    struct doing *d = ctx;

    backup_show_difference(&d->view, !d->any, how, e);
    d->any = true;
}

static enum errc do_diff(struct doing *d, struct store *s,
                         const struct flag_args *args, struct err *err)
{
    if (args->n < 2 || args->n > 3)
        return err_set(err, ERR_INVALID, "%s", say(d, TEXT_BACKUP_DIFF_WHAT));
    fputs(d->o->json ? "[" : "", d->cli->out);
    enum errc rc =
        backup_diff(s, args->rest[1], args->n > 2 ? args->rest[2] : NULL,
                    &d->told, on_difference, err);
    fputs(d->o->json ? "]\n" : "", d->cli->out);
    if (!rc && !d->any && !d->o->json)
        fputs(say(d, TEXT_BACKUP_NO_DIFFERENCE), d->cli->out);
    return rc;
}

/* ---- prune --------------------------------------------------------------- */

static enum errc prune(struct doing *d, struct store *s,
                       const struct backups *all, struct keep *keep,
                       struct err *err)
{
    unsigned failed = 0;
    enum errc rc = keep_choose(all, &d->o->keep, keep, err);

    if (rc)
        return rc;
    fputs(d->o->json ? "[" : "", d->cli->out);
    for (size_t i = 0; i < all->n; i++) {
        struct err why;
        if (!keep[i].keeps && !d->o->dry_run &&
            store_remove(s, all->v[i].name, &why)) {
            failed++;
            on_note(d, str_from_cstr(all->v[i].name), why.msg);
            continue;
        }
        backup_show_kept(&d->view, d->o->dry_run, !d->any, &keep[i]);
        d->any = true;
    }
    fputs(d->o->json ? "]\n" : "", d->cli->out);
    return failed ? err_set(err, ERR_WARNED, say(d, TEXT_BACKUP_NOT_REMOVED),
                            failed)
                  : ERR_OK;
}

static enum errc do_prune(struct doing *d, struct store *s, struct arena *a,
                          struct err *err)
{
    struct backups all;
    enum errc rc = d->o->dry_run ? ERR_OK : store_lock(s, d->o->wait, err);

    if (!rc)
        rc = store_list(s, a, &all, err);
    if (rc)
        return rc;
    struct keep *keep = arena_new(a, struct keep, all.n + 1);
    if (!keep)
        return err_set(err, ERR_NOMEM, "out of memory");
    return prune(d, s, &all, keep, err);
}

/* ---- all ----------------------------------------------------------------- */

static enum errc in_store(struct doing *d, const struct flag_args *args,
                          struct err *err)
{
    const char *what = args->rest[0];
    struct store s;
    struct arena a;
    enum errc rc = store_open(d->o->repo, false, &s, err);

    arena_init(&a, MEMORY_MAX);
    if (!rc && strcmp(what, "list") == 0)
        rc = do_list(d, &s, &a, err);
    else if (!rc && strcmp(what, "verify") == 0)
        rc = do_verify(d, &s, &a, args, err);
    else if (!rc && strcmp(what, "diff") == 0)
        rc = do_diff(d, &s, args, err);
    else if (!rc && strcmp(what, "prune") == 0)
        rc = do_prune(d, &s, &a, err);
    else if (!rc)
        rc = err_set(err, ERR_INVALID, say(d, TEXT_BACKUP_WHAT), what);
    store_close(&s);
    arena_fini(&a);
    return rc;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct doing d = {.cli = cli, .o = o, .view = {cli, o->json, {.n = 0}}};
    enum errc rc;

    if (!o->repo)
        return err_set(err, ERR_INVALID, "%s",
                       text_in(cli->language, TEXT_BACKUP_REPO));
    buf_init(&d.view.notes, 32 << 20);
    progress_start(&d.progress, cli);
    d.told = (struct backup_told){on_note,
                                  d.progress.shows ? on_progress : NULL, &d};
    if (strcmp(args->rest[0], "create") == 0)
        rc = do_create(&d, args, err);
    else if (strcmp(args->rest[0], "restore") == 0)
        rc = do_restore(&d, args, err);
    else
        rc = in_store(&d, args, err);
    buf_fini(&d.view.notes);
    return rc;
}

static void words(FILE *out)
{
    fputs("create list verify restore diff prune ", out);
}

const struct command cmd_backup = {
    .name = "backup",
    .args = "create|list|verify|restore|diff|prune ...",
    .summary = TEXT_CMD_BACKUP,
    .min_args = 1,
    .max_args = 65,
    .flags = flags,
    .words = words,
    .run = run,
};
