#include <string.h>

#include "cli/command.h"

/* bash and zsh (through bashcompinit) share one script; fish has its own. */
static void bash(struct cli *cli, const char *shell)
{
    if (strcmp(shell, "zsh") == 0)
        fputs("autoload -U +X bashcompinit && bashcompinit\n", cli->out);
    fputs("_stoker() {\n  local cur=${COMP_WORDS[COMP_CWORD]}\n"
          "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "    COMPREPLY=( $(compgen -W '",
          cli->out);
    for (size_t i = 0; i < command_count; i++)
        if (!commands[i]->hidden)
            fprintf(cli->out, "%s ", commands[i]->name);
    fputs("' -- \"$cur\") )\n    return\n  fi\n  local options= words=\n"
          "  case ${COMP_WORDS[1]} in\n",
          cli->out);
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i]->hidden || !commands[i]->flags)
            continue;
        fprintf(cli->out, "    %s) options='", commands[i]->name);
        for (const struct flag *f = commands[i]->flags; f->name[0]; f++)
            if (!f->hidden)
                fprintf(cli->out, "--%s ", f->name);
        fputs("--help'", cli->out);
        if (commands[i]->words) {
            fputs(" words='", cli->out);
            commands[i]->words(cli->out);
            fputs("'", cli->out);
        }
        fputs(" ;;\n", cli->out);
    }
    fputs("  esac\n  case $cur in\n"
          "    -*) COMPREPLY=( $(compgen -W \"$options\" -- \"$cur\") ) ;;\n"
          "    *) COMPREPLY=( $(compgen -W \"$words\" -- \"$cur\") "
          "$(compgen -f -- \"$cur\") ) ;;\n"
          "  esac\n}\ncomplete -o filenames -F _stoker stoker\n",
          cli->out);
}

static void fish(struct cli *cli)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *c = commands[i];
        if (c->hidden)
            continue;
        fprintf(cli->out,
                "complete -c stoker -n __fish_use_subcommand -a %s -d '%s'\n",
                c->name, text_in(cli->language, c->summary));
        if (c->words) {
            fprintf(cli->out,
                    "complete -c stoker -n '__fish_seen_subcommand_from %s' "
                    "-a '",
                    c->name);
            c->words(cli->out);
            fputs("'\n", cli->out);
        }
        for (const struct flag *f = c->flags; f && f->name[0]; f++)
            if (!f->hidden)
                fprintf(cli->out,
                        "complete -c stoker -n '__fish_seen_subcommand_from "
                        "%s' -l %s\n",
                        c->name, f->name);
    }
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const char *shell = args->rest[0];
    (void)options;

    if (strcmp(shell, "bash") == 0 || strcmp(shell, "zsh") == 0)
        bash(cli, shell);
    else if (strcmp(shell, "fish") == 0)
        fish(cli);
    else
        return err_set(err, ERR_INVALID, "'%s': use bash, zsh or fish", shell);
    return ERR_OK;
}

const struct command cmd_completion = {
    .name = "completion",
    .args = "bash|zsh|fish",
    .summary = TEXT_CMD_COMPLETION,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
