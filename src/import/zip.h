/* zip.h - the entries of a zip archive, read in place.
 *
 * Reads the central directory (APPNOTE.TXT 6.3.10, 4.3.12 to 4.3.16), zip64
 * included, and trusts nothing: names are relative and plain, no name occurs
 * twice, no two entries share bytes, local headers agree with the directory.
 * Checksums are not compared: PyTorch can be told to write none.
 */
#ifndef IMPORT_ZIP_H
#define IMPORT_ZIP_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { ZIP_MAX_ENTRIES = 100000 };

struct zip_entry {
    struct str name;
    struct str raw; /* the bytes as they are stored in the archive */
    uint64_t size;  /* when unpacked */
    bool deflated;  /* else stored: raw are the bytes themselves */
};

struct zip {
    struct zip_entry *entries; /* sorted by name */
    size_t n;
};

/* Names and entries live in the arena, bytes in the archive. */
MUST_CHECK enum errc zip_open(struct str archive, struct arena *arena,
                              struct zip *out, struct err *err);

/* NULL: there is none of that name. */
const struct zip_entry *zip_find(const struct zip *z, const char *name);

/* The bytes of the entry, unpacked into the arena if need be, which must be no
 * more than max, and in that case followed by NUMBER_PAD bytes. */
MUST_CHECK enum errc zip_read(const struct zip_entry *e, size_t max,
                              struct arena *arena, struct str *out,
                              struct err *err);

#endif
