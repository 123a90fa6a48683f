/* remote_in.h - samples that others send: remote write 1.0.
 *
 * https://prometheus.io/docs/specs/prw/remote_write_spec/
 */
#ifndef COLLECT_REMOTE_IN_H
#define COLLECT_REMOTE_IN_H

#include "tsdb/tsdb.h"

/* Stores a WriteRequest (unpacked). ERR_INVALID: it is none, and nothing was
 * stored; ERR_CONFLICT: some samples were too old or other values were there,
 * the rest was stored; ERR_UNAVAIL: the disk is full. Native histograms and
 * exemplars are left out. */
MUST_CHECK enum errc remote_take(struct tsdb *db, struct str message,
                                 struct err *err);

#endif
