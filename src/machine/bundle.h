/* bundle.h - a captured machine in one file: every question that the checks
 * asked, and its answer, as JSON.
 *
 *   {"stoker_capture": 1, "made": "2026-11-29T16:00:00Z", "answers": [
 *    {"kind": "file", "name": "/etc/os-release", "found": "yes",
 *     "text": "ID=debian\n"}, ...]}
 *
 * Kinds are file, link, directory (names, a line each), type (st_mode, octal)
 * and fact.
 *
 * Threads: one that was read does not change.
 */
#ifndef MACHINE_BUNDLE_H
#define MACHINE_BUNDLE_H

#include "base/buf.h"
#include "machine/machine.h"

struct answer {
    char kind; /* as machine_record has it */
    const char *name;
    enum found found;
    struct str text;
};

/* By kind and name. */
int answer_compare(const void *a, const void *b);

struct bundle {
    struct answer *v; /* sorted */
    size_t n;
};

/* ERR_INVALID: it is no bundle, and why. What is read lives in the arena. */
MUST_CHECK enum errc bundle_read(struct str text, struct arena *a,
                                 struct bundle *out, struct err *err);

/* NOT_CAPTURED if nobody asked for it when the bundle was made. */
enum found bundle_ask(const struct bundle *b, char kind, const char *name,
                      struct str *out);

/* Appends the whole of it; the answers are sorted and each is there once. */
void bundle_write(const struct bundle *b, const char *made, struct buf *out);

#endif
