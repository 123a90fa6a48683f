/* host.h - the machine that is set up: its paths, its commands. This one, or a
 * directory that holds another's file system; then no path leads out of it, and
 * commands run with it as their root, in mounts of their own.
 *
 * Threads: one.
 */
#ifndef SETUP_HOST_H
#define SETUP_HOST_H

#include "setup/setup.h"

/* Where commands find the bundle. */
#define HOST_BUNDLE "/run/stoker-bundle"

enum {
    HOST_FILE_MAX = 64 << 20,
    HOST_WORDS_MAX = 4096,
    PACKAGES_MAX = 16 << 20 /* bytes of a list of them */
};

struct host {
    const char *path;   /* "/" or a directory */
    int root;           /* descriptor */
    int log;            /* what commands say; -1: nowhere */
    const char *bundle; /* directory of packages; NULL */
};

MUST_CHECK enum errc host_open(const char *root, const char *bundle,
                               struct host *out, struct err *err);
void host_close(struct host *h);

bool host_is_tree(const struct host *h);

/* ---- paths ----------------------------------------------------------- */

/* What is there, links not followed; a file's bytes in the arena. */
MUST_CHECK enum errc host_look(struct host *h, const char *path,
                               struct arena *a, struct node *out,
                               struct err *err);

/* Something is there, be it a link to nowhere. */
bool host_has(struct host *h, const char *path);

/* Makes it so; what was there is gone. Files and links appear at once, whole.
 * A directory that is to go must be empty, else ERR_CONFLICT. */
MUST_CHECK enum errc host_put(struct host *h, const char *path,
                              const struct node *n, struct err *err);

/* The same thing: kind, bytes, mode, owner. */
bool node_same(const struct node *a, const struct node *b);

/* ---- commands -------------------------------------------------------- */

/* Runs it to its end. Its output goes to `out`, or to the log if that is NULL.
 * ERR_NOT_FOUND: there is no such command; ERR_UNAVAIL: it failed, with the
 * last line that it said. */
MUST_CHECK enum errc host_run(struct host *h, const char *const *argv,
                              struct buf *out, struct err *err);

/* The same for a line of words with blanks between; a HOST_BLANK is a blank
 * within a word. */
#define HOST_BLANK '\x1f'

MUST_CHECK enum errc host_run_line(struct host *h, const char *line,
                                   struct buf *out, struct err *err);

/* The probe of a step: a path that is there, a command that succeeds. */
bool host_holds(struct host *h, const char *probe);

/* ---- packages (packages.c) ------------------------------------------- */

/* What is installed, a line "ii  NAME VERSION" each. ERR_UNSUPPORTED: there
 * is neither dpkg nor rpm. */
MUST_CHECK enum errc packages_list(struct host *h, struct buf *out,
                                   struct err *err);

/* Those of the names that are not in such a list, with blanks between. */
const char *packages_missing(struct str list, const char *names,
                             struct arena *a);

/* may_remove: packages that are in the way go. */
MUST_CHECK enum errc packages_install(struct host *h, const char *names,
                                      bool may_remove, struct err *err);

/* Removes what is installed and was not in the list `before`, with its
 * configuration; what was in it and had to go comes back. */
MUST_CHECK enum errc packages_back_to(struct host *h, struct str before,
                                      struct err *err);

#endif
