/* capture.h - what the checks asked and were told, written down for a colleague
 * (machine/bundle.h): `stoker doctor --root FILE` then finds the same.
 *
 * What is secret or private is taken out, everywhere alike, so that answers
 * still fit each other: user and password in URLs, values behind password=,
 * token= and secret=, the name of the machine, the home directory's, and the
 * UUIDs of GPUs, which become others.
 */
#ifndef DOCTOR_CAPTURE_H
#define DOCTOR_CAPTURE_H

#include "machine/bundle.h"

struct capture {
    struct arena *arena;
    struct answer *v;
    size_t n, cap;
    bool failed; /* out of memory */
};

/* Adds an answer; the texts are copied. */
void capture_add(struct capture *c, char kind, struct str name,
                 enum found found, struct str text);

/* All of it, without what is private, to a new file. */
MUST_CHECK enum errc capture_write(struct capture *c, const char *path,
                                   struct err *err);

#endif
