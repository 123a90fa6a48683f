/* prom_config_internal.h - what the files that read Prometheus' configuration
 * share. */
#ifndef COLLECT_PROM_CONFIG_INTERNAL_H
#define COLLECT_PROM_CONFIG_INTERNAL_H

#include "collect/prom_config.h"

/* Fields of tables (yaml_form.h): an int64_t of ms; remote_write of a struct
 * prom_config. */
void prom_duration(struct yaml_form *f, const struct yaml *n, void *ms);
void prom_remotes(struct yaml_form *f, const struct yaml *n, void *config);

#endif
