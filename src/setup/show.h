/* show.h - a plan for people and for programs. */
#ifndef SETUP_SHOW_H
#define SETUP_SHOW_H

#include "setup/setup.h"

struct show_style {
    enum language language;
    bool colour;
};

/* A line a step: what is so already, what would be done, with the commands and
 * the lines of files that change. */
void show_plan(const struct plan *p, const struct show_style *s,
               struct buf *out);

/* [{"target", "kind", "title", "already", "path", "before", "after",
 * "packages", "does", "undo"}] with what a step of its kind has. */
void show_plan_json(const struct plan *p, struct buf *out);

/* What changes between two texts: the lines that go and come, with three
 * around them (the unified format of diff(1), one hunk). */
void show_difference(struct str before, struct str after, bool colour,
                     struct buf *out);

#endif
