/* show.h - settings as text: for people, as JSON, and what differs between two
 * files. Secrets are not shown; what the environment gives is shown by the
 * name of its variable. */
#ifndef CLI_CONFIG_SHOW_H
#define CLI_CONFIG_SHOW_H

#include "base/buf.h"
#include "cli/config/settings.h"

/* One setting. Texts lie in the arena it was made in. */
struct setting {
    const struct section *section;
    const char *block; /* "" */
    const char *name;  /* "http_port" */
    const char *value; /* as YAML, on one line */
    unsigned line;     /* 0: it is the default */
};

struct setting_list {
    struct setting *v;
    size_t n, cap;
};

enum list_what {
    LIST_GIVEN = 0,   /* what the file says */
    LIST_ALL = 1,     /* and what has its default */
    LIST_SECRETS = 2, /* nothing is hidden: to compare, not to show */
};

/* In the order of the sections; what: a sum of the above. */
MUST_CHECK enum errc settings_list(const struct settings *s, int what,
                                   struct arena *a, struct setting_list *out,
                                   struct err *err);

/* As a stoker.yaml; defaults are comments. */
void settings_put_yaml(const struct setting_list *l, struct buf *out);
void settings_put_json(const struct setting_list *l, struct buf *out);

/* What is in one and not in the other, or has another value; returns how many.
 * was or is: NULL when it is not there. */
size_t settings_differ(const struct setting_list *was,
                       const struct setting_list *is,
                       void (*each)(void *ctx, const struct setting *was,
                                    const struct setting *is),
                       void *ctx);

/* "serve.http_port" */
void setting_put_key(const struct setting *s, struct buf *out);

/* What every setting means. */
void settings_help(FILE *out, enum language l);

#endif
