/* setup_runs.h - what `stoker setup` says while it works, and its runs. */
#ifndef CLI_SETUP_RUNS_H
#define CLI_SETUP_RUNS_H

#include "cli/command.h"
#include "setup/host.h"

/* A line a step, as it goes; where the answer is JSON, beside it. */
struct setup_watch setup_progress(struct cli *cli, bool json);

/* Puts a run back; name NULL or "last": the last that is not. */
MUST_CHECK enum errc setup_undo_run(struct cli *cli, const char *name,
                                    bool force, struct host *h,
                                    struct err *err);

MUST_CHECK enum errc setup_list_runs(struct cli *cli, bool json, struct host *h,
                                     struct err *err);

#endif
