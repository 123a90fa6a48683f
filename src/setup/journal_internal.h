/* journal_internal.h - what writing and reading a journal share. */
#ifndef SETUP_JOURNAL_INTERNAL_H
#define SETUP_JOURNAL_INTERNAL_H

#include "setup/journal.h"

/* Words for step_kind, node_kind, run_state. */
extern const char *const journal_kinds[4], *const journal_nodes[4],
                                               *const journal_states[3];

/* The first line. */
MUST_CHECK enum errc journal_start(struct journal *j,
                                   const char *const *arguments, size_t n,
                                   struct err *err);

#endif
