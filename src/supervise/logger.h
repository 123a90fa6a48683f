/* logger.h - what a service writes goes into a file, which is put aside when it
 * is too large or too old. A process for each service, which reads a pipe until
 * nobody holds its other end: a service is not stopped by our death, and a
 * restart loses no line.
 *
 *   NAME.log                             the present one
 *   NAME-20261130T101500-000042.log.gz   the one before, and so on
 *
 * A file is put aside between two lines, by its name: who reads it reads on.
 * The number at the end rises by one.
 *
 * Threads: one. */
#ifndef SUPERVISE_LOGGER_H
#define SUPERVISE_LOGGER_H

#include <sys/types.h>

#include "base/err.h"
#include "supervise/spec.h"

struct logger {
    pid_t pid; /* 0: none */
    int from;  /* of the pipe; the logger reads it */
    int to;    /* output of the service */
};

enum { LOG_PATH_MAX = 4352 };

/* A pipe, and its process. show: the lines also go to our standard error, with
 * the name before them. */
MUST_CHECK enum errc logger_open(struct logger *l, const char *name,
                                 const struct rotate_spec *spec, bool show,
                                 struct err *err);

/* The process again, on the same pipe, when it died. */
MUST_CHECK enum errc logger_start(struct logger *l, const char *name,
                                  const struct rotate_spec *spec, bool show,
                                  struct err *err);

/* A line of ours between those of the service, if there is room for it. */
void logger_note(struct logger *l, const char *line);

/* Our ends of the pipe; the process ends when it has read all. */
void logger_close(struct logger *l);

/* ---- logger_rotate.c ------------------------------------------------------
 */

/* The present file is put aside. `every` in nanoseconds tells nothing here. */
MUST_CHECK enum errc log_put_aside(const char *directory, const char *name,
                                   struct err *err);

/* Compresses what was put aside, unless it is to stay plain, and removes the
 * oldest beyond `keep`. */
void log_tidy(const struct rotate_spec *spec, const char *name);

/* The number of a file that was put aside; 0: it is none of that name.
 * *packed: it ends in .gz. */
uint64_t log_number(const char *file, const char *name, bool *packed);

#endif
