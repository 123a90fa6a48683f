/* journal.h - what a run did, written down before it was done.
 *
 * /var/lib/stoker/setup/RUN/ beneath the machine's root:
 *   journal    a JSON object a line, each on the disk before what it announces
 *     {"run": "20261129T183000Z", "arguments": ["docker", "--user", "ada"]}
 *     {"begin": 1, "kind": "put", "target": "docker", "title": "...", "path":
 * "/etc/x", "was": {"kind": "file", "mode": 420, "uid": 0, "gid": 0,
 * "mtime_ns": 1, "bytes": "1.was"}, "becomes": {... "bytes": "1.becomes"}}
 *     {"begin": 2, "kind": "packages", "title": "...", "was": "2.was"}
 *     {"begin": 3, "kind": "run", "title": "...", "does": "...", "undo": "...",
 *      "probe": "..."}
 *     {"done": 1} {"failed": 2, "why": "..."} {"undone": 3}
 *     {"state": "finished"} {"state": "undone"}
 *   N.was, N.becomes    bytes
 *   log                 what commands said
 *
 * A last line that was cut off (a kill, a loss of power) counts as not written.
 *
 * Threads: one; runs of several processes exclude each other (a lock).
 */
#ifndef SETUP_JOURNAL_H
#define SETUP_JOURNAL_H

#include "codec/json_tree.h"
#include "setup/host.h"

#define SETUP_STATE "/var/lib/stoker/setup"

enum { RUN_NAME_MAX = 32, JOURNAL_MAX = 64 << 20 };

enum run_state { RUN_OPEN, RUN_FINISHED, RUN_UNDONE };

/* A step as it was begun. */
struct entry {
    size_t number;
    enum step_kind kind;
    const char *target, *title, *path;
    struct node was, becomes; /* STEP_PUT */
    struct str list;          /* STEP_PACKAGES: what was installed */
    const char *does, *undo, *probe;
    bool done, undone;
};

/* The entry is of that step. */
bool entry_is(const struct entry *e, const struct step *s);

struct journal {
    struct host *host;
    struct arena *arena;
    char run[RUN_NAME_MAX];
    int directory, file, lock;
    enum run_state state;
    struct str *arguments;
    size_t n_arguments;
    struct entry *v;
    size_t n, cap;
};

/* A new run; `arguments` are what resume plans from. ERR_BUSY: another process
 * is at it. ERR_CONFLICT: a run is not finished; its name is in err. */
MUST_CHECK enum errc journal_create(struct host *h, struct arena *a,
                                    const char *const *arguments, size_t n,
                                    struct journal *out, struct err *err);

/* A run by name; NULL: the last that is not undone. ERR_NOT_FOUND. */
MUST_CHECK enum errc journal_open(struct host *h, struct arena *a,
                                  const char *run, struct journal *out,
                                  struct err *err);
void journal_close(struct journal *j);

/* Each returns when it is on the disk. A step's number is its place among all,
 * from 1; journal_begin() makes the last one. */
MUST_CHECK enum errc journal_begin(struct journal *j, const struct step *s,
                                   struct str list, struct err *err);
MUST_CHECK enum errc journal_done(struct journal *j, size_t number,
                                  struct err *err);
/* Best effort: the failure itself is told. */
void journal_failed(struct journal *j, size_t number, const char *why);
MUST_CHECK enum errc journal_undone(struct journal *j, size_t number,
                                    struct err *err);
MUST_CHECK enum errc journal_state(struct journal *j, enum run_state s,
                                   struct err *err);

/* The runs, oldest first, each opened for `each` and closed behind it; without
 * the bytes of their steps. */
MUST_CHECK enum errc journal_each(struct host *h,
                                  enum errc (*each)(void *ctx,
                                                    const struct journal *j),
                                  void *ctx, struct err *err);

#endif
