/* process.h - imports happen in a child process with nothing to reach: the
 * bytes come in as a sealed anonymous file, the graph goes out as another one.
 *
 * What comes back is not trusted either: every offset in it is checked against
 * the two files before it is used.
 */
#ifndef IMPORT_PROCESS_H
#define IMPORT_PROCESS_H

#include "import/hints.h"
#include "model/runtime.h"

/* An imported model. The source's weights lie in its mappings: close it after
 * the session is gone. */
struct imported {
    struct model_source source;
    struct import_report report;
    struct arena arena;
    int descriptors[2]; /* the file, the result */
    void *maps[2];
    size_t sizes[2];
    uint64_t bytes; /* of the model file */
};

/* Copies the file at path, which must be a plain file, and imports the copy:
 * a change of the file afterwards changes nothing. With GRAPH_INLINE
 * source.bytes is a whole ONNX file. hints may be NULL. On failure the report
 * may hold what was found; close it in any case. */
MUST_CHECK enum errc imported_open(const char *path, enum graph_weights how,
                                   const struct import_hints *hints,
                                   struct imported *out, struct err *err);

/* The same from the descriptors of one that is open elsewhere. */
MUST_CHECK enum errc imported_attach(const int descriptors[2],
                                     struct imported *out, struct err *err);
void imported_close(struct imported *m);

/* Reads the first bytes of a file. IMPORT_UNKNOWN also if it cannot be read:
 * the loader will say why. */
enum import_kind import_kind_of(const char *path);

/* The body of that process: descriptors 0 (the file), 1 (the result) and 2
 * (hints). Returns the exit status. */
int import_child_main(enum graph_weights how);

#endif
