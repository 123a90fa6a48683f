/* logs_show.h - the logs of what `stoker up` runs, read and followed. */
#ifndef CLI_LOGS_SHOW_H
#define CLI_LOGS_SHOW_H

#include "cli/command.h"

struct logs_show {
    const char *config;
    const char *level, *model, *request_id, *contains;
    const char *since; /* a duration back, or a time; NULL */
    int64_t lines;     /* the newest ones */
    bool follow, json;
};

MUST_CHECK enum errc logs_show(struct cli *cli, const struct logs_show *o,
                               const char *const *names, size_t n,
                               struct err *err);

/* Where the logs lie, by stoker.yaml or by default; out has STATE_PATH_MAX
 * bytes. */
MUST_CHECK enum errc logs_place(struct cli *cli, const char *config, char *out,
                                struct err *err);

#endif
