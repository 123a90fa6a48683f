#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cell.h"
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

enum { NAME_WIDTH = 20, STATE_WIDTH = 9 };

static const int right[] = {-8, -7, -8, -9}; /* pid, up, restarts, memory */

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

static void put_state(struct cli *cli, struct str state)
{
    bool colour = cli_has_colour(cli);

    if (colour)
        fprintf(cli->out, "\033[%sm", state_colour(state));
    cell(cli->out, state, STATE_WIDTH);
    fputs(colour ? "\033[0m" : "", cli->out);
}

static void put_numbers(struct cli *cli, const struct json_node *u)
{
    int64_t memory = json_i64_or(json_get(u, "memory_bytes"), -1);
    char texts[COUNT(right)][32] = {{0}}, size[SIZE_TEXT_MAX];

    if (json_get(u, "pid")) {
        (void)snprintf(texts[0], sizeof(texts[0]), "%lld",
                       (long long)json_i64_or(json_get(u, "pid"), 0));
        up_text(json_i64_or(json_get(u, "up_ms"), 0), texts[1]);
    }
    (void)snprintf(texts[2], sizeof(texts[2]), "%lld",
                   (long long)json_i64_or(json_get(u, "restarts"), 0));
    if (memory >= 0)
        (void)snprintf(texts[3], sizeof(texts[3]), "%s",
                       size_text(memory, size));
    for (size_t i = 0; i < COUNT(right); i++)
        cell(cli->out, str_from_cstr(texts[i]), right[i]);
}

/* When it is started again, what it says of itself, how it ended last. */
static void put_remarks(struct cli *cli, const struct json_node *u)
{
    const struct json_node *death = json_get(u, "last_death");
    struct str said = json_str_or(json_get(u, "status"), "");
    struct str last = json_str_or(json_get(death, "text"), "");

    if (json_get(u, "start_in_ms"))
        fprintf(cli->out, text_in(cli->language, TEXT_STATUS_AGAIN),
                (double)json_i64_or(json_get(u, "start_in_ms"), 0) / 1000);
    fprintf(cli->out, STR_FMT "%s", STR_ARG(said), said.n ? " " : "");
    if (death && !json_says(json_get(death, "cause"), "replaced") &&
        !json_says(json_get(death, "cause"), "stopped"))
        fprintf(cli->out, "%s" STR_FMT,
                text_in(cli->language, TEXT_STATUS_LAST), STR_ARG(last));
}

static void show_unit(struct cli *cli, const struct json_node *u)
{
    cell(cli->out, json_str_or(json_get(u, "name"), ""), NAME_WIDTH);
    put_state(cli, json_str_or(json_get(u, "state"), ""));
    put_numbers(cli, u);
    put_remarks(cli, u);
    fputc('\n', cli->out);
}

static void show_head(struct cli *cli)
{
    enum language l = cli->language;
    const char *names[COUNT(right)] = {"PID", text_in(l, TEXT_STATUS_UP),
                                       text_in(l, TEXT_STATUS_RESTARTS),
                                       text_in(l, TEXT_STATUS_MEMORY)};

    cell(cli->out, str_from_cstr(text_in(l, TEXT_STATUS_NAME)), NAME_WIDTH);
    cell(cli->out, str_from_cstr(text_in(l, TEXT_STATUS_STATE)), STATE_WIDTH);
    for (size_t i = 0; i < COUNT(right); i++)
        cell(cli->out, str_from_cstr(names[i]), right[i]);
    fputc('\n', cli->out);
}

static void show(struct cli *cli, const struct answer *a)
{
    const struct json_node *units = json_get(a->root, "units");
    const struct json_node *reload = json_get(a->root, "reload");
    struct str message = json_str_or(json_get(reload, "message"), "");
    enum language l = cli->language;

    show_head(cli);
    for (size_t i = 0; units && i < units->n; i++)
        show_unit(cli, json_at(units, i));
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
