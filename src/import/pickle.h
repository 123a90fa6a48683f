/* pickle.h - Python's pickles read as data.
 *
 * The machine of the format, without the part that imports and calls: a name
 * becomes a record of the name, a call becomes a record of what would have
 * been called with what. Which names may be called at all is the caller's
 * table of exact names; anything else ends the reading, with the name in the
 * message. Protocols 0 to 5; opcodes after CPython's Lib/pickletools.py.
 *
 * Bounded: opcodes, memo, stack and bytes; nothing recurses on the input.
 */
#ifndef IMPORT_PICKLE_H
#define IMPORT_PICKLE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT, /* also long integers that fit */
    PICKLE_BIG, /* a longer one: text are its little-endian bytes */
    PICKLE_FLOAT,
    PICKLE_STR,
    PICKLE_BYTES,
    PICKLE_LIST,
    PICKLE_TUPLE,
    PICKLE_DICT, /* items: key, value, key, value ... */
    PICKLE_SET,
    PICKLE_GLOBAL, /* text: "module.name" */
    PICKLE_CALL,   /* callable(args), state */
    PICKLE_OBJECT, /* an instance of callable, args, state; items of its own */
    PICKLE_PERSISTENT, /* args: what the persistent id is */
};

struct pickle {
    enum pickle_kind kind;
    bool boolean;
    int64_t whole;
    double number;
    struct str text;
    struct pickle **items;
    size_t n, cap;
    struct pickle *callable, *args, *state; /* state of a GLOBAL: its source */
    void *made;                             /* what a reader made of it ... */
    uint64_t made_for;                      /* ... in which of its runs */
};

struct pickle_rules {
    /* May this function be called (REDUCE)? */
    bool (*callable)(struct str name);
    /* May an instance of this class stand there, as an inert record? */
    bool (*instance)(struct str name);
};

/* Reads one pickle at the front of *bytes and moves *bytes behind it. */
MUST_CHECK enum errc pickle_read(struct str *bytes,
                                 const struct pickle_rules *rules,
                                 struct arena *arena, struct pickle **out,
                                 struct err *err);

/* Lookups; absent things are NULL, and NULL may be given. */
struct pickle *pickle_get(const struct pickle *dict, const char *key);
struct pickle *pickle_at(const struct pickle *list, size_t i);
bool pickle_is(const struct pickle *v, enum pickle_kind kind);

/* A global of that name, or an instance or call of it. */
bool pickle_named(const struct pickle *v, const char *name);
struct str pickle_name(const struct pickle *v);

#endif
