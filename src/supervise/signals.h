/* signals.h - signals by name. */
#ifndef SUPERVISE_SIGNALS_H
#define SUPERVISE_SIGNALS_H

/* "TERM", "SIGTERM" or "15"; -1: there is none of that name. */
int signal_number(const char *name);

/* "SIGTERM"; "signal 40" where there is no name. */
const char *signal_name(int number, char out[32]);

#endif
