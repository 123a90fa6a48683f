#include <string.h>

#include "base/compiler.h"
#include "cli/command.h"

/* roff wants dashes and leading dots escaped. */
static void put(FILE *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '-' || *s == '\\')
            fputc('\\', out);
        fputc(*s, out);
    }
}

static void put_flags(FILE *out, const struct flag *table, enum language l)
{
    for (const struct flag *f = table; f && f->name[0]; f++) {
        if (f->hidden)
            continue;
        fputs(".TP\n.B ", out);
        if (f->letter)
            fprintf(out, "\\-%c, ", f->letter);
        fputs("\\-\\-", out);
        put(out, f->name);
        fputc('\n', out);
        put(out, text_in(l, f->help));
        if (f->fallback && f->fallback[0] && f->kind != FLAG_BOOL) {
            fprintf(out, " (%s: ", text_in(l, TEXT_DEFAULT));
            put(out, f->fallback);
            fputc(')', out);
        }
        fputc('\n', out);
    }
}

#define EXIT_ROW(code, http, status, text) {status, text},

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    static const struct {
        int status;
        const char *text;
    } exits[] = {{0, "success"},
#define X EXIT_ROW
                 ERR_MAP(X)
#undef X
    };
    enum language l = cli->language;
    (void)options;
    (void)args;
    (void)err;

    fputs(".TH STOKER 1 \"\" \"stoker " STOKER_VERSION "\"\n.SH NAME\nstoker "
          "\\- ",
          cli->out);
    put(cli->out, text_in(l, TEXT_TAGLINE));
    fputs("\n.SH SYNOPSIS\n.B stoker\n.I COMMAND\n[options] ...\n", cli->out);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = commands[i];
        if (c->hidden)
            continue;
        fprintf(cli->out, ".SH %s\n.B stoker %s\n.I ", c->name, c->name);
        put(cli->out, c->args);
        fputs("\n.PP\n", cli->out);
        put(cli->out, text_in(l, c->summary));
        fputc('\n', cli->out);
        put_flags(cli->out, c->flags, l);
    }
    fputs(".SH EXIT STATUS\n", cli->out);
    for (size_t i = 0; i < COUNT(exits); i++)
        fprintf(cli->out, ".TP\n.B %d\n%s\n", exits[i].status, exits[i].text);
    return ERR_OK;
}

const struct command cmd_man = {
    .name = "man",
    .args = "",
    .summary = TEXT_CMD_MAN,
    .run = run,
};
