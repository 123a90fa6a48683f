/* child.h - the serving process and the monitor, as master starts them. */
#ifndef DAEMON_CHILD_H
#define DAEMON_CHILD_H

#include "daemon/master.h"
#include "supervise/unit.h"

/* Serves until SIGTERM; does not return. It tells its master once, by a struct
 * unit_report. */
void child_main(const struct master_options *master,
                const struct daemon_options *options, const int *fds,
                unsigned n_fds, int report_fd) NORETURN;

/* The same for the monitor. */
void monitor_main(const struct master_options *master,
                  const struct daemon_options *options,
                  struct monitor_beside *beside, int report_fd) NORETURN;

/* Sets the name of this process, as ps and top show it. */
void process_title(const struct master_options *master, const char *title);

#endif
