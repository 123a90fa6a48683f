/* json_tree.h - a whole JSON text as a tree, for configurations that are
 * walked in their own order. Requests use the pull reader of json.h instead.
 *
 * Nodes live in the arena; strings point into the text or the arena. Absent
 * things are NULL, and every function below takes NULL for "absent", so that
 * lookups can be chained:
 *
 *     json_i64_or(json_get(json_get(root, "config"), "units"), 0)
 */
#ifndef CODEC_JSON_TREE_H
#define CODEC_JSON_TREE_H

#include "base/buf.h"
#include "codec/json.h"

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_node {
    enum json_kind kind;
    bool boolean;
    bool integer; /* the number is whole and fits `whole` */
    int64_t whole;
    double number;
    struct str text;
    struct str key;          /* in an object */
    struct json_node *first; /* of an array or object */
    struct json_node *next;  /* sibling */
    size_t n;                /* members */
};

/* The text must be followed by NUMBER_PAD readable bytes. NULL on failure, and
 * err says where. */
struct json_node *json_tree(struct str text, struct arena *arena,
                            struct err *err);

/* The same for a text that has nothing behind it: it is copied. */
struct json_node *json_tree_copy(struct str text, struct arena *arena,
                                 struct err *err);

/* Member of an object by name, of an array by position. The first one wins. */
struct json_node *json_get(const struct json_node *object, const char *key);
struct json_node *json_at(const struct json_node *array, size_t i);

bool json_is(const struct json_node *v, enum json_kind kind);

/* The value if it is one of that kind, else the other. */
int64_t json_i64_or(const struct json_node *v, int64_t other);
double json_f64_or(const struct json_node *v, double other);
bool json_bool_or(const struct json_node *v, bool other);
struct str json_str_or(const struct json_node *v, const char *other);

/* True when v is that string. */
bool json_says(const struct json_node *v, const char *text);

/* Appends the value as JSON text. */
void json_tree_write(struct buf *b, const struct json_node *v);

#endif
