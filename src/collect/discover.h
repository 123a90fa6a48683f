/* discover.h - finds the targets of a configuration: those it names, those in
 * files, those that a server tells of; and changes their labels.
 *
 *   scrape_configs --> groups of addresses --relabel_configs--> scraper_set()
 *                      (files: looked at every few seconds)
 *
 * https://prometheus.io/docs/prometheus/latest/http_sd/
 *
 * Threads: one of its own; the functions from any.
 */
#ifndef COLLECT_DISCOVER_H
#define COLLECT_DISCOVER_H

#include "collect/scrape.h"

struct discover;

struct discover_options {
    struct scraper *scraper;
    void (*say)(void *ctx, bool bad, const char *event, const char *text);
    void *ctx;
};

/* Holds the configuration; NULL: none yet. */
MUST_CHECK enum errc discover_new(const struct discover_options *options,
                                  struct prom_config *config,
                                  struct discover **out, struct err *err);
void discover_free(struct discover *d); /* NULL is fine */

/* Another configuration. */
void discover_set(struct discover *d, struct prom_config *config);

/* Targets that relabelling dropped: their labels before. */
void discover_each_dropped(struct discover *d,
                           void (*each)(void *ctx, const char *job,
                                        struct labels discovered),
                           void *ctx);

#endif
