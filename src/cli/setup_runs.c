#include "cli/setup_runs.h"

#include <string.h>
#include <unistd.h>

#include "setup/journal.h"

/* ---- progress -------------------------------------------------------- */

static void begin(void *ctx, size_t i, size_t n, const char *title)
{
    FILE *out = ctx;

    fprintf(out, "[%zu/%zu] %s", i, n, title);
    fflush(out);
}

static void end(void *ctx, const char *outcome, double seconds)
{
    FILE *out = ctx;

    if (outcome)
        fprintf(out, "\n      %s\n", outcome);
    else if (seconds >= 2)
        fprintf(out, " (%.0f s)\n", seconds);
    else
        fputc('\n', out);
    fflush(out);
}

struct setup_watch setup_progress(struct cli *cli, bool json)
{
    return (struct setup_watch){begin, end, json ? cli->err : cli->out};
}

/* ---- undo ------------------------------------------------------------ */

enum errc setup_undo_run(struct cli *cli, const char *name, bool force,
                         struct host *h, struct err *err)
{
    const struct setup_watch watch = setup_progress(cli, false);
    struct journal run;
    struct arena arena;

    if (name && strcmp(name, "last") == 0)
        name = NULL;
    arena_init(&arena, 1 << 30);
    enum errc rc = ERR_OK;
    if (geteuid() != 0)
        rc = err_set(err, ERR_DENIED, "%s",
                     text_in(cli->language, TEXT_SETUP_ROOT_NEEDED));
    else
        rc = journal_open(h, &arena, name, &run, err);
    if (!rc) {
        if (run.state == RUN_UNDONE)
            rc = err_set(err, ERR_CONFLICT,
                         text_in(cli->language, TEXT_SETUP_UNDONE_BEFORE),
                         run.run);
        else
            rc = setup_undo(&run, force, &watch, err);
        if (!rc)
            fprintf(cli->out, text_in(cli->language, TEXT_SETUP_UNDONE),
                    run.run);
        journal_close(&run);
    }
    arena_fini(&arena);
    return rc;
}

/* ---- the list -------------------------------------------------------- */

static enum errc list_run(void *ctx, const struct journal *j)
{
    static const enum text states[] = {TEXT_SETUP_STATE_OPEN,
                                       TEXT_SETUP_STATE_FINISHED,
                                       TEXT_SETUP_STATE_UNDONE};
    struct cli *cli = ctx;

    fprintf(cli->out, "%-20s %-12s %3zu ", j->run,
            text_in(cli->language, states[j->state]), j->n);
    for (size_t i = 0; i < j->n_arguments; i++)
        fprintf(cli->out, " " STR_FMT, STR_ARG(j->arguments[i]));
    fputc('\n', cli->out);
    return ERR_OK;
}

static enum errc list_run_json(void *ctx, const struct journal *j)
{
    static const char *const states[] = {"open", "finished", "undone"};
    struct buf *out = ctx;

    buf_printf(out,
               "%s{\"run\":\"%s\",\"state\":\"%s\",\"steps\":%zu,"
               "\"arguments\":[",
               out->n > 1 ? ",\n " : "", j->run, states[j->state], j->n);
    for (size_t i = 0; i < j->n_arguments; i++) {
        buf_puts(out, i ? "," : "");
        buf_put_quoted(out, j->arguments[i]);
    }
    buf_puts(out, "]}");
    return ERR_OK;
}

enum errc setup_list_runs(struct cli *cli, bool json, struct host *h,
                          struct err *err)
{
    struct buf out;

    if (!json)
        return journal_each(h, list_run, cli, err);
    buf_init(&out, 64 << 20);
    buf_puts(&out, "[");
    enum errc rc = journal_each(h, list_run_json, &out, err);
    if (!rc)
        fprintf(cli->out, STR_FMT "]\n", STR_ARG(buf_str(&out)));
    buf_fini(&out);
    return rc;
}
