/* prom_config.h - Prometheus' configuration file: what is scraped and how, and
 * which rules there are.
 *
 * Read: global, rule_files, alerting (static Alertmanagers, relabelling),
 * scrape_configs and scrape_config_files with static, file and HTTP discovery.
 * What is there beside it is refused with its place, but for settings that make
 * no difference here.
 *
 * https://prometheus.io/docs/prometheus/latest/configuration/configuration/
 *
 * Threads: what was loaded does not change; holding and releasing from any.
 */
#ifndef COLLECT_PROM_CONFIG_H
#define COLLECT_PROM_CONFIG_H

#include <stdatomic.h>

#include "collect/relabel.h"
#include "http/fetch_config.h"

/* Addresses with labels that they have in common. */
struct target_group {
    struct yaml_texts targets;
    struct labels labels;
};

struct target_groups {
    struct target_group *v;
    size_t n;
};

struct sd_files {
    struct yaml_texts files; /* patterns */
    int64_t refresh_ms;
};

struct sd_http {
    struct secret url;
    int64_t refresh_ms;
    struct http_auth http;
};

struct url_param {
    struct str name;
    struct yaml_texts values;
};

/* 0: no limit. Of names and values in bytes. */
struct scrape_limits {
    int64_t samples, targets, labels, label_name, label_value, body;
};

/* A scrape_config. */
struct scrape_pool {
    struct str job, path, scheme;
    int64_t interval_ms, timeout_ms;
    bool honor_labels, honor_timestamps;
    struct url_param *params;
    size_t n_params;
    struct http_auth http;
    struct relabel_rules relabel, metric_relabel;
    struct scrape_limits limits;
    struct target_groups groups;
    struct sd_files *files;
    size_t n_files;
    struct sd_http *https;
    size_t n_https;
};

/* A remote_write. */
struct remote {
    struct str name;
    struct secret url;
    int64_t timeout_ms;
    struct http_auth http;
    struct relabel_rules relabel;
    int64_t capacity, batch; /* samples that may wait; in a request */
    int64_t deadline_ms;     /* that a sample waits for others */
    int64_t least_pause_ms, longest_pause_ms;
};

struct prom_config {
    struct arena arena;
    atomic_uint users;
    struct str original; /* its text */
    int64_t interval_ms, timeout_ms, evaluation_ms;
    int64_t rule_offset_ms;      /* of groups that say nothing */
    int64_t out_of_order_ms;     /* how late a sample may come */
    struct scrape_limits limits; /* of pools that say nothing */
    struct labels external;
    struct yaml_texts rule_files;       /* paths, patterns */
    struct yaml_texts alertmanagers;    /* URLs */
    struct relabel_rules alert_relabel; /* of alerts that are told */
    struct yaml_texts pool_files;       /* patterns */
    struct scrape_pool *pools;
    size_t n_pools;
    struct remote *remotes;
    size_t n_remotes;
};

/* ERR_INVALID: "file:4:5: what", all mistakes to report (may be NULL). The
 * caller holds *out once. */
MUST_CHECK enum errc prom_config_load(
    const char *path,
    void (*report)(void *ctx, const char *file, const char *message), void *ctx,
    struct prom_config **out, struct err *err);

/* The same for its text; other files are named from where path lies. */
MUST_CHECK enum errc prom_config_read(
    const char *path, struct str text,
    void (*report)(void *ctx, const char *file, const char *message), void *ctx,
    struct prom_config **out, struct err *err);

struct prom_config *prom_config_hold(struct prom_config *c);
void prom_config_release(struct prom_config *c); /* NULL is fine */

/* A remote write to a URL, as a file without further fields would have it. */
struct remote remote_usual(void);

/* A list of groups, as files and servers of discovery have it. */
void target_groups_take(struct yaml_form *f, const struct yaml *n,
                        void *groups);

#endif
