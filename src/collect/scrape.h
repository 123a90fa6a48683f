/* scrape.h - reads the metrics of targets at intervals and stores them.
 *
 * A target is asked every interval, each at its own offset within it. Its
 * samples get the time the scrape was due (not the few ms later that it came
 * about), and the target's labels. Beside them go `up`,
 * scrape_duration_seconds, scrape_samples_scraped,
 * scrape_samples_post_metric_relabeling and scrape_series_added; a series that
 * is gone, and all of a target that fails or is gone, get stale markers.
 *
 * https://prometheus.io/docs/concepts/jobs_instances/
 *
 * Threads: one of its own and a few workers; scraper_set() and scraper_each()
 * from any.
 */
#ifndef COLLECT_SCRAPE_H
#define COLLECT_SCRAPE_H

#include "collect/prom_config.h"
#include "tsdb/tsdb.h"

/* A target; texts are copied. */
struct scrape_target {
    const char *job;          /* also the name of the pool */
    const char *url;          /* http://host:port/path */
    struct labels labels;     /* n 0: job and instance, from job and url */
    struct labels discovered; /* before relabelling; n 0: made up */
    /* What it was found by, and how to ask it; NULL: as the options say. */
    struct prom_config *config;
    const struct scrape_pool *pool;
    int64_t interval_ms, timeout_ms; /* 0: as the options say */
    /* Instead of asking: writes the metrics as text. url is a name then, and
     * the instance `instance`. */
    void (*collect)(void *ctx, struct buf *out);
    void *ctx;
    const char *instance; /* NULL: host and port of the URL */
};

struct scrape_options {
    const struct scrape_target *targets; /* those that are always there */
    size_t n;
    int64_t interval_ms, timeout_ms;
    size_t max_body;    /* bytes of an answer */
    size_t max_samples; /* of one scrape */
    struct metadata *metadata;
};

struct scraper;

MUST_CHECK enum errc scraper_new(struct tsdb *db,
                                 const struct scrape_options *options,
                                 struct scraper **out, struct err *err);
void scraper_free(struct scraper *s); /* NULL is fine */

/* These, beside those of the options, in place of the ones that were set
 * before. A target with the same job, URL and labels goes on. */
MUST_CHECK enum errc scraper_set(struct scraper *s,
                                 const struct scrape_target *targets, size_t n,
                                 struct err *err);

/* What is known of a target. Texts are valid during the call. */
struct scrape_state {
    const char *job, *url;
    struct labels labels, discovered;
    bool asked, up;
    const char *error; /* "" when up */
    int64_t last_ms;   /* wall clock */
    double seconds;    /* that it took */
    int64_t interval_ms, timeout_ms;
};

void scraper_each(struct scraper *s,
                  void (*each)(void *ctx, const struct scrape_state *state),
                  void *ctx);

#endif
