#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ports.h"
#include "cli/command.h"
#include "doctor/capture.h"
#include "doctor/report.h"

struct options {
    const char *root, *only, *ports, *capture, *model;
    bool network;
    bool json, prometheus, all, list;
    int64_t watch_ns; /* 0: once */
    int64_t limit_ns; /* of a check */
};

#define S         ((int64_t)1000000000)
#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"root",       0, FLAG_TEXT, AT(root), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_ROOT, false, 0, NULL},
    {"only",       0, FLAG_TEXT, AT(only), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_ONLY, false, 0, NULL},
    {"ports",      0, FLAG_TEXT, AT(ports), STOKER_PORTS, 0, 0, 0, TEXT_OPT_DOCTOR_PORTS, false, 0, NULL},
    {"capture",    0, FLAG_TEXT, AT(capture), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_CAPTURE, false, 0, NULL},
    {"all",      'a', FLAG_BOOL, AT(all), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_ALL, false, 0, NULL},
    {"network",    0, FLAG_BOOL, AT(network), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_NETWORK, false, 0, NULL},
    {"model",      0, FLAG_TEXT, AT(model), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_MODEL, false, 0, NULL},
    {"limit",      0, FLAG_DURATION, AT(limit_ns), NULL, S / 10, 3600 * S, S, TEXT_OPT_DOCTOR_LIMIT, false, 0, NULL},
    {"watch",    'w', FLAG_DURATION, AT(watch_ns), "0s", 0, 86400 * S, S, TEXT_OPT_DOCTOR_WATCH, false, 0, NULL},
    {"list",       0, FLAG_BOOL, AT(list), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_LIST, false, 0, NULL},
    {"json",       0, FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {"prometheus", 0, FLAG_BOOL, AT(prometheus), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_PROMETHEUS, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

static void list_checks(struct cli *cli)
{
    for (size_t i = 0; i < doctor_n_checks; i++)
        fprintf(cli->out, "%-4s %-28s %s\n", doctor_checks[i].id,
                doctor_checks[i].name, doctor_checks[i].title[cli->language]);
}

static void print(struct cli *cli, const struct buf *text)
{
    if (text->n)
        (void)fwrite(text->p, 1, text->n, cli->out);
}

static struct report_style look(const struct cli *cli, const struct options *o)
{
    return (struct report_style){cli->language, cli_has_colour(cli), o->all};
}

static void put_report(struct cli *cli, const struct options *o,
                       const struct results *r, double seconds, struct buf *out)
{
    struct report_style style = look(cli, o);

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

/* Servers elsewhere, and models, take their time. */
static int64_t limit_of(const struct options *o)
{
    int64_t usual = o->model ? 120 * S : o->network ? 15 * S : S + S / 5;

    return (o->limit_ns ? o->limit_ns : usual) / 1000000;
}

static struct doctor_options asked(const struct cli *cli,
                                   const struct options *o)
{
    return (struct doctor_options){.root = o->root,
                                   .only = o->only,
                                   .language = cli->language,
                                   .limit_ms = limit_of(o),
                                   .ports = o->ports,
                                   .network = o->network,
                                   .model = o->model};
}

/* ---- two machines ------------------------------------------------------- */

static enum errc compare(struct cli *cli, const struct options *o,
                         const struct flag_args *args, struct err *err)
{
    struct doctor_options a = asked(cli, o), b = a;
    struct results ra = {.n = 0}, rb = {.n = 0};
    struct report_style style = look(cli, o);
    struct arena arena;
    struct buf out;
    size_t n = 0;

    if (strcmp(args->rest[0], "diff") != 0 || args->n != 3)
        return err_set(err, ERR_INVALID, "%s",
                       text_in(cli->language, TEXT_DOCTOR_WHAT));
    a.root = args->rest[1];
    b.root = args->rest[2];
    arena_init(&arena, 512 << 20);
    buf_init(&out, 64 << 20);
    enum errc rc = doctor_run(&a, &arena, &ra, err);
    if (!rc)
        rc = doctor_run(&b, &arena, &rb, err);
    if (!rc) {
        n = o->json ? report_difference_json(&ra, &rb, &out)
                    : report_difference(&ra, &rb, &style, &out);
        print(cli, &out);
        if (!o->json)
            fprintf(cli->out, text_in(cli->language, TEXT_DOCTOR_DIFFER), n,
                    ra.n);
    }
    buf_fini(&out);
    arena_fini(&arena);
    return rc;
}

/* ---- again and again ---------------------------------------------------- */

/* Shows the report anew: on a terminal in the place of the last, elsewhere
 * when a verdict has changed. Ends with the process. */
static enum errc watch(struct cli *cli, const struct options *o,
                       struct err *err)
{
    struct doctor_options d = asked(cli, o);
    bool terminal = isatty(fileno(cli->out)) == 1;
    char last[512] = "";

    for (;;) {
        struct results results;
        struct arena arena;
        struct buf out;
        char now[512];
        size_t n = 0;
        arena_init(&arena, 512 << 20);
        buf_init(&out, 64 << 20);
        int64_t start = clock_mono_ns();
        enum errc rc = doctor_run(&d, &arena, &results, err);
        for (; !rc && n < results.n && n + 1 < sizeof(now); n++)
            now[n] = (char)('0' + results.v[n].verdict);
        now[n] = '\0';
        if (!rc && (terminal || strcmp(now, last) != 0)) {
            buf_puts(&out, terminal ? "\033[H\033[2J" : "");
            put_report(cli, o, &results,
                       (double)(clock_mono_ns() - start) / 1e9, &out);
            print(cli, &out);
            fflush(cli->out);
        }
        memcpy(last, now, sizeof(last));
        buf_fini(&out);
        arena_fini(&arena);
        if (rc)
            return rc;
        if (ferror(cli->out))
            return ERR_OK; /* nobody looks any more */
        (void)nanosleep(&(struct timespec){o->watch_ns / 1000000000,
                                           o->watch_ns % 1000000000},
                        NULL);
    }
}

/* ---- once --------------------------------------------------------------- */

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct results results;
    struct arena arena;
    struct capture capture = {.arena = &arena};
    struct doctor_options d = asked(cli, o);
    struct buf out;

    d.capture = o->capture ? &capture : NULL;
    if (o->list) {
        list_checks(cli);
        return ERR_OK;
    }
    if (o->model && o->root)
        return err_set(err, ERR_INVALID, "%s",
                       text_in(cli->language, TEXT_DOCTOR_MODEL_HERE));
    if (args->n)
        return compare(cli, o, args, err);
    if (o->watch_ns)
        return watch(cli, o, err);
    arena_init(&arena, 512 << 20);
    buf_init(&out, 64 << 20);
    int64_t start = clock_mono_ns();
    enum errc rc = doctor_run(&d, &arena, &results, err);
    if (!rc) {
        put_report(cli, o, &results, (double)(clock_mono_ns() - start) / 1e9,
                   &out);
        print(cli, &out);
        if (o->capture)
            rc = capture_write(&capture, o->capture, err);
        rc = rc ? rc : conclude(cli, &results, err);
    }
    buf_fini(&out);
    arena_fini(&arena);
    return rc;
}

static void words(FILE *out)
{
    fputs("diff ", out);
    for (int i = 0; i < DOCTOR_GROUPS; i++)
        fprintf(out, "%s ", doctor_group_name((enum doctor_group)i));
    for (size_t i = 0; i < doctor_n_checks; i++)
        fprintf(out, "%s ", doctor_checks[i].name);
}

const struct command cmd_doctor = {
    .name = "doctor",
    .args = "[diff A B]",
    .summary = TEXT_CMD_DOCTOR,
    .max_args = 3,
    .flags = flags,
    .words = words,
    .run = run,
};
