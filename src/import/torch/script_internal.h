/* script_internal.h - between script.c (names of an archive) and
 * script_words.c (functions of the language). */
#ifndef IMPORT_TORCH_SCRIPT_INTERNAL_H
#define IMPORT_TORCH_SCRIPT_INTERNAL_H

#include "import/python/python.h"

/* ops.prim.NAME, annotate and its kin; NULL without an error: none. */
struct val *script_word(struct py *py, struct str name);

/* Calls torch.NAME; a builtin whose name and data are the operator's. */
struct val *script_call(struct py *py, struct val *f, const struct args *a);

#endif
