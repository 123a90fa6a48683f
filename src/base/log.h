/* log.h - one line per event, to stderr or wherever log_open() said.
 *
 * On a terminal a line is for a person:
 *     22:21:31 info  model.loaded  name=m version=1 ms=12
 * elsewhere it is a JSON object with ECS field names, for Filebeat and jq.
 *
 * An event has a stable dotted name and a message of key=value pairs or a
 * sentence. A warning says what happens next. Library modules return errors
 * instead of logging; see docs/manual/log-events.md for who logs what.
 *
 * Threads: any. A line is one write(2), so lines do not mix.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR,
};

/* Level and form are process-wide and set once, before threads start.
 * `process` ("master", "serve") is named in every JSON line. */
void log_setup(int fd, enum log_level level, const char *process);

/* False when text names no level. */
bool log_level_parse(struct str text, enum log_level *out);
const char *log_level_name(enum log_level level);

/* How many lines of that level this process has written. Any thread. */
uint64_t log_lines(enum log_level level);

/* From now on every line also goes to that socket (SOCK_SEQPACKET), as JSON,
 * whatever the form of the log is: to the monitor. What does not fit into it is
 * dropped and counted. -1: no more. Before threads start. */
void log_tee(int fd);

/* Lines of other logs the same way, each with its end; waits so many ms, all
 * together, for room. Any thread. */
void log_tee_lines(struct str lines, int wait_ms);
bool log_tee_is_on(void);
uint64_t log_tee_lost(void); /* lines */

bool log_enabled(enum log_level level);
void log_event(enum log_level level, const char *event, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
