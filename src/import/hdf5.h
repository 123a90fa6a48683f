/* hdf5.h - the part of HDF5 that model files use, read in place.
 *
 * Superblocks 0 to 3, object headers 1 and 2, groups as symbol tables or
 * compact links, attributes in the header, fixed and floating point numbers,
 * enums, strings of fixed and variable length, contiguous, compact and chunked
 * data (version 1 B-tree; shuffle and deflate). Everything else - dense
 * storage, external files, virtual data, other filters, shared messages - is
 * refused by name. Source: "HDF5 File Format Specification Version 3.0".
 *
 * Every offset is checked against the file; depth, links and sizes are
 * bounded. One thread at a time.
 */
#ifndef IMPORT_HDF5_H
#define IMPORT_HDF5_H

#include "base/arena.h"
#include "base/err.h"
#include "codec/dtype.h"
#include "codec/shape.h"

struct h5 {
    struct str file;
    uint64_t root; /* address of the root group's header */
    struct arena *arena;
};

enum { H5_MAX_MESSAGES = 100000, H5_MAX_LINKS = 100000 };

bool h5_looks(struct str file);

/* The file must outlive f. */
MUST_CHECK enum errc h5_open(struct str file, struct arena *arena, struct h5 *f,
                             struct err *err);

/* The object at "a/b/c" beneath the one at `from`. ERR_NOT_FOUND: none. */
MUST_CHECK enum errc h5_find(const struct h5 *f, uint64_t from, struct str path,
                             uint64_t *out, struct err *err);

/* The names in a group, in the order of the file. */
MUST_CHECK enum errc h5_names(const struct h5 *f, uint64_t group,
                              struct str **names, size_t *n, struct err *err);

/* The strings of an attribute, one or a list; values of fixed length lose the
 * zeroes behind them. ERR_NOT_FOUND: there is no such attribute. */
MUST_CHECK enum errc h5_strings(const struct h5 *f, uint64_t object,
                                const char *attribute, struct str **values,
                                size_t *n, struct err *err);

/* A numeric dataset as little-endian row-major elements: in the file where it
 * can be, else in the arena. */
struct h5_array {
    enum dtype type;
    struct shape shape;
    size_t count;
    const void *data;
};

MUST_CHECK enum errc h5_dataset(const struct h5 *f, uint64_t object,
                                struct h5_array *out, struct err *err);

#endif
