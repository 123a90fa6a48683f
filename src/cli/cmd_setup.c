#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ports.h"
#include "cli/command.h"
#include "cli/setup_runs.h"
#include "doctor/report.h"
#include "machine/machine.h"
#include "setup/journal.h"
#include "setup/mirrors.h"
#include "setup/show.h"

struct options {
    struct setup_options setup;
    bool plan, apply, json, force;
    const char *download;
};

#define AT(field)  offsetof(struct options, field)
#define SET(field) offsetof(struct options, setup.field)

/* clang-format off */
static const struct flag flags[] = {
    {"plan",        0, FLAG_BOOL, AT(plan), NULL, 0, 0, 0, TEXT_OPT_SETUP_PLAN, false, 0, NULL},
    {"apply",       0, FLAG_BOOL, AT(apply), NULL, 0, 0, 0, TEXT_OPT_SETUP_APPLY, false, 0, NULL},
    {"root",        0, FLAG_TEXT, SET(root), NULL, 0, 0, 0, TEXT_OPT_SETUP_ROOT, false, 0, NULL},
    {"bundle",      0, FLAG_TEXT, SET(bundle), NULL, 0, 0, 0, TEXT_OPT_SETUP_BUNDLE, false, 0, NULL},
    {"download",    0, FLAG_TEXT, AT(download), NULL, 0, 0, 0, TEXT_OPT_SETUP_DOWNLOAD, false, 0, NULL},
    {"yes-driver",  0, FLAG_BOOL, SET(yes_driver), NULL, 0, 0, 0, TEXT_OPT_SETUP_YES_DRIVER, false, 0, NULL},
    {"force",       0, FLAG_BOOL, AT(force), NULL, 0, 0, 0, TEXT_OPT_SETUP_FORCE, false, 0, NULL},
    {"hostname",    0, FLAG_TEXT, SET(hostname), NULL, 0, 0, 0, TEXT_OPT_SETUP_HOSTNAME, false, 0, NULL},
    {"timezone",    0, FLAG_TEXT, SET(timezone), NULL, 0, 0, 0, TEXT_OPT_SETUP_TIMEZONE, false, 0, NULL},
    {"address",     0, FLAG_TEXT, SET(address), NULL, 0, 0, 0, TEXT_OPT_SETUP_ADDRESS, false, 0, NULL},
    {"gateway",     0, FLAG_TEXT, SET(gateway), NULL, 0, 0, 0, TEXT_OPT_SETUP_GATEWAY, false, 0, NULL},
    {"dns",         0, FLAG_TEXT, SET(dns), NULL, 0, 0, 0, TEXT_OPT_SETUP_DNS, false, 0, NULL},
    {"interface",   0, FLAG_TEXT, SET(interface), NULL, 0, 0, 0, TEXT_OPT_SETUP_INTERFACE, false, 0, NULL},
    {"source",      0, FLAG_TEXT, SET(source), NULL, 0, 0, 0, TEXT_OPT_SETUP_SOURCE, false, 0, NULL},
    {"mount",       0, FLAG_TEXT, SET(mount), NULL, 0, 0, 0, TEXT_OPT_SETUP_MOUNT, false, 0, NULL},
    {"fs-type",     0, FLAG_TEXT, SET(fs_type), NULL, 0, 0, 0, TEXT_OPT_SETUP_FS_TYPE, false, 0, NULL},
    {"branch",      0, FLAG_TEXT, SET(branch), NULL, 0, 0, 0, TEXT_OPT_SETUP_BRANCH, false, 0, NULL},
    {"cuda",        0, FLAG_TEXT, SET(cuda), NULL, 0, 0, 0, TEXT_OPT_SETUP_CUDA, false, 0, NULL},
    {"mirrors",     0, FLAG_TEXT, SET(mirrors), NULL, 0, 0, 0, TEXT_OPT_SETUP_MIRRORS, false, 0, NULL},
    {"user",        0, FLAG_TEXT, SET(user), NULL, 0, 0, 0, TEXT_OPT_SETUP_USER, false, 0, NULL},
    {"venv",        0, FLAG_TEXT, SET(venv), "/opt/stoker/python", 0, 0, 0, TEXT_OPT_SETUP_VENV, false, 0, NULL},
    {"requirements", 'r', FLAG_TEXT, SET(requirements), NULL, 0, 0, 0, TEXT_OPT_SETUP_REQUIREMENTS, false, 0, NULL},
    {"ort",         0, FLAG_TEXT, SET(ort), NULL, 0, 0, 0, TEXT_OPT_SETUP_ORT, false, 0, NULL},
    {"ort-sha256",  0, FLAG_TEXT, SET(ort_sha256), NULL, 0, 0, 0, TEXT_OPT_SETUP_ORT_SHA256, false, 0, NULL},
    {"allow",       0, FLAG_TEXT, SET(allow), NULL, 0, 0, 0, TEXT_OPT_SETUP_ALLOW, false, 0, NULL},
    {"ports",       0, FLAG_TEXT, SET(ports), STOKER_PORTS, 0, 0, 0, TEXT_OPT_SETUP_PORTS, false, 0, NULL},
    {"pod-network", 0, FLAG_TEXT, SET(pod_network), "10.244.0.0/16", 0, 0, 0, TEXT_OPT_SETUP_POD_NETWORK, false, 0, NULL},
    {"kubernetes",  0, FLAG_TEXT, SET(kubernetes), "v1.34", 0, 0, 0, TEXT_OPT_SETUP_KUBERNETES, false, 0, NULL},
    {"json",        0, FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

/* ---- what is asked for ----------------------------------------------- */

static enum errc take_target(struct cli *cli, struct options *o,
                             const char *word, struct err *err)
{
    const char *names[SETUP_TARGETS];
    bool all = strcmp(word, "all") == 0, known = all;

    for (size_t i = 0; i < SETUP_TARGETS; i++) {
        names[i] = setup_targets[i].name;
        bool hit = all || strcmp(word, names[i]) == 0;
        o->setup.targets[i] |= hit;
        known |= hit;
    }
    if (known)
        return ERR_OK;
    const char *near = nearest_word(word, names, SETUP_TARGETS);
    return err_set(err, ERR_INVALID,
                   text_in(cli->language, TEXT_SETUP_NO_TARGET), word,
                   near ? near : "base");
}

static enum errc take_targets(struct cli *cli, struct options *o,
                              const struct flag_args *args, struct err *err)
{
    enum errc rc = ERR_OK;

    o->setup.language = cli->language;
    for (int i = 0; i < args->n && !rc; i++) {
        o->setup.all |= strcmp(args->rest[i], "all") == 0;
        rc = take_target(cli, o, args->rest[i], err);
    }
    if (!rc && o->plan && o->apply)
        rc = err_set(err, ERR_INVALID, "%s",
                     text_in(cli->language, TEXT_SETUP_BOTH));
    if (!rc && (o->apply || o->download) && geteuid() != 0)
        rc = err_set(err, ERR_DENIED, "%s",
                     text_in(cli->language, TEXT_SETUP_ROOT_NEEDED));
    return rc;
}

static void list_targets(struct cli *cli)
{
    for (size_t i = 0; i < SETUP_TARGETS; i++)
        fprintf(cli->out, "%-17s %s\n", setup_targets[i].name,
                setup_targets[i].title[cli->language]);
    fprintf(cli->out, "%s", text_in(cli->language, TEXT_SETUP_HOW));
}

/* ---- mirrors --------------------------------------------------------- */

/* Measures them and puts those that answer in their order. */
static enum errc rank_mirrors(struct cli *cli, struct options *o,
                              struct arena *a, struct err *err)
{
    struct mirror v[MIRRORS_MAX];
    struct buf urls;
    size_t n = 0;

    if (!o->setup.mirrors || !o->setup.targets[SETUP_docker])
        return ERR_OK;
    enum errc rc = mirrors_rank(o->setup.mirrors, a, v, &n, err);
    if (rc)
        return rc;
    buf_init(&urls, 1 << 16);
    for (size_t i = 0; i < n; i++) {
        if (v[i].us >= 0)
            buf_printf(&urls, "%s%s", urls.n ? "," : "", v[i].url);
        if (!o->json && v[i].us >= 0)
            fprintf(cli->out, "%6.0f ms  %s\n", (double)v[i].us / 1e3,
                    v[i].url);
        else if (!o->json)
            fprintf(cli->out, text_in(cli->language, TEXT_SETUP_DEAD_MIRROR),
                    v[i].url, v[i].why);
    }
    o->setup.mirrors = urls.n ? arena_cstr(a, buf_str(&urls)) : NULL;
    buf_fini(&urls);
    return ERR_OK;
}

/* ---- plan ------------------------------------------------------------ */

static void print_plan(struct cli *cli, const struct options *o,
                       const struct plan *plan)
{
    const struct show_style style = {cli->language, cli_has_colour(cli)};
    struct buf out;

    buf_init(&out, 256 << 20);
    if (o->json)
        show_plan_json(plan, &out);
    else
        show_plan(plan, &style, &out);
    (void)fwrite(out.p ? out.p : "", 1, out.n, cli->out);
    buf_fini(&out);
    if (o->json || plan->refused) /* the error says why */
        return;
    size_t n = plan_open_steps(plan), kept = 0;
    for (size_t i = 0; i < plan->n; i++)
        kept += plan->v[i].already && plan->v[i].kind != STEP_NOTE;
    if (n)
        fprintf(cli->out, text_in(cli->language, TEXT_SETUP_TO_DO), n, kept);
    else
        fprintf(cli->out, "%s", text_in(cli->language, TEXT_SETUP_NOTHING));
    fflush(cli->out);
}

/* What there is to do, shown; refused: it cannot be done here. */
static enum errc plan_and_show(struct cli *cli, const struct options *o,
                               struct machine *m, struct host *h, size_t *open,
                               struct err *err)
{
    struct arena arena;
    struct plan plan;

    arena_init(&arena, 1 << 30);
    enum errc rc = setup_plan(&o->setup, m, h, NULL, &arena, &plan, err);
    if (!rc) {
        if (!o->json || !o->apply) /* then what was done is the answer */
            print_plan(cli, o, &plan);
        *open = plan_open_steps(&plan);
        if (plan.refused)
            rc = err_set(err, ERR_CONFLICT, "%s", plan.refused);
    }
    arena_fini(&arena);
    return rc;
}

/* ---- packages for machines without a network ------------------------- */

static enum errc download(struct cli *cli, const struct options *o,
                          struct machine *m, struct host *h, struct err *err)
{
    struct arena arena;
    struct plan plan;
    size_t n = 0;

    arena_init(&arena, 1 << 30);
    h->bundle = o->download;
    enum errc rc = setup_plan(&o->setup, m, h, NULL, &arena, &plan, err);
    if (!rc && plan.refused)
        rc = err_set(err, ERR_CONFLICT, "%s", plan.refused);
    if (!rc)
        rc = setup_download(&plan, o->download, &n, err);
    if (!rc)
        fprintf(cli->out, text_in(cli->language, TEXT_SETUP_DOWNLOADED), n,
                o->download);
    arena_fini(&arena);
    return rc;
}

/* ---- apply ----------------------------------------------------------- */

/* The doctor looks at what was changed by the run (NULL: nothing was). */
static void examine(struct cli *cli, const struct options *o, const char *run,
                    size_t done)
{
    struct doctor_options d = {
        .root = o->setup.root, .language = cli->language, .limit_ms = 1200};
    const struct report_style style = {cli->language, cli_has_colour(cli),
                                       false};
    struct results results;
    struct arena arena;
    struct buf only, out;

    buf_init(&only, 4096);
    buf_init(&out, 64 << 20);
    arena_init(&arena, 512 << 20);
    for (size_t i = 0; i < SETUP_TARGETS; i++)
        if (o->setup.targets[i])
            buf_printf(&only, "%s%s", only.n ? "," : "",
                       setup_targets[i].groups);
    buf_putc(&only, '\0');
    d.only = only.p;
    if (o->json)
        buf_printf(&out,
                   "{\"run\":%s%s%s,\"steps\":%zu,\"doctor\":", run ? "\"" : "",
                   run ? run : "null", run ? "\"" : "", done);
    else
        buf_puts(&out, text_in(cli->language, TEXT_SETUP_EXAMINE));
    enum errc rc = doctor_run(&d, &arena, &results, NULL);
    if (!rc && o->json)
        report_json(&results, cli->language, &out);
    else if (!rc)
        report_text(&results, &style, &out);
    else
        buf_puts(&out, o->json ? "null" : "");
    buf_puts(&out, o->json ? "}\n" : "");
    (void)fwrite(out.p ? out.p : "", 1, out.n, cli->out);
    arena_fini(&arena);
    buf_fini(&out);
    buf_fini(&only);
}

static enum errc apply_run(struct cli *cli, const struct options *o,
                           struct machine *m, struct journal *run,
                           struct err *err)
{
    const struct setup_watch watch = setup_progress(cli, o->json);
    size_t done = 0;
    enum errc rc = setup_apply(&o->setup, m, run, &watch, &done, err);

    if (rc)
        return err_wrap(err, rc, text_in(cli->language, TEXT_SETUP_STOPPED),
                        run->run);
    if (!o->json)
        fprintf(cli->out, text_in(cli->language, TEXT_SETUP_DONE), done,
                run->run);
    examine(cli, o, run->run, done);
    return ERR_OK;
}

/* What came behind "setup", without what only says that it is to be done. */
static size_t arguments(const struct cli *cli, const char **out, size_t max)
{
    size_t n = 0;
    bool behind = false;

    for (int i = 1; i < cli->argc && n < max; i++) {
        if (!behind)
            behind = strcmp(cli->argv[i], "setup") == 0;
        else if (strcmp(cli->argv[i], "--apply") != 0)
            out[n++] = cli->argv[i];
    }
    return n;
}

static enum errc apply(struct cli *cli, const struct options *o,
                       struct machine *m, struct host *h, struct err *err)
{
    const char *said[256];
    struct journal run;
    struct arena arena;

    arena_init(&arena, 1 << 30);
    enum errc rc = journal_create(h, &arena, said,
                                  arguments(cli, said, COUNT(said)), &run, err);
    if (!rc) {
        rc = apply_run(cli, o, m, &run, err);
        journal_close(&run);
    }
    arena_fini(&arena);
    return rc;
}

/* ---- runs ------------------------------------------------------------ */

static enum errc resume(struct cli *cli, struct options *o, const char *name,
                        struct machine *m, struct host *h, struct err *err)
{
    struct options again = {.setup = {.root = o->setup.root}};
    struct flag_args args = {.n = 0};
    char *argv[256];
    int argc = 0;
    struct journal run;
    struct arena arena;

    arena_init(&arena, 1 << 30);
    enum errc rc = journal_open(h, &arena, name, &run, err);
    if (rc) {
        arena_fini(&arena);
        return rc;
    }
    if (run.state != RUN_OPEN)
        rc = err_set(err, ERR_CONFLICT,
                     text_in(cli->language, TEXT_SETUP_NOT_OPEN), run.run);
    for (size_t i = 0; i < run.n_arguments && argc < 255 && !rc; i++)
        argv[argc++] = arena_cstr(&arena, run.arguments[i]);
    if (!rc)
        rc = flags_parse(flags, &again, argc, argv, cli->language, &args, err);
    again.apply = true;
    again.setup.root = o->setup.root; /* the same place by today's name */
    again.setup.yes_driver |= o->setup.yes_driver;
    h->bundle = o->setup.bundle ? o->setup.bundle : again.setup.bundle;
    again.setup.bundle = h->bundle;
    rc = rc ? rc : take_targets(cli, &again, &args, err);
    rc = rc ? rc : rank_mirrors(cli, &again, &arena, err);
    rc = rc ? rc : apply_run(cli, &again, m, &run, err);
    journal_close(&run);
    arena_fini(&arena);
    return rc;
}

/* ---- the command ----------------------------------------------------- */

static enum errc prepare(struct cli *cli, struct options *o,
                         const struct flag_args *args, struct machine *m,
                         struct host *h, struct arena *a, struct err *err)
{
    const char *word = args->rest[0];
    const char *name = args->n > 1 ? args->rest[1] : NULL;
    size_t open = 0;

    if (strcmp(word, "undo") == 0 && args->n <= 2)
        return setup_undo_run(cli, name, o->force, h, err);
    if (strcmp(word, "resume") == 0 && args->n <= 2)
        return resume(cli, o, name, m, h, err);
    if (strcmp(word, "runs") == 0 && args->n == 1)
        return setup_list_runs(cli, o->json, h, err);
    enum errc rc = take_targets(cli, o, args, err);
    rc = rc ? rc : rank_mirrors(cli, o, a, err);
    if (!rc && o->download)
        return download(cli, o, m, h, err);
    rc = rc ? rc : plan_and_show(cli, o, m, h, &open, err);
    if (!rc && o->apply && open)
        return apply(cli, o, m, h, err);
    if (!rc && o->apply)
        examine(cli, o, NULL, 0);
    else if (!rc && open && !o->json)
        fprintf(cli->out, "%s", text_in(cli->language, TEXT_SETUP_PLANNED));
    return rc;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    struct options o = *(const struct options *)options;
    struct machine m;
    struct host h;

    if (args->n == 0) {
        list_targets(cli);
        return ERR_OK;
    }
    enum errc rc = host_open(o.setup.root, o.setup.bundle, &h, err);
    if (rc)
        return rc;
    rc = machine_open(o.setup.root, &m, err);
    if (!rc) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        rc = prepare(cli, &o, args, &m, &h, &arena, err);
        arena_fini(&arena);
        machine_close(&m);
    }
    host_close(&h);
    return rc;
}

static void words(FILE *out)
{
    for (size_t i = 0; i < SETUP_TARGETS; i++)
        fprintf(out, "%s ", setup_targets[i].name);
    fputs("all undo resume runs ", out);
}

const struct command cmd_setup = {
    .name = "setup",
    .args = "[TARGET... | undo [RUN] | resume [RUN] | runs]",
    .summary = TEXT_CMD_SETUP,
    .max_args = 16,
    .flags = flags,
    .words = words,
    .run = run,
};
