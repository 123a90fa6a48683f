/* yaml.h - a YAML document as a tree, each node with its place, for errors that
 * say where. libyaml does the reading (YAML 1.1).
 *
 * Aliases are copies; depth and number of nodes are limited, so that a small
 * text cannot become a large tree. Keys are plain texts, each once in a map.
 * What a scalar means (number, time ...) its user decides.
 *
 * Threads: any. */
#ifndef CODEC_YAML_H
#define CODEC_YAML_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { YAML_MAX_DEPTH = 64, YAML_MAX_NODES = 1000000 };

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml {
    enum yaml_kind kind;
    bool plain;            /* a text without quotes: may stand for null, 5 */
    unsigned line, column; /* from 1 */
    struct str text;
    struct str key; /* in a map; its place is that of the key */
    unsigned key_line, key_column;
    const struct yaml *first, *next; /* children; the next in a list or map */
};

/* The first document; *out is NULL when there is none. The tree and its texts
 * lie in the arena. ERR_INVALID: "4:7: what is wrong". ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK enum errc yaml_read(struct str text, struct arena *a,
                               const struct yaml **out, struct err *err);

/* The child with that key; NULL: there is none, or n is NULL or no map. */
const struct yaml *yaml_get(const struct yaml *n, const char *key);

/* True for nothing: no node, or an empty or null plain text. */
bool yaml_is_null(const struct yaml *n);

/* The first child behind `after` (NULL: of all) whose key is none of the known
 * ones; NULL when there is none. */
const struct yaml *yaml_stranger(const struct yaml *map,
                                 const struct yaml *after,
                                 const char *const *known, size_t n);

size_t yaml_count(const struct yaml *n); /* children */

/* "map", "list", "text", for messages. */
const char *yaml_kind_name(const struct yaml *n);

/* A number's text, with YAML's .nan and -.inf as NaN and -Inf. */
struct str yaml_number(struct str text);

#endif
