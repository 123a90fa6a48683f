/* target.h - a target of the scraper: what it is, and one scrape of it. */
#ifndef COLLECT_TARGET_H
#define COLLECT_TARGET_H

#include <pthread.h>

#include "collect/ingest.h"
#include "collect/scrape.h"
#include "io/pool.h"

/* What a target is; does not change, and lives as long as somebody uses it. */
struct target_def {
    struct arena arena;
    unsigned users;
    struct scrape_target how; /* texts in the arena */
};

struct target {
    struct pool_job job; /* first: a job is its target */
    struct scraper *scraper;
    struct target *next;
    bool fixed;                  /* of the options */
    bool wanted;                 /* by the set that is being made */
    struct ingest_memory memory; /* of whoever scrapes */
    pthread_mutex_t lock;        /* of what follows */
    struct target_def *def;
    bool busy, gone;
    int64_t offset_ms; /* within the interval */
    int64_t due_ms;    /* wall clock */
    bool asked, up;
    char error[sizeof(((struct err *)0)->msg)];
    int64_t last_ms;
    double seconds;
};

/* NULL: out of memory. */
struct target_def *target_def_new(const struct scrape_target *how,
                                  const struct scrape_options *options);
void target_def_release(struct target_def *d);

struct target *target_new(struct scraper *s, struct target_def *def,
                          int64_t now);

/* Ends its series. */
void target_end(struct target *t, struct tsdb *db, int64_t now);
void target_free(struct target *t);

/* True when both are the same target: job, URL, labels. */
bool target_is(const struct target *t, const struct target_def *d);

/* Another definition of the same. Its lock is not held. */
void target_redefine(struct target *t, struct target_def *d, int64_t now);

/* One scrape, and notes what came of it. */
void target_scrape(struct target *t, struct tsdb *db,
                   const struct scrape_options *options);

#endif
