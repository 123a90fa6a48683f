/* doctor.h - examines a machine: is it fit for AI work, what is wrong, and what
 * mends it.
 *
 *   checks.def --a row a check--> run.c: a child process each, with a limit
 *                                   |  findings, over a pipe
 *                                   v
 *                                 results, in the order of the table
 *
 * A check that crashes or hangs is a result like any other: the others go on.
 * No check changes anything.
 *
 * Threads: one, and no other may run: it forks.
 */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/language.h"

/* From best to worst. Skipped: there was nothing of the kind to look at. */
#define VERDICTS(X)       \
    X(SKIPPED, "skipped") \
    X(FINE, "fine")       \
    X(INFO, "info")       \
    X(UNKNOWN, "unknown") \
    X(WARNING, "warning") \
    X(HUNG, "hung")       \
    X(CRASHED, "crashed") \
    X(FAILED, "failed")

enum verdict {
#define X(id, name) VERDICT_##id,
    VERDICTS(X)
#undef X
};

/* "fine", "warning"...: for programs. */
const char *verdict_name(enum verdict v);

enum doctor_group {
#define GROUP(id, en, zh) DOCTOR_##id,
#include "doctor/groups.def"
#undef GROUP
    DOCTOR_GROUPS
};

/* "driver"; "Driver", "驱动". */
const char *doctor_group_name(enum doctor_group g);
const char *doctor_group_title(enum doctor_group g, enum language l);

struct capture; /* capture.h */
struct check_facts {
    const char *id;   /* of the list the checks are from: "G04" */
    const char *name; /* "driver.versions" */
    enum doctor_group group;
    const char *title[LANGUAGES], *why[LANGUAGES];
};

extern const struct check_facts doctor_checks[];
extern const size_t doctor_n_checks;

struct finding {
    enum verdict verdict;
    const char *text;
    const char *fix; /* commands, a line each; "" if none helps */
};

struct result {
    const struct check_facts *check;
    enum verdict verdict; /* the worst of the findings */
    const char *evidence; /* what was seen, the same in every language; or "" */
    const struct finding *findings;
    size_t n;
    int64_t us;
};

struct doctor_options {
    const char *root; /* NULL: this machine */
    const char *only; /* groups, names or ids, with commas; NULL: all */
    enum language language;
    int64_t limit_ms;  /* of one check */
    const char *ports; /* that services need, with commas; NULL: Stoker's */
    bool network;      /* asks servers elsewhere, too */
    const char *model; /* a file that is to run here; NULL: none */
    struct capture *capture; /* takes what was asked, if not NULL */
};

struct results {
    struct result *v;
    size_t n;
};

/* All the checks that are asked for, in the arena. ERR_INVALID: `only` names
 * something that is none. */
MUST_CHECK enum errc doctor_run(const struct doctor_options *o, struct arena *a,
                                struct results *out, struct err *err);

#endif
