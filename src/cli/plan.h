/* plan.h - what the master is to run, from stoker.yaml and from the command
 * line, which goes first. */
#ifndef CLI_PLAN_H
#define CLI_PLAN_H

#include "base/state.h"
#include "cli/config/sections.h"
#include "cli/monitor_start.h"
#include "cli/serve_options.h"
#include "serve/registry.h"

enum { MODELS_MAX = 256 };

struct plan {
    struct settings settings; /* zeroed: there is no file */
    struct serve_options serve;
    struct monitor_flags monitor;
    struct flag_args models; /* FILE, NAME=FILE; texts are the settings' */
    struct model_hints hints[MODELS_MAX];
    size_t n_hints;
    struct arena arena;
    struct daemon_service *services;
    struct daemon_options daemon;
};

/* Where the master of `stoker up` keeps its socket, and logs go. */
MUST_CHECK enum errc plan_place(const char *below, char out[STATE_PATH_MAX],
                                struct err *err);

/* For master_run(): a plan made again from the same command line, and how it
 * differs. What only a restart can change stays as it is. */
struct plan_again {
    struct cli *cli;
    const char *path;
    const struct serve_options *given;
    const struct flag_args *args;
    struct plan *first;
};

MUST_CHECK enum errc plan_again(void *ctx, const struct daemon_options *now,
                                const struct daemon_options **out,
                                struct daemon_change *change, struct err *err);
void plan_release(void *ctx, const struct daemon_options *options);

/* path: of the file; NULL: there is none. services: they are to run, too, and
 * then there may be no model. Keeps `cli`, `given` and `args`. */
MUST_CHECK enum errc plan_make(struct cli *cli, const char *path,
                               const struct serve_options *given,
                               const struct flag_args *args, bool services,
                               struct plan *out, struct err *err);
void plan_free(struct plan *p); /* zeroed is fine */

#endif
