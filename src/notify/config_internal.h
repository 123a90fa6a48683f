/* config_internal.h - what the files that read the configuration share. */
#ifndef NOTIFY_CONFIG_INTERNAL_H
#define NOTIFY_CONFIG_INTERNAL_H

#include "codec/yaml_form.h"
#include "http/fetch_config.h"
#include "notify/config.h"

/* The form is the first member of the reading, so that a field's function,
 * which gets the form, finds the rest. */
struct config_reading {
    struct yaml_form form; /* first */
    struct notify_config *config;
};

static inline struct config_reading *reading_of(struct yaml_form *f)
{
    return (struct config_reading *)f;
}

/* Values of fields; each takes one kind of member. */
void config_duration(struct yaml_form *f, const struct yaml *n, void *ms);
void config_message(struct yaml_form *f, const struct yaml *n, void *message);
void config_matchers(struct yaml_form *f, const struct yaml *n, void *matchers);
void config_match(struct yaml_form *f, const struct yaml *n, void *matchers);
void config_match_re(struct yaml_form *f, const struct yaml *n, void *matchers);

/* A template that a receiver has when the file says nothing. */
void config_default_message(struct yaml_form *f, const struct yaml *at,
                            const char *source, struct message_text *out);

/* config_slack.c: fields of a struct integration. */
extern const struct yaml_field config_slack_fields[];

/* config_receivers.c */
void config_receivers(struct config_reading *r, const struct yaml *list);
void config_check_messages(struct config_reading *r, const struct yaml *at);

/* config_routes.c */
void config_routes(struct config_reading *r, const struct yaml *root,
                   const struct yaml *at);
void config_route_free(struct route *route);

#endif
