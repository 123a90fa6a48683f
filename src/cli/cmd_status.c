#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/size_text.h"

struct options {
    bool json;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"json", 0, FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

static const char *up_text(int64_t ms, char out[32])
{
    int64_t s = ms / 1000;

    if (s < 120)
        (void)snprintf(out, 32, "%lld s", (long long)s);
    else if (s < 7200)
        (void)snprintf(out, 32, "%lld min", (long long)(s / 60));
    else if (s < 172800)
        (void)snprintf(out, 32, "%lld h", (long long)(s / 3600));
    else
        (void)snprintf(out, 32, "%lld d", (long long)(s / 86400));
    return out;
}

static const char *state_colour(struct str state)
{
    return str_eq(state, STR("ready")) || str_eq(state, STR("done")) ? "32"
           : str_eq(state, STR("failed")) || str_eq(state, STR("backoff"))
               ? "31"
               : "33";
}

static void show_unit(struct cli *cli, const struct json_node *u)
{
    struct str state = json_str_or(json_get(u, "state"), "");
    const struct json_node *death = json_get(u, "last_death");
    int64_t memory = json_i64_or(json_get(u, "memory_bytes"), -1);
    char up[32] = "", size[SIZE_TEXT_MAX] = "", pid[24] = "", start[64] = "";
    bool colour = cli_has_colour(cli);
    int width = 9 - (int)state.n;

    if (json_get(u, "pid")) {
        up_text(json_i64_or(json_get(u, "up_ms"), 0), up);
        (void)snprintf(pid, sizeof(pid), "%lld",
                       (long long)json_i64_or(json_get(u, "pid"), 0));
    }
    if (memory >= 0)
        size_text(memory, size);
    if (json_get(u, "start_in_ms"))
        (void)snprintf(
            start, sizeof(start), text_in(cli->language, TEXT_STATUS_AGAIN),
            (double)json_i64_or(json_get(u, "start_in_ms"), 0) / 1000);
    struct str name = json_str_or(json_get(u, "name"), "");
    struct str said = json_str_or(json_get(u, "status"), "");
    struct str last = json_str_or(json_get(death, "text"), "");
    bool tells = death && !json_says(json_get(death, "cause"), "replaced") &&
                 !json_says(json_get(death, "cause"), "stopped");
    fprintf(cli->out,
            "%-20.*s %s%s" STR_FMT "%s%*s %8s %9s %9lld %9s  %s" STR_FMT
            "%s" STR_FMT "\n",
            (int)name.n, name.p, colour ? "\033[" : "",
            colour ? state_colour(state) : "", STR_ARG(state),
            colour ? "\033[0m" : "", width > 0 ? width : 0, "", pid, up,
            (long long)json_i64_or(json_get(u, "restarts"), 0), size, start,
            STR_ARG(said),
            tells ? text_in(cli->language, TEXT_STATUS_LAST) : "",
            (int)(tells ? last.n : 0), last.p);
}

static void show(struct cli *cli, const struct answer *a)
{
    const struct json_node *units = json_get(a->root, "units");
    const struct json_node *reload = json_get(a->root, "reload");
    enum language l = cli->language;

    fprintf(cli->out, "%-20s %-9s %8s %9s %9s %9s\n",
            text_in(l, TEXT_STATUS_NAME), text_in(l, TEXT_STATUS_STATE), "PID",
            text_in(l, TEXT_STATUS_UP), text_in(l, TEXT_STATUS_RESTARTS),
            text_in(l, TEXT_STATUS_MEMORY));
    for (size_t i = 0; units && i < units->n; i++)
        show_unit(cli, json_at(units, i));
    struct str message = json_str_or(json_get(reload, "message"), "");
    if (json_says(json_get(reload, "state"), "refused"))
        fprintf(cli->out, text_in(l, TEXT_STATUS_REFUSED), STR_ARG(message));
    else if (json_says(json_get(reload, "state"), "done") && message.n)
        fprintf(cli->out, text_in(l, TEXT_STATUS_NEEDS), STR_ARG(message));
}

/* Not all is as it is to be. */
static bool is_unwell(const struct answer *a)
{
    const struct json_node *units = json_get(a->root, "units");

    for (size_t i = 0; units && i < units->n; i++) {
        const struct json_node *state = json_get(json_at(units, i), "state");
        if (json_says(state, "failed") || json_says(state, "backoff"))
            return true;
    }
    return false;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct answer a;
    enum errc rc = ask("status", NULL, 0, NULL, &a, err);

    (void)args;
    if (rc)
        return rc;
    if (o->json)
        fprintf(cli->out, STR_FMT, STR_ARG(a.text));
    else
        show(cli, &a);
    if (is_unwell(&a))
        rc = err_set(err, ERR_UNFIT, "%s",
                     text_in(cli->language, TEXT_STATUS_UNWELL));
    answer_free(&a);
    return rc;
}

const struct command cmd_status = {
    .name = "status",
    .args = "",
    .summary = TEXT_CMD_STATUS,
    .flags = flags,
    .run = run,
};
