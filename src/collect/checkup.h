/* checkup.h - what the doctor finds, as metrics: `stoker doctor --prometheus`
 * in a process of its own, because checks fork and may hang.
 *
 *     stoker_doctor_check{check="storage.space",group="storage"}
 *         0 fine, 1 unknown, 2 warning, 3 failed
 *
 * It is asked at its own interval; between, its last findings are repeated, so
 * that the series do not end.
 *
 * Threads: one at a time.
 */
#ifndef COLLECT_CHECKUP_H
#define COLLECT_CHECKUP_H

#include <stdint.h>

#include "base/buf.h"

struct checkup {
    int64_t interval_ns;
    int64_t due_ns;  /* by clock_mono_ns(): a start is not held up */
    struct buf last; /* what was found */
};

void checkup_collect(struct checkup *c, struct buf *out);
void checkup_fini(struct checkup *c);

#endif
