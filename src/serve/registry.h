/* registry.h - which models there are, in which state.
 *
 * Readers get an immutable snapshot; loading and unloading publish a new one.
 * A model is checked in a child process, loaded, warmed up, and only then
 * visible, so the first request finds what the thousandth finds.
 *
 * Threads: snapshot functions from any; loading on the loader's own thread.
 */
#ifndef SERVE_REGISTRY_H
#define SERVE_REGISTRY_H

#include "import/hints.h"
#include "model/repo.h"
#include "serve/served.h"

enum model_state {
    MODEL_LOADING,
    MODEL_READY,
    MODEL_UNLOADING,
    MODEL_UNAVAILABLE,
};

struct registry_entry {
    char *name, *version;
    enum model_state state;
    char *reason;          /* why it is not ready, or "" */
    struct served *served; /* when ready: a reference */
};

struct snapshot {
    _Atomic unsigned refs;
    struct registry_entry *entries; /* by name, then newest version first */
    size_t n;
    bool all_ready;
};

struct model_hints {
    const char *model; /* its name */
    struct import_hints hints;
};

struct registry_options {
    const char *const *specs; /* files and directories, see model/repo.h */
    size_t n_specs;
    const char *repository; /* or NULL */
    struct runtime_options runtime;
    struct import_hints hints;             /* for files of other frameworks */
    const struct model_hints *model_hints; /* in their place, for some */
    size_t n_model_hints;
    int64_t max_batch; /* rows; 0: never batch */
    int64_t max_delay_us;
};

struct registry;

MUST_CHECK enum errc registry_new(const struct registry_options *options,
                                  struct metrics *metrics,
                                  struct registry **out, struct err *err);
void registry_free(struct registry *r);

/* Lists the models and, in child processes, checks those that were named; to
 * be called before any thread exists. */
MUST_CHECK enum errc registry_prepare(struct registry *r, struct err *err);

/* Loads what was prepared. Files named one by one must load; of a repository,
 * something must. */
MUST_CHECK enum errc registry_load_all(struct registry *r, struct err *err);

/* (Re)loads or unloads one model. Blocks: not on an event loop. */
MUST_CHECK enum errc registry_load(struct registry *r, const char *name,
                                   struct err *err);
MUST_CHECK enum errc registry_unload(struct registry *r, const char *name,
                                     struct err *err);

/* A reference to the present state, and the number it changes with. */
struct snapshot *registry_snapshot(struct registry *r);
unsigned registry_generation(const struct registry *r);
void snapshot_unref(struct snapshot *s);

/* The entry of that name and version; version "" is the newest that is ready,
 * or the newest. NULL: there is none. Borrowed from the snapshot. */
const struct registry_entry *snapshot_find(const struct snapshot *s,
                                           struct str name, struct str version);

const char *model_state_name(enum model_state s);
const char *registry_runtime_version(const struct registry *r);
const char *registry_device(const struct registry *r);

#endif
