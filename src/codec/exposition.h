/* exposition.h - metrics as text: Prometheus' format 0.0.4, with the quoted
 * names that Prometheus 3 added, and OpenMetrics 1.0.
 *
 * The reader hands every sample and every piece of metadata to a sink, in the
 * order of the text, and keeps nothing: what it hands over points into the text
 * or into memory of its own that is gone when the sink returns. A mistake ends
 * it; what a sink was given until then is not a scrape, and the caller drops
 * it.
 *
 * Sources: https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * https://prometheus.io/docs/specs/om/open_metrics_spec/ (1.0.0). As Prometheus
 * does, the order of metadata and samples is not policed.
 */
#ifndef CODEC_EXPOSITION_H
#define CODEC_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    EXPOSITION_MAX_LABELS = 128,         /* of one sample */
    EXPOSITION_MAX_ESCAPED = 256 * 1024, /* bytes of one line's escaped text */
};

enum exposition_format { EXPOSITION_TEXT, EXPOSITION_OPENMETRICS };

struct exposition_label {
    struct str name, value;
};

struct exposition_exemplar {
    const struct exposition_label *labels; /* in the order of the text */
    size_t n;
    double value;
    bool has_time;
    int64_t time; /* ms since 1970 */
};

struct exposition_sample {
    struct str name;
    const struct exposition_label *labels; /* by name, each once, none empty */
    size_t n;
    double value; /* a NaN is the ordinary one, never the staleness marker */
    bool has_time;
    int64_t time;                               /* ms since 1970 */
    const struct exposition_exemplar *exemplar; /* NULL: none */
};

enum exposition_about { ABOUT_HELP, ABOUT_TYPE, ABOUT_UNIT };

/* A sink returns false to end the reading: ERR_CANCELED. about may be NULL. */
struct exposition_sink {
    void *ctx;
    bool (*sample)(void *ctx, const struct exposition_sample *s);
    bool (*about)(void *ctx, enum exposition_about what, struct str family,
                  struct str text);
};

/* ERR_INVALID with line and column for a mistake, ERR_LIMIT for too many
 * labels or too long a line, ERR_NOMEM. */
MUST_CHECK enum errc exposition_read(struct str text,
                                     enum exposition_format format,
                                     const struct exposition_sink *sink,
                                     struct err *err);

/* "gauge", "counter" ...: what the word behind # TYPE may be. */
bool exposition_is_type(struct str word, enum exposition_format format);

#endif
