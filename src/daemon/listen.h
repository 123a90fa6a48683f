/* listen.h - may this address be listened to? */
#ifndef DAEMON_LISTEN_H
#define DAEMON_LISTEN_H

#include <stdbool.h>

#include "base/err.h"

/* ERR_DENIED for what other machines can reach, unless that is meant. */
MUST_CHECK enum errc listen_allowed(const char *host, bool insecure,
                                    struct err *err);

#endif
