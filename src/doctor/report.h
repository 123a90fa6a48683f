/* report.h - results for people, programs and Prometheus. */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include "base/buf.h"
#include "doctor/doctor.h"

struct report_style {
    enum language language;
    bool colour;
    bool all; /* what is fine, too */
};

/* A line a group; beneath it what is not fine: what was seen, why it matters,
 * what mends it. */
void report_text(const struct results *r, const struct report_style *style,
                 struct buf *out);

/* {"checks": [{"id", "name", "group", "title", "verdict", "evidence",
 * "findings": [{"verdict", "text", "fix"}], "seconds"}], "summary": {...}} */
void report_json(const struct results *r, enum language l, struct buf *out);

/* stoker_doctor_check{check="driver.versions",group="driver"} 0 fine or
 * skipped, 1 unknown, 2 warning, 3 failed, hung or crashed. */
void report_prometheus(const struct results *r, struct buf *out);

/* What differs between two machines: of every check whose verdict or evidence
 * is another, both. How many there are. */
size_t report_difference(const struct results *a, const struct results *b,
                         const struct report_style *style, struct buf *out);

/* The same for programs: [{"name", "a": {"verdict", "evidence"}, "b": ...}] */
size_t report_difference_json(const struct results *a, const struct results *b,
                              struct buf *out);

/* How many results have each verdict. */
void report_count(const struct results *r, size_t n[VERDICT_FAILED + 1]);

#endif
