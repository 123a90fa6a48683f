/* gather.h - addresses with labels become targets: relabel_configs, and what
 * the labels __address__, __scheme__ ... say of the URL.
 *
 * Threads: one at a time.
 */
#ifndef COLLECT_GATHER_H
#define COLLECT_GATHER_H

#include "collect/scrape.h"

/* A target that relabelling dropped. */
struct dropped {
    struct dropped *next;
    const char *job;
    struct labels labels; /* before */
};

struct gathering {
    struct prom_config *config;
    struct arena arena; /* of the targets */
    struct scrape_target *v;
    size_t n, cap;
    struct arena dropped_arena; /* the caller takes it over */
    struct dropped *dropped;
    bool failed; /* out of memory */
    void (*complain)(void *ctx, const char *text);
    void *ctx;
};

void gather_begin(struct gathering *g, struct prom_config *config,
                  void (*complain)(void *ctx, const char *text), void *ctx);
void gather_end(struct gathering *g);

/* Adds the pool's targets of these groups; meta is a label of all of them, if
 * it has a value. */
void gather_groups(struct gathering *g, const struct scrape_pool *p,
                   const struct target_groups *groups, struct label meta);

/* The pool's are those from `before` on: none, if they are too many. */
void gather_limit(struct gathering *g, const struct scrape_pool *p,
                  size_t before);

#endif
