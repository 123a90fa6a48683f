/* solve_internal.h - between search.c (which class) and solve.c (which
 * arguments). */
#ifndef IMPORT_TORCH_SOLVE_INTERNAL_H
#define IMPORT_TORCH_SOLVE_INTERNAL_H

#include "import/torch/source_internal.h"
#include "import/torch/unknowns.h"

/* A place where the class is called: its arguments, and the function around. */
struct site {
    struct py_node *call, *around;
};

/* Which arguments of the constructor are left open. */
enum openness {
    OPEN_NONE,
    OPEN_REQUIRED, /* those that must be given */
    OPEN_DEFAULTS, /* also those with a default */
};

struct candidate {
    struct str name;
    bool library;
    struct site site;        /* .call NULL: none */
    struct py_node *body;    /* a function whose variables are looked at */
    struct table *given;     /* arguments by name */
    struct unknowns *solved; /* everything else that was open */
};

struct solver {
    struct program *p;
    struct trace t;
    struct scope *globals;
    struct py_node *tree;
    struct table *init; /* --init */
    int tries;
    bool lax;              /* markers are in use: assertions do not count */
    struct candidate best; /* the nearest so far */
    struct fit best_fit;
    char last_error[300];
    char foreign[100];       /* a call of something that is not here */
    char open_question[200]; /* an argument that the weights do not show */
};

/* The names that the source defines, under the candidate's unknowns. */
struct scope *solver_scope(struct trace *t, struct program *p,
                           struct py_node *tree);

/* The module of a candidate in that trace. */
struct val *solver_make(struct trace *t, struct scope *globals,
                        const struct candidate *c);

/* module_state.c: a number that is another where a run could be another. */
uint64_t module_state(const struct val *module);

/* Makes the candidate, and finds what is open in it; true: it fits, and s->best
 * says how. */
bool solver_solve(struct solver *s, const struct candidate *base,
                  enum openness open);

#endif
