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

/* 512, 10MB, 1GiB: all powers of 1024, as there; an int64_t of bytes. */
void prom_size(struct yaml_form *f, const struct yaml *n, void *bytes);

/* Rows of a struct scrape_limits at that offset. */
/* clang-format off */
#define PROM_LIMITS(at) \
    {"sample_limit", YAML_FIELD_WHOLE, (at) + offsetof(struct scrape_limits, samples), NULL}, \
    {"target_limit", YAML_FIELD_WHOLE, (at) + offsetof(struct scrape_limits, targets), NULL}, \
    {"label_limit", YAML_FIELD_WHOLE, (at) + offsetof(struct scrape_limits, labels), NULL}, \
    {"label_name_length_limit", YAML_FIELD_WHOLE, (at) + offsetof(struct scrape_limits, label_name), NULL}, \
    {"label_value_length_limit", YAML_FIELD_WHOLE, (at) + offsetof(struct scrape_limits, label_value), NULL}, \
    {"body_size_limit", YAML_FIELD_OTHER, (at) + offsetof(struct scrape_limits, body), prom_size}

/* Rows of what changes nothing here: how a target is to speak (it is
 * understood as it does), native histograms (there are none), how many dropped
 * targets are kept. */
#define PROM_AS_IT_IS \
    {"scrape_protocols", YAML_FIELD_OTHER, 0, yaml_ignore}, \
    {"fallback_scrape_protocol", YAML_FIELD_OTHER, 0, yaml_ignore}, \
    {"metric_name_validation_scheme", YAML_FIELD_OTHER, 0, yaml_ignore}, \
    {"metric_name_escaping_scheme", YAML_FIELD_OTHER, 0, yaml_ignore}, \
    {"scrape_classic_histograms", YAML_FIELD_OTHER, 0, yaml_ignore}, \
    {"always_scrape_classic_histograms", YAML_FIELD_OTHER, 0, yaml_ignore}, \
    {"convert_classic_histograms_to_nhcb", YAML_FIELD_OTHER, 0, yaml_ignore}, \
    {"scrape_native_histograms", YAML_FIELD_OTHER, 0, yaml_ignore}, \
    {"native_histogram_bucket_limit", YAML_FIELD_OTHER, 0, yaml_ignore}, \
    {"native_histogram_min_bucket_factor", YAML_FIELD_OTHER, 0, yaml_ignore}, \
    {"keep_dropped_targets", YAML_FIELD_OTHER, 0, yaml_ignore}
/* clang-format on */

/* The files that scrape_config_files names: their scrape_configs are added. */
void prom_pool_files(struct yaml_form *f, struct prom_config *c);

#endif
