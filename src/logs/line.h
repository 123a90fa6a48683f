/* line.h - what is read from a line of a log. Lines are JSON with ECS names, as
 * ours are, or anything else.
 *
 * https://www.elastic.co/guide/en/ecs/current/ecs-field-reference.html
 */
#ifndef LOGS_LINE_H
#define LOGS_LINE_H

#include "base/arena.h"
#include "base/log.h"

enum { LINE_BYTES_MAX = 16384 }; /* what is behind is cut off */

struct line {
    bool json;       /* an object, and well formed */
    struct str time; /* RFC 3339; "" when there is none, like the others */
    struct str level, model, request_id, host, message;
};

/* NUMBER_PAD bytes behind the text must be readable. Strings point into it or
 * into the arena. */
void line_read(struct str text, struct arena *a, struct line *out);

/* All that is set must hold. */
struct line_filter {
    int least; /* enum log_level or above; lines without a level are info */
    struct str model, request_id, contains;
};

bool line_matches(struct str text, const struct line_filter *f);

#endif
