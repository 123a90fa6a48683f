/* source_internal.h - between source.c (weights, comparing) search.c (which
 * class) and solve.c (which arguments). */
#ifndef IMPORT_TORCH_SOURCE_INTERNAL_H
#define IMPORT_TORCH_SOURCE_INTERNAL_H

#include "import/torch/program.h"

/* How far a module and a state_dict agree. */
struct fit {
    size_t expected, named, matched, n_differences, used;
    bool related;   /* the file has something of one of its parts */
    char text[400]; /* the first differences */
};

void weights_sort(struct weights *w);
struct weight *weights_find(const struct weights *w, struct str name);
/* "net." when all names begin so; p == NULL: they do not. */
struct str weights_prefix(const struct weights *w);
void weights_strip(struct weights *w, size_t n);

/* True: every name and shape agrees. binding: the parameters get the weights
 * that fit. */
bool fit_module(struct trace *t, struct val *module, struct weights *w,
                bool binding, struct fit *fit);

/* The names that --code defines, in a scope of that trace. */
struct scope *source_scope(struct trace *t, struct program *p);

/* search.c: sets p->make so that it makes a module that fits the weights; the
 * failure says how far it got. */
MUST_CHECK enum errc find_class(struct program *p);

#endif
