/* edit.h - changes to files that others wrote, too. What they wrote stays. */
#ifndef SETUP_EDIT_H
#define SETUP_EDIT_H

#include "setup/step.h"

/* `wanted` (a JSON object) goes into the object `text`: what is there already
 * stays, objects are merged, and lists get what they lack, the wanted first.
 * An empty text is {}. Unchanged bytes when nothing is missing; otherwise it is
 * written anew with four spaces, in its order. ERR_INVALID: it is none, and
 * where. */
MUST_CHECK enum errc edit_json(struct str text, const char *wanted,
                               struct arena *a, struct str *out,
                               struct err *err);

/* The text with the line at its end, unless a line has the same word in that
 * place (from 0) and is no comment: then that line is replaced by it. */
struct str edit_line(struct plan *p, struct str text, unsigned place,
                     const char *word, const char *line);

/* The text with a mark (a comment) before each line that has the word in that
 * place; unchanged bytes when none has. */
struct str edit_comment(struct plan *p, struct str text, unsigned place,
                        const char *word, const char *mark);

/* The text with a block between two lines of ours, which replaces an older one
 * of the same name:
 *   # stoker setup NAME
 *   ...
 *   # stoker setup NAME end */
struct str edit_block(struct plan *p, struct str text, const char *name,
                      const char *block);

#endif
