#include <stdlib.h>
#include <string.h>

#include "alert/rule_test.h"
#include "alert/suspect.h"
#include "base/fs.h"
#include "cli/alert_fire.h"
#include "cli/command.h"
#include "codec/json_tree.h"
#include "codec/yaml.h"
#include "http/fetch.h"
#include "notify/config.h"

enum { ANSWER_MAX = 64 << 20, ASK_MS = 10000 };

struct options {
    const char *url;
    bool json;
};

/* clang-format off */
static const struct flag flags[] = {
    {"url",  'u', FLAG_TEXT, offsetof(struct options, url),  NULL, 0, 0, 0, TEXT_OPT_MONITOR_URL, false, 0, NULL},
    {"json",   0, FLAG_BOOL, offsetof(struct options, json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

/* What was found, told as it comes. */
struct telling {
    struct cli *cli;
    bool json;
    unsigned mistakes, doubts;
    const struct json_node *metrics; /* an array of names */
};

static void tell(struct telling *t, const char *kind, const char *file,
                 const char *where, const char *text)
{
    struct buf b;

    if (!t->json) {
        fprintf(t->cli->out, "%s:%s%s\n", file, where, text);
        return;
    }
    buf_init(&b, 1 << 16);
    buf_printf(&b, "%s{\"kind\":\"%s\",\"file\":",
               t->mistakes + t->doubts > 1 ? "," : "", kind);
    buf_put_quoted(&b, str_from_cstr(file));
    buf_puts(&b, ",\"message\":");
    buf_put_quoted(&b, str_from_cstr(text));
    buf_puts(&b, "}\n");
    fprintf(t->cli->out, STR_FMT, STR_ARG(buf_str(&b)));
    buf_fini(&b);
}

/* ---- check -------------------------------------------------------------- */

static void on_mistake(void *ctx, const char *file, const char *message)
{
    struct telling *t = ctx;

    t->mistakes++;
    tell(t, "mistake", file, "", message);
}

static void on_doubt(void *ctx, const struct rule_group *g,
                     const struct rule *r, const char *text)
{
    struct telling *t = ctx;
    char message[600];

    t->doubts++;
    (void)snprintf(message, sizeof(message), "%u: %s \"" STR_FMT "\": %s: %s",
                   r->line, text_in(t->cli->language, TEXT_RULE),
                   STR_ARG(r->name), text_in(t->cli->language, TEXT_SUSPICIOUS),
                   text);
    tell(t, "doubt", g->file.p, "", message);
}

static bool is_known(void *ctx, struct str metric)
{
    const struct telling *t = ctx;

    for (const struct json_node *n = t->metrics->first; n; n = n->next)
        if (str_eq(n->text, metric))
            return true;
    return false;
}

/* The names of all metrics that a monitor, or a Prometheus, has. */
static enum errc ask_names(const char *url, struct arena *a,
                           const struct json_node **out, struct err *err)
{
    char full[1100];
    struct fetch f = {.url = full, .timeout_ms = ASK_MS};
    struct buf b;

    (void)snprintf(full, sizeof(full), "%.1000s/api/v1/label/__name__/values",
                   url);
    buf_init(&b, ANSWER_MAX);
    enum errc rc = fetch_init(err);
    if (!rc)
        rc = fetch_run(&f, &b, err);
    struct json_node *root = rc ? NULL : json_tree_copy(buf_str(&b), a, NULL);
    const struct json_node *data = root ? json_get(root, "data") : NULL;
    if (!rc && !data)
        rc = err_set(err, ERR_UNAVAIL, "'%s' gave no list of metrics", full);
    buf_fini(&b);
    *out = data;
    return rc;
}

/* Is it Alertmanager's configuration, and not one of rules? */
static bool is_notify_file(const char *path)
{
    const struct yaml *root = NULL;
    struct arena a;
    struct buf b;

    arena_init(&a, 64 << 20);
    buf_init(&b, CONFIG_MAX_BYTES);
    bool is = fs_read(path, &b, NULL) == ERR_OK &&
              yaml_read(buf_str(&b), &a, &root, NULL) == ERR_OK &&
              (yaml_get(root, "route") || yaml_get(root, "receivers"));
    buf_fini(&b);
    arena_fini(&a);
    return is;
}

static enum errc check_notify(struct telling *t, const char *path,
                              struct err *err)
{
    struct notify_config c;
    enum errc rc = notify_config_load(&c, path, on_mistake, t, err);

    if (!rc && !t->json)
        fprintf(t->cli->out, text_in(t->cli->language, TEXT_CONFIG_RIGHT), path,
                c.n_routes, c.n_receivers);
    if (!rc)
        notify_config_fini(&c);
    return rc;
}

static enum errc check(struct telling *t, const char *url,
                       const struct flag_args *args, struct err *err)
{
    struct suspect s = {.doubt = on_doubt, .ctx = t};
    struct arena a;
    struct rules rules;
    struct err why;
    enum errc rc = ERR_OK;
    size_t n = 0;
    int configs = 0;

    arena_init(&a, 4 * (size_t)ANSWER_MAX);
    rules_init(&rules);
    if (url)
        rc = ask_names(url, &a, &t->metrics, err);
    s.known = t->metrics ? is_known : NULL;
    for (int i = 1; i < args->n && !rc; i++) {
        unsigned before = t->mistakes;
        if (is_notify_file(args->rest[i])) {
            configs++;
            if (check_notify(t, args->rest[i], &why) && before == t->mistakes)
                rc = err_set(err, ERR_INVALID, "%s", why.msg);
            continue;
        }
        enum errc one = rules_load(&rules, args->rest[i], on_mistake, t, &why);
        if (one && before == t->mistakes) /* not a mistake of the rules */
            rc = err_set(err, one, "%s", why.msg);
    }
    if (!rc)
        suspect_rules(&rules, &s);
    for (size_t i = 0; i < rules.n; i++)
        n += rules.groups[i].n;
    rules_fini(&rules);
    arena_fini(&a);
    if (rc)
        return rc;
    if (t->mistakes)
        return err_set(err, ERR_INVALID,
                       text_in(t->cli->language, TEXT_RULES_WRONG),
                       t->mistakes);
    if (!t->json && configs < args->n - 1)
        fprintf(t->cli->out, text_in(t->cli->language, TEXT_RULES_RIGHT), n,
                t->doubts);
    return ERR_OK;
}

/* ---- test --------------------------------------------------------------- */

static void on_failure(void *ctx, const char *text)
{
    const struct telling *t = ctx;

    fputs(text, t->cli->out);
}

static enum errc test(struct telling *t, const struct flag_args *args,
                      struct err *err)
{
    struct rule_test_counts counts = {0};
    enum errc rc = ERR_OK;

    for (int i = 1; i < args->n && !rc; i++)
        rc = rule_test_run(args->rest[i], on_failure, t, &counts, err);
    if (rc)
        return rc;
    fprintf(t->cli->out, text_in(t->cli->language, TEXT_RULE_TESTS),
            counts.groups, counts.checks, counts.failed);
    return counts.failed
               ? err_set(err, ERR_CONFLICT,
                         text_in(t->cli->language, TEXT_RULE_TESTS_FAILED),
                         counts.failed)
               : ERR_OK;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct telling t = {.cli = cli, .json = o->json};
    const char *what = args->rest[0];
    enum errc rc;

    if (strcmp(what, "test") == 0)
        return test(&t, args, err);
    if (strcmp(what, "fire") == 0)
        return alert_fire(cli, o->url, o->json, args, err);
    if (strcmp(what, "check") != 0)
        return err_set(err, ERR_INVALID,
                       text_in(cli->language, TEXT_ALERT_WHAT), what);
    if (o->json)
        fputs("[", cli->out);
    rc = check(&t, o->url, args, err);
    if (o->json)
        fputs("]\n", cli->out);
    return rc;
}

static void words(FILE *out)
{
    fputs("check test fire ", out);
}

const struct command cmd_alert = {
    .name = "alert",
    .args = "check FILE ... | test FILE ... | fire NAME [LABEL=VALUE ...]",
    .summary = TEXT_CMD_ALERT,
    .min_args = 2,
    .max_args = 256,
    .flags = flags,
    .words = words,
    .run = run,
};
