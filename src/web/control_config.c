/* control_config.c - Prometheus' configuration file beside the options of the
 * command line. */
#include <stdlib.h>
#include <string.h>

#include "web/control.h"

/* Texts of the options, and those of the file. NULL: out of memory. */
static const char **join(const char *const *given, size_t n,
                         const struct yaml_texts *more)
{
    const char **v = calloc(n + more->n + 1, sizeof(const char *));

    for (size_t i = 0; v && i < n; i++)
        v[i] = given[i];
    for (size_t i = 0; v && i < more->n; i++)
        v[n + i] = more->v[i].p;
    return v;
}

enum errc control_config_load(struct control *c, struct err *err)
{
    struct engine_options *rules = &c->options.rules;
    const struct engine_options *given = rules;
    struct prom_config *config;

    if (!c->options.config)
        return ERR_OK;
    enum errc rc =
        prom_config_load(c->options.config, NULL, NULL, &config, err);
    if (rc)
        return rc;
    c->config = config;
    c->n_given_files = given->n_files;
    c->given_files = given->files;
    c->files = join(given->files, given->n_files, &config->rule_files);
    c->urls = join(given->alertmanagers, given->n_alertmanagers,
                   &config->alertmanagers);
    if (!c->files || !c->urls)
        return err_set(err, ERR_NOMEM, "out of memory");
    rules->files = c->files;
    rules->n_files += config->rule_files.n;
    rules->alertmanagers = c->urls;
    rules->n_alertmanagers += config->alertmanagers.n;
    rules->interval = config->evaluation_ms;
    rules->offset = config->rule_offset_ms;
    int64_t *late = &c->options.store.out_of_order;
    *late = config->out_of_order_ms > *late ? config->out_of_order_ms : *late;
    if (!rules->env.external.n)
        rules->env.external = config->external;
    c->first_config = prom_config_hold(config); /* texts of it stay in use */
    return ERR_OK;
}

enum errc control_config_start(struct control *c, struct err *err)
{
    const struct discover_options options = {.scraper = c->scraper,
                                             .say = c->options.rules.say,
                                             .ctx = c->options.rules.ctx};

    return c->config ? discover_new(&options, c->config, &c->discover, err)
                     : ERR_OK;
}

bool control_config_relabel(void *control, struct labels *labels,
                            struct arena *a)
{
    struct control *c = control;
    struct err err;
    bool keep = true;

    pthread_mutex_lock(&c->lock);
    struct prom_config *config = c->config ? prom_config_hold(c->config) : NULL;
    pthread_mutex_unlock(&c->lock);
    if (config && relabel_apply(&config->alert_relabel, *labels, a, labels,
                                &keep, &err) != ERR_OK)
        keep = true; /* better told with other labels than not */
    prom_config_release(config);
    return keep && labels->n;
}

static enum errc reload_config(struct control *c, struct err *err)
{
    struct prom_config *config;
    enum errc rc =
        prom_config_load(c->options.config, NULL, NULL, &config, err);

    if (rc)
        return rc;
    const char **files =
        join(c->given_files, c->n_given_files, &config->rule_files);
    if (files)
        rc = engine_reload_files(c->engine, files,
                                 c->n_given_files + config->rule_files.n, err);
    else
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (rc) {
        free(files);
        prom_config_release(config);
        return rc;
    }
    discover_set(c->discover, config);
    pthread_mutex_lock(&c->lock);
    free(c->files);
    c->files = files;
    prom_config_release(c->config);
    c->config = config;
    pthread_mutex_unlock(&c->lock);
    return ERR_OK;
}

enum errc control_reload(struct control *c, struct err *err)
{
    enum errc rc =
        c->config ? reload_config(c, err) : engine_reload(c->engine, err);

    return rc ? rc : notify_reload(c->notify, err);
}

void control_config_fini(struct control *c)
{
    discover_free(c->discover);
    c->discover = NULL;
}
