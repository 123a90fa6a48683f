/* clean.h - old logs are removed from a directory, and nothing else is.
 *
 *   walk --> files whose name matches, the oldest first --> those that are too
 *   old, then as many more as the bounds of size want --> gone, one by one
 *
 * A file goes only if it is a regular one beneath the directory, on its file
 * system, reached through no link, unchanged since it was looked at, and opened
 * by nobody. What goes is written to a journal first.
 *
 * Threads: any; two that clean one directory do not disturb each other.
 */
#ifndef LOGS_CLEAN_H
#define LOGS_CLEAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define CLEAN_MATCH "*.log,*.log.*,*.log-*,*.out,*.err"

struct clean_options {
    const char *folder;
    const char *match;     /* globs (glob(7)) of names, with commas between */
    int64_t older_than_ns; /* < 0: age is no reason */
    bool by_name; /* the age is that of the date in the name; without one a file
                     stays */
    int64_t keep_free; /* bytes of the file system; < 0: no bound */
    int64_t max_total; /* bytes of all that match; < 0: no bound */
    bool dry_run;
    int64_t now_ns;      /* since 1970 */
    const char *journal; /* lines of JSON are appended */
};

enum clean_why { CLEAN_AGE, CLEAN_TOTAL, CLEAN_FREE };

enum clean_fate {
    CLEAN_REMOVED, /* or would be, in a dry run */
    CLEAN_OPEN,    /* somebody has it open, or that cannot be known */
    CLEAN_FAILED,
    CLEAN_GONE /* somebody else removed it: it is not told of */
};

struct clean_entry {
    const char *path; /* with the directory in front */
    int64_t bytes;    /* that it takes on the disk */
    int64_t age_ns;
    enum clean_why why;
    enum clean_fate fate;
    const char *error; /* of CLEAN_FAILED */
};

struct clean_totals {
    size_t files; /* that match */
    size_t removed, open, failed;
    int64_t bytes; /* of what was removed */
};

/* ERR_INVALID: a directory of the system; ERR_NOT_FOUND, ERR_DENIED, ERR_IO:
 * the directory, or the journal, cannot be used, and nothing was removed. */
MUST_CHECK enum errc logs_clean(const struct clean_options *o,
                                void (*each)(void *ctx,
                                             const struct clean_entry *e),
                                void *ctx, struct clean_totals *out,
                                struct err *err);

/* The end of the day (local time) that the name has a date of: 2026-11-23,
 * 20261123, 2026_11_23, 2026.11.23. False: none. */
bool clean_date(struct str name, int64_t *ns);

/* ---- held.c ------------------------------------------------------------- */

enum held { HELD_NO, HELD_YES, HELD_UNKNOWN };

/* Does anybody else have the file of this descriptor open? When the kernel can
 * promise it (F_SETLEASE), nobody opens it until fd is closed: who tries waits
 * that long. */
enum held file_held(int fd);

#endif
