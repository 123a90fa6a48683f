/* prom_config_internal.h - what the files that read Prometheus' configuration
 * share. */
#ifndef COLLECT_PROM_CONFIG_INTERNAL_H
#define COLLECT_PROM_CONFIG_INTERNAL_H

#include "collect/prom_config.h"

enum { PROM_FILE_MAX = 16 << 20 };

/* Fields of tables (yaml_form.h): an int64_t of ms; a struct labels;
 * scrape_configs and remote_write of a struct prom_config. */
void prom_duration(struct yaml_form *f, const struct yaml *n, void *ms);
void prom_labels(struct yaml_form *f, const struct yaml *n, void *labels);
void prom_pools(struct yaml_form *f, const struct yaml *n, void *config);
void prom_remotes(struct yaml_form *f, const struct yaml *n, void *config);

/* The files that scrape_config_files names: their scrape_configs are added. */
void prom_pool_files(struct yaml_form *f, struct prom_config *c);

#endif
