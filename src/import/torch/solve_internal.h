/* solve_internal.h - between search.c (which class) and solve.c (which
 * arguments). */
#ifndef IMPORT_TORCH_SOLVE_INTERNAL_H
#define IMPORT_TORCH_SOLVE_INTERNAL_H

#include "import/torch/source_internal.h"

/* A place where the class is called: its arguments, and the function around. */
struct site {
    struct py_node *call, *around;
};

struct candidate {
    struct str name;
    bool library;
    struct site site;    /* .call NULL: none */
    struct table *given; /* arguments by name, or NULL */
};

struct solver {
    struct program *p;
    struct trace t;
    struct scope *globals;
    struct py_node *tree;
    struct table *init; /* --init */
    int tries;
    struct candidate best; /* the nearest so far */
    struct fit best_fit;
    char last_error[300];
    char open_question[200]; /* an argument that the weights do not show */
};

/* The module of a candidate in that trace. */
struct val *solver_make(struct trace *t, struct scope *globals,
                        const struct candidate *c);

/* Makes the candidate and compares; true: it fits. *module: what was made, also
 * when it does not fit, or NULL. */
bool solver_attempt(struct solver *s, const struct candidate *c,
                    struct fit *fit, struct val **module);

/* Solves what is not given, with defaults_too also arguments that have a
 * default; true: it fits, and s->best says how. */
bool solver_solve(struct solver *s, const struct candidate *base,
                  bool defaults_too);

#endif
