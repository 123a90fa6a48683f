#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/command.h"
#include "doctor/report.h"

struct options {
    const char *root, *only, *ports;
    bool json, prometheus, all, list;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"root",       0, FLAG_TEXT, AT(root), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_ROOT, false, 0},
    {"only",       0, FLAG_TEXT, AT(only), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_ONLY, false, 0},
    {"ports",      0, FLAG_TEXT, AT(ports), "8000,8001,8002", 0, 0, 0, TEXT_OPT_DOCTOR_PORTS, false, 0},
    {"all",      'a', FLAG_BOOL, AT(all), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_ALL, false, 0},
    {"list",       0, FLAG_BOOL, AT(list), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_LIST, false, 0},
    {"json",       0, FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0},
    {"prometheus", 0, FLAG_BOOL, AT(prometheus), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_PROMETHEUS, false, 0},
    {.name = ""},
};
/* clang-format on */

static void list_checks(struct cli *cli)
{
    for (size_t i = 0; i < doctor_n_checks; i++)
        fprintf(cli->out, "%-4s %-28s %s\n", doctor_checks[i].id,
                doctor_checks[i].name, doctor_checks[i].title[cli->language]);
}

static void put_report(struct cli *cli, const struct options *o,
                       const struct results *r, double seconds, struct buf *out)
{
    struct report_style style = {
        cli->language, !getenv("NO_COLOR") && isatty(fileno(cli->out)), o->all};

    if (o->json) {
        report_json(r, cli->language, out);
    } else if (o->prometheus) {
        report_prometheus(r, out);
    } else {
        report_text(r, &style, out);
        buf_printf(out, text_in(cli->language, TEXT_DOCTOR_SUMMARY), r->n,
                   seconds);
    }
}

/* The exit status tells healthy, warnings, failures. */
static enum errc conclude(struct cli *cli, const struct results *r,
                          struct err *err)
{
    size_t n[VERDICT_FAILED + 1];

    report_count(r, n);
    size_t bad = n[VERDICT_FAILED] + n[VERDICT_HUNG] + n[VERDICT_CRASHED];
    if (bad)
        return err_set(err, ERR_UNFIT,
                       text_in(cli->language, TEXT_DOCTOR_FAILED), bad,
                       n[VERDICT_WARNING]);
    if (n[VERDICT_WARNING])
        return err_set(err, ERR_WARNED,
                       text_in(cli->language, TEXT_DOCTOR_WARNED),
                       n[VERDICT_WARNING]);
    return ERR_OK;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    const struct doctor_options d = {.root = o->root,
                                     .only = o->only,
                                     .language = cli->language,
                                     .ports = o->ports};
    struct results results;
    struct arena arena;
    struct buf out;

    (void)args;
    if (o->list) {
        list_checks(cli);
        return ERR_OK;
    }
    arena_init(&arena, 64 << 20);
    buf_init(&out, 64 << 20);
    int64_t start = clock_mono_ns();
    enum errc rc = doctor_run(&d, &arena, &results, err);
    if (!rc) {
        put_report(cli, o, &results, (double)(clock_mono_ns() - start) / 1e9,
                   &out);
        (void)fwrite(out.p, 1, out.n, cli->out);
        rc = conclude(cli, &results, err);
    }
    buf_fini(&out);
    arena_fini(&arena);
    return rc;
}

const struct command cmd_doctor = {
    .name = "doctor",
    .args = "",
    .summary = TEXT_CMD_DOCTOR,
    .flags = flags,
    .run = run,
};
