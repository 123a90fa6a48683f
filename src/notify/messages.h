/* messages.h - messages.tmpl, put in at build time. */
#ifndef NOTIFY_MESSAGES_H
#define NOTIFY_MESSAGES_H

#include "base/embedded.h"

extern const struct embedded_texts built_in_messages; /* one */

#endif
