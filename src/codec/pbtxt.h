/* pbtxt.h - Protocol Buffers' text format, as in Triton's config.pbtxt.
 *
 * A pull reader like codec/json.h: names in order, each followed by a scalar
 * or a message. Lists ("dims: [ 1, 2 ]") are read as repeated scalars, and
 * comments (#) are skipped. Source:
 * https://protobuf.dev/reference/protobuf/textformat-spec/
 */
#ifndef CODEC_PBTXT_H
#define CODEC_PBTXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { PBTXT_MAX_DEPTH = 32 };

struct pbtxt {
    const char *p, *end, *start;
    struct arena *arena;
    struct err *err;
    struct str list_names[PBTXT_MAX_DEPTH + 1]; /* of the lists, by depth */
    int depth;
    bool failed;
    bool in_list;
};

struct pbtxt_field {
    struct str name;
    struct str scalar; /* unquoted text, number or word */
    bool message;      /* read its fields next, until pbtxt_next is false */
};

void pbtxt_init(struct pbtxt *t, struct str text, struct arena *arena,
                struct err *err);

/* The next field of the current message; false at its end or on a mistake
 * (t->failed, with line and column in err). */
bool pbtxt_next(struct pbtxt *t, struct pbtxt_field *f);

/* Passes over the rest of the message just entered. */
void pbtxt_skip(struct pbtxt *t);

#endif
