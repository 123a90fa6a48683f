#include <stdio.h>

#include "cli/ask.h"

struct options {
    int64_t timeout;
};

#define AT(field) offsetof(struct options, field)
#define SECOND    INT64_C(1000000000)

/* clang-format off */
static const struct flag flags[] = {
    {"timeout", 0, FLAG_DURATION, AT(timeout), "5m", SECOND, 86400 * SECOND, SECOND, TEXT_OPT_WAIT, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

struct reloading {
    struct cli *cli;
    int64_t number; /* of the last one before */
};

static bool is_through(void *ctx, const struct answer *a, enum errc *rc,
                       struct err *err)
{
    const struct reloading *r = ctx;
    const struct json_node *reload = json_get(a->root, "reload");
    struct str message = json_str_or(json_get(reload, "message"), "");
    enum language l = r->cli->language;

    if (json_bool_or(json_get(reload, "wanted"), false) ||
        json_i64_or(json_get(reload, "number"), 0) <= r->number ||
        json_says(json_get(reload, "state"), "tries"))
        return false;
    if (json_says(json_get(reload, "state"), "refused"))
        *rc = err_set(err, ERR_INVALID, text_in(l, TEXT_RELOAD_REFUSED),
                      STR_ARG(message));
    else if (message.n)
        *rc = err_set(err, ERR_WARNED, text_in(l, TEXT_RELOAD_NEEDS),
                      STR_ARG(message));
    else
        fprintf(r->cli->out, "%s\n", text_in(l, TEXT_RELOAD_DONE));
    return true;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct reloading r = {.cli = cli};
    struct answer a;
    enum errc rc = ask("status", NULL, 0, NULL, &a, err);

    (void)args;
    if (rc)
        return rc;
    r.number = json_i64_or(json_get(json_get(a.root, "reload"), "number"), 0);
    answer_free(&a);
    rc = ask_to("reload", NULL, 0, NULL, err);
    return rc ? rc : await(is_through, &r, false, o->timeout, err);
}

const struct command cmd_reload = {
    .name = "reload",
    .args = "",
    .summary = TEXT_CMD_RELOAD,
    .flags = flags,
    .run = run,
};
