/* messages.h - messages.tmpl, put in at build time. */
#ifndef NOTIFY_MESSAGES_H
#define NOTIFY_MESSAGES_H

#include <stddef.h>

struct built_in_messages {
    const char *name;
    const char *text;
    size_t n;
};

extern const struct built_in_messages built_in_messages[];
extern const size_t built_in_messages_count;

#endif
