/* setup.h - prepares a machine: shows what it would change, changes it, and
 * puts it back.
 *
 *   targets.def --facts of the machine--> plan: steps, each with what it does,
 *                                          whether it is so already, its undo
 *   plan --show.c--> people                 (nothing has changed yet)
 *        --apply.c--> journal, then change, then verify, step by step
 *   journal --undo.c--> the machine as it was
 *
 * A step that is so already is not done: a second run changes nothing. A run
 * that broke off goes on where it was, or is put back.
 *
 * Threads: one.
 */
#ifndef SETUP_SETUP_H
#define SETUP_SETUP_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/language.h"

enum setup_target {
#define TARGET(id, name, groups, en, zh) SETUP_##id,
#include "setup/targets.def"
#undef TARGET
    SETUP_TARGETS
};

struct target_facts {
    const char *name;   /* "nvidia-container" */
    const char *groups; /* of the doctor, that look at what it did */
    const char *title[LANGUAGES];
};

extern const struct target_facts setup_targets[SETUP_TARGETS];

/* What the user said. NULL: not said. Texts have no blanks in them where they
 * become words of a command: setup_plan() checks. */
struct setup_options {
    const char *root; /* NULL: this machine */
    enum language language;
    bool targets[SETUP_TARGETS];
    bool all; /* every target, as far as this machine and what is said go */
    bool yes_driver;          /* a driver in use may be replaced */
    const char *bundle;       /* directory of packages, for machines offline */
    const char *hostname;     /* base */
    const char *timezone;     /* Asia/Shanghai */
    const char *address;      /* 192.168.1.10/24 */
    const char *gateway;      /* 192.168.1.1 */
    const char *dns;          /* with commas */
    const char *interface;    /* eth0 */
    const char *branch;       /* driver: 580 */
    const char *cuda;         /* 12.8 */
    const char *mirrors;      /* docker: URLs with commas, best first */
    const char *user;         /* who may use docker */
    const char *venv;         /* python: where */
    const char *requirements; /* a file on this machine */
    const char *ort, *ort_sha256; /* a library or a .tgz with one, its sum */
    const char *source;      /* storage: server:/path, /dev/sdb1, UUID=... */
    const char *mount;       /* where */
    const char *fs_type;     /* ext4; nfs is seen from the source */
    const char *allow;       /* firewall: who may use the ports, CIDR */
    const char *ports;       /* 8000,8001,8002 */
    const char *pod_network; /* k8s: CIDR */
    const char *kubernetes;  /* v1.34 */
};

enum step_kind {
    STEP_PUT,      /* a file, link or directory is as it should be */
    STEP_PACKAGES, /* are installed */
    STEP_RUN,      /* a command was run */
    STEP_REFRESH,  /* a command, after something of the target changed */
    STEP_NOTE      /* nothing is done: what people must know, or do */
};

enum node_kind {
    NODE_ABSENT,
    NODE_FILE,
    NODE_DIRECTORY,
    NODE_LINK,
    NODE_OTHER
};

/* What is at a path. */
struct node {
    enum node_kind kind;
    unsigned mode, uid, gid;
    int64_t mtime_ns;
    struct str text; /* a file's bytes, where a link leads */
};

struct step {
    enum step_kind kind;
    enum setup_target target;
    const char *title;
    bool already; /* nothing to do */
    /* STEP_PUT */
    const char *path;
    struct node before, after;
    /* STEP_PACKAGES: names, with blanks between; of them the missing */
    const char *names, *missing;
    bool may_remove; /* what is in their way goes */
    /* STEP_RUN, STEP_REFRESH: words with blanks between; undo may be "" */
    const char *does, *undo;
    const char *probe; /* of STEP_RUN, see step.h */
};

struct journal;
struct machine;
struct host;

struct plan {
    struct arena *arena;
    struct machine *machine;
    const struct setup_options *options;
    struct host *host;
    const struct journal *run; /* that it is part of; NULL: none yet */
    struct step *v;
    size_t n, cap;
    enum setup_target target; /* whose steps are being added */
    const char *refused;      /* why it cannot be done here; NULL: it can */
    struct str installed;     /* packages_list(), once it was asked for */
    bool failed;              /* out of memory, told at the end: */
    struct step spare;        /* steps go here then */
};

/* Looks at the machine and says what there is to do; out->refused: why it
 * cannot be done here. ERR_INVALID: an option that is none. */
MUST_CHECK enum errc setup_plan(const struct setup_options *o,
                                struct machine *m, struct host *h,
                                const struct journal *run, struct arena *a,
                                struct plan *out, struct err *err);

/* How many steps there are to do. */
size_t plan_open_steps(const struct plan *p);

/* Fetches the packages of the plan, and all that they need, into a directory
 * that --bundle takes; how many .deb files it has then. The plan's host must
 * have been opened with that directory as its bundle. */
MUST_CHECK enum errc setup_download(const struct plan *p, const char *directory,
                                    size_t *n, struct err *err);

/* What happens while it happens. */
struct setup_watch {
    void (*begin)(void *ctx, size_t i, size_t n, const char *title);
    void (*end)(void *ctx, const char *outcome, double seconds);
    void *ctx;
};

/* Does it: plans, does the first step that is open, and plans again, because a
 * package may bring files that a later step changes. Stops at the first that
 * fails, or that is not so although it was done. `done` is how many were. */
MUST_CHECK enum errc setup_apply(const struct setup_options *o,
                                 struct machine *m, struct journal *run,
                                 const struct setup_watch *w, size_t *done,
                                 struct err *err);

/* Puts everything of the run back that was not changed by others since:
 * ERR_CONFLICT names it and nothing was done, unless `force`. */
MUST_CHECK enum errc setup_undo(struct journal *run, bool force,
                                const struct setup_watch *w, struct err *err);

#endif
