/* result.h - what an import is between two processes, and in the cache: a
 * header, the ONNX bytes, a table of weights, the bytes of those weights that
 * are not in the model file as they are. */
#ifndef IMPORT_RESULT_H
#define IMPORT_RESULT_H

#include "import/process.h"

/* Writes the result of an import to a descriptor. */
MUST_CHECK enum errc result_write(int fd, struct str file,
                                  const struct import *in,
                                  enum graph_weights how, enum errc failure,
                                  const struct err *why);

/* Fills source and report from the bytes of a result; strings are copied,
 * weights point into the two byte strings. Returns the failure of the import
 * too. */
MUST_CHECK enum errc result_read(struct str result, struct str file,
                                 struct imported *out, struct err *err);

#endif
