#include <stdio.h>
#include <string.h>

#include "cli/ask.h"

struct options {
    int64_t timeout;
};

#define AT(field) offsetof(struct options, field)
#define SECOND    INT64_C(1000000000)

/* clang-format off */
static const struct flag flags[] = {
    {"timeout", 0, FLAG_DURATION, AT(timeout), "2m", SECOND, 86400 * SECOND, SECOND, TEXT_OPT_WAIT, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

struct restarting {
    const struct flag_args *args;
    const struct answer *before;
};

static bool is_asked_for(const struct flag_args *args,
                         const struct json_node *unit)
{
    for (int i = 0; i < args->n; i++)
        if (json_says(json_get(unit, "name"), args->rest[i]))
            return true;
    return args->n == 0;
}

/* Is each of them another process than before, and ready? */
static bool is_again(void *ctx, const struct answer *a, enum errc *rc,
                     struct err *err)
{
    const struct restarting *r = ctx;
    const struct json_node *units = json_get(a->root, "units");

    if (answer_has_trouble(a, rc, err))
        return true;
    for (size_t i = 0; units && i < units->n && !*rc; i++) {
        const struct json_node *u = json_at(units, i);
        struct str name = json_str_or(json_get(u, "name"), "");
        char text[128];
        (void)snprintf(text, sizeof(text), STR_FMT, STR_ARG(name));
        const struct json_node *was = answer_unit(r->before, text);
        int64_t old = json_i64_or(json_get(was, "pid"), 0);
        if (!is_asked_for(r->args, u) ||
            json_says(json_get(u, "state"), "done"))
            continue;
        if (json_says(json_get(u, "state"), "failed") ||
            json_says(json_get(u, "state"), "backoff"))
            *rc = err_set(err, ERR_UNFIT,
                          "'%s' does not come back: " STR_FMT
                          "; 'stoker why %s' tells more",
                          text,
                          STR_ARG(json_str_or(
                              json_get(json_get(u, "last_death"), "text"), "")),
                          text);
        else if (!json_says(json_get(u, "state"), "ready") ||
                 json_i64_or(json_get(u, "pid"), 0) == old)
            return false;
    }
    return true;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct answer before;
    enum errc rc = ask("status", NULL, 0, NULL, &before, err);

    if (rc)
        return rc;
    rc = ask_to("restart", args->rest, (size_t)args->n, NULL, err);
    if (!rc) {
        struct restarting r = {.args = args, .before = &before};
        rc = await(is_again, &r, false, o->timeout, err);
    }
    if (!rc)
        fprintf(cli->out, "%s\n", text_in(cli->language, TEXT_RESTART_DONE));
    answer_free(&before);
    return rc;
}

const struct command cmd_restart = {
    .name = "restart",
    .args = "[SERVICE ...]",
    .summary = TEXT_CMD_RESTART,
    .max_args = 200,
    .flags = flags,
    .run = run,
};
