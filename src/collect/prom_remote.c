/* prom_remote.c - remote_write of the configuration file. */
#include "collect/prom_config_internal.h"

struct remote remote_usual(void)
{
    return (struct remote){.name = STR(""),
                           .timeout_ms = 30000,
                           .capacity = 200000,
                           .batch = 2000,
                           .deadline_ms = 5000,
                           .least_pause_ms = 30,
                           .longest_pause_ms = 5000};
}

#define AT(field) offsetof(struct remote, field)

static void take_queue(struct yaml_form *f, const struct yaml *n, void *remote)
{
    static const struct yaml_field fields[] = {
        {"capacity", YAML_FIELD_WHOLE, AT(capacity), NULL},
        {"max_samples_per_send", YAML_FIELD_WHOLE, AT(batch), NULL},
        {"batch_send_deadline", YAML_FIELD_OTHER, AT(deadline_ms),
         prom_duration},
        {"min_backoff", YAML_FIELD_OTHER, AT(least_pause_ms), prom_duration},
        {"max_backoff", YAML_FIELD_OTHER, AT(longest_pause_ms), prom_duration},
        {"max_shards", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"min_shards", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"retry_on_http_429", YAML_FIELD_OTHER, 0, yaml_ignore},
        {0}};
    struct remote *r = remote;

    yaml_take(f, n, fields, remote);
    if (r->batch < 1 || r->batch > 100000)
        yaml_wrong(f, n, "max_samples_per_send must be from 1 to 100000");
    if (r->capacity < r->batch || r->capacity > 10000000)
        yaml_wrong(f, n,
                   "capacity must be from max_samples_per_send to 10000000");
    if (r->least_pause_ms < 1)
        r->least_pause_ms = 1;
}

void prom_remotes(struct yaml_form *f, const struct yaml *n, void *config)
{
    static const struct yaml_field fields[] = {
        {"url", YAML_FIELD_OTHER, AT(url), yaml_secret},
        {"name", YAML_FIELD_TEXT, AT(name), NULL},
        {"remote_timeout", YAML_FIELD_OTHER, AT(timeout_ms), prom_duration},
        YAML_HTTP_FIELDS(AT(http)),
        {"write_relabel_configs", YAML_FIELD_OTHER, AT(relabel), relabel_take},
        {"queue_config", YAML_FIELD_OTHER, 0, take_queue},
        {"send_exemplars", YAML_FIELD_OTHER, 0, yaml_ignore},
        {"metadata_config", YAML_FIELD_OTHER, 0, yaml_ignore},
        {0}};
    struct prom_config *c = config;

    c->remotes = yaml_room(f, n, sizeof(*c->remotes));
    for (const struct yaml *i = c->remotes ? n->first : NULL; i; i = i->next) {
        struct remote *r = &c->remotes[c->n_remotes++];
        *r = remote_usual();
        yaml_take(f, i, fields, r);
        if (!str_starts(r->url.value, STR("http")))
            yaml_wrong(f, i, "url for remote_write is empty, or not of http");
    }
}

#undef AT
