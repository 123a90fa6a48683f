/* hints.h - what a person says beside a model file that is not enough alone:
 * the source of its class, arguments, the shape of the input.
 *
 * From the command line, or from import.json in the folder of the model:
 *     {"code": "net.py", "class": "Net", "init": {"hidden": 64},
 *      "input": "1,3,224,224"}
 */
#ifndef IMPORT_HINTS_H
#define IMPORT_HINTS_H

#include "base/buf.h"
#include "base/err.h"
#include "import/import.h"

/* Zeroed: nothing was said. */
struct import_hints {
    const char *code; /* paths, separated by ',' */
    const char *class_name, *init, *input;
};

/* The texts themselves; options point into the buffer. */
struct hint_texts {
    struct buf bytes; /* as the importer's process gets them */
    struct import_options options;
};

/* Reads the files that are named, and import.json beside the model when
 * nothing was said. Release with hints_fini(), also after a failure. */
MUST_CHECK enum errc hints_read(const struct import_hints *hints,
                                const char *model, struct hint_texts *out,
                                struct err *err);
void hints_fini(struct hint_texts *t);

/* The same from the bytes; false: they do not fit together. */
bool hints_parse(struct str bytes, struct import_options *out);

#endif
