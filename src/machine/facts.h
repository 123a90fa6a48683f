/* facts.h - what a machine says that is in no file. Ask through machine_fact().
 *
 *   uname            release R, machine M
 *   statfs PATH      bytes, available, files, files-free, type (hex), read-only
 *   clock            synchronised 0|1, error-us
 *   user             uid, group N (a line each)
 *   environment      NAME=VALUE of those that decide what is loaded and found
 *   kernel-log       lines as /dev/kmsg has them, without what is before ';'
 *   nvml             what NVIDIA's driver says of itself and the GPUs
 *   docker           GET /info of the daemon, JSON
 *   failed-units     names of systemd's units that failed
 *   resolve NAME     milliseconds N
 *   reach URL        status N, milliseconds N; or error TEXT
 *
 * Answers are lines "key value"; a captured machine has them as files in
 * .stoker/facts, percent-encoded names. Of a machine that has no such folder,
 * files tell of uname, kernel-log and environment.
 */
#ifndef MACHINE_FACTS_H
#define MACHINE_FACTS_H

#include "base/buf.h"
#include "machine/machine.h"

#define MACHINE_FACTS ".stoker/facts"

/* Asks this machine. */
enum found facts_ask(const char *name, struct buf *out);

/* The same of the files of a machine that was copied without its facts; ABSENT:
 * they do not tell. */
enum found facts_of_files(struct machine *m, const char *name, struct buf *out);

/* The value behind "key " at the start of a line; p NULL if there is none. */
struct str fact_value(struct str text, const char *key);

/* The same as a whole number; `otherwise` if there is none. */
int64_t fact_number(struct str text, const char *key, int64_t otherwise);

/* ---- the rows ----------------------------------------------------------- */

typedef enum found fact_source(const char *argument, struct buf *out);

fact_source fact_uname, fact_statfs, fact_clock, fact_user, fact_environment,
    fact_kernel_log, fact_nvml, fact_docker, fact_failed_units, fact_resolve,
    fact_reach;

/* apart.c: what comes from fd until its other side closes; BROKEN: not within
 * the limit, or too much. */
enum found machine_hear(int fd, int64_t limit_ms, struct buf *out);

/* apart.c: what a command says, its errors too if asked for, and its status as
 * waitpid(2) has it. BROKEN: it did not end within the limit, and was killed.
 * Any thread. */
enum found machine_command(const char *const argv[], bool errors,
                           int64_t limit_ms, int *status, struct buf *out);

/* machine.c: errno as an answer. */
enum found found_errno(int error);

#endif
