/* unknowns_internal.h - between unknowns.c (making and answering),
 * unknown_told.c (what is said of one) and unknown_keep.c (from one
 * interpretation to the next). */
#ifndef IMPORT_TORCH_UNKNOWNS_INTERNAL_H
#define IMPORT_TORCH_UNKNOWNS_INTERNAL_H

#include "import/torch/unknowns.h"

/* The last part of the path is a name, not a call or an element. */
bool unknown_is_name(struct str path);
/* Of what it names there are few, and no shape shows how many. */
bool unknown_counts_things(struct str path);
/* What it mostly is, by what it is called; NULL: that says nothing. */
struct val *unknown_habit(struct py *py, struct str path);
/* What a person or the file says of it; NULL: nothing. */
struct val *unknown_told(const struct unknowns *all, struct str path);
/* The weights of the file by name, if that is what it is called. */
struct val *unknown_state_dict(struct trace *t, const struct unknowns *all,
                               struct str path);
/* The length of a sequence, if its name says that it is one; NULL: it does not.
 */
struct val *unknown_steps(struct py *py, const struct unknowns *all,
                          struct str path);
/* What the shape of the input says of it; NULL: nothing. */
struct val *unknown_of_input(struct py *py, const struct unknowns *all,
                             struct str path, enum py_want want);

#endif
