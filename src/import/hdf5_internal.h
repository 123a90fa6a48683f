/* hdf5_internal.h - between hdf5.c (objects, groups, attributes) and
 * hdf5_data.c (types, layouts, filters). */
#ifndef IMPORT_HDF5_INTERNAL_H
#define IMPORT_HDF5_INTERNAL_H

#include "import/hdf5.h"

enum {
    H5_MSG_DATASPACE = 0x1,
    H5_MSG_LINK_INFO = 0x2,
    H5_MSG_DATATYPE = 0x3,
    H5_MSG_LINK = 0x6,
    H5_MSG_EXTERNAL = 0x7,
    H5_MSG_LAYOUT = 0x8,
    H5_MSG_FILTERS = 0xb,
    H5_MSG_ATTRIBUTE = 0xc,
    H5_MSG_CONTINUATION = 0x10,
    H5_MSG_SYMBOL_TABLE = 0x11,
    H5_MSG_ATTRIBUTE_INFO = 0x15,
};

struct h5_message {
    unsigned type;
    struct str body;
};

struct h5_object {
    struct h5_message *messages;
    size_t n, cap;
};

/* Reads from the front of a byte string; one read too far makes it fail and
 * all that follow give zeroes. */
struct h5_cursor {
    struct str rest;
    bool failed;
};

uint64_t h5_uint(struct h5_cursor *c, int bytes);
struct str h5_take(struct h5_cursor *c, uint64_t n);

/* n bytes at an address of the file; p == NULL: they are not all there. */
struct str h5_at(const struct h5 *f, uint64_t address, uint64_t n);

MUST_CHECK enum errc h5_read_object(const struct h5 *f, uint64_t address,
                                    struct h5_object *out, struct err *err);

const struct h5_message *h5_message(const struct h5_object *o, unsigned type);

/* Datatype message: what an element is. */
struct h5_type {
    enum { H5_NUMBER, H5_STRING, H5_VAR_STRING } kind;
    enum dtype dtype; /* of a number */
    uint32_t size;
    bool swap; /* big endian */
};

MUST_CHECK enum errc h5_read_type(struct str body, struct h5_type *out,
                                  struct err *err);
MUST_CHECK enum errc h5_read_space(struct str body, struct shape *out,
                                   size_t *count, struct err *err);

#endif
