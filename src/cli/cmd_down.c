#include <stdio.h>

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

static bool has_stopped(void *ctx, const struct answer *a, enum errc *rc,
                        struct err *err)
{
    const struct flag_args *args = ctx;

    (void)rc;
    (void)err;
    for (int i = 0; i < args->n; i++)
        if (json_get(answer_unit(a, args->rest[i]), "pid"))
            return false;
    return args->n > 0;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct flag_args names = *args;
    enum errc rc = ask_to("stop", args->rest, (size_t)args->n, NULL, err);

    if (!rc)
        rc = await(has_stopped, &names, args->n == 0, o->timeout, err);
    if (!rc)
        fprintf(cli->out, "%s\n", text_in(cli->language, TEXT_DOWN_DONE));
    return rc;
}

const struct command cmd_down = {
    .name = "down",
    .args = "[SERVICE ...]",
    .summary = TEXT_CMD_DOWN,
    .max_args = 200,
    .flags = flags,
    .run = run,
};
