/* solve_internal.h - between search.c (which class), arguments.c (what it
 * leaves open), solve.c (with what values it fits), attempt.c (one try) and
 * settled.c (is there no other answer?). */
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
    struct trace t;        /* in which the source is looked at */
    struct trace attempt;  /* in which a candidate is made; short-lived */
    struct scope *globals; /* of t */
    struct table *init;    /* --init */
    int tries;             /* of one stage */
    int max_tries;         /* until the next candidate's turn */
    uint64_t steps;        /* of all attempts */
    uint64_t max_steps;
    bool lax;              /* markers are in use: assertions do not count */
    struct candidate best; /* the nearest so far */
    struct fit best_fit;
    /* Arguments that the source hands over where it makes a model, and that the
     * weights do not show: the class's own default would be a guess. */
    struct str handed[8];
    size_t n_handed;
    char last_error[300];
    char foreign[100];       /* a call of something that is not here */
    char open_question[200]; /* an argument that the weights do not show */
};

/* The names that the source defines, under the candidate's unknowns. */
struct scope *solver_scope(struct trace *t, struct program *p);

/* What is called, or stands there already; NULL: the source has no such name.
 */
struct val *solver_callee(struct trace *t, struct scope *globals,
                          const struct candidate *c);

/* The module of a candidate in that trace. */
struct val *solver_make(struct trace *t, struct scope *globals,
                        const struct candidate *c);

/* module_state.c: a number that is another where a run could be another. */
uint64_t module_state(const struct val *module);

/* What is wanted of an attempt besides whether it fits. */
enum { WANTS_EVIDENCE = 1, WANTS_STATE = 2 };

struct outcome {
    bool made, fits;
    bool told; /* shapes told something new */
    struct fit fit;
    uint64_t state; /* module_state() */
};

/* Makes the candidate in an interpretation of its own and compares; true: it
 * fits. */
bool solver_attempt(struct solver *s, const struct candidate *c, unsigned wants,
                    struct outcome *out);

/* arguments.c: the function that is called, or the constructor of the class;
 * NULL: none of the source. */
struct function *solver_function(struct val *callee);
/* arguments.c: a default of which other values are tried. */
bool solver_is_tried(const struct val *usual);
/* arguments.c: what the checkpoint says of arguments with defaults; false:
 * nothing else than the defaults. */
bool solver_tell_arguments(struct solver *s, struct candidate *c);
/* arguments.c: the candidate's site hands over what is not shown. */
void solver_note_handed(struct solver *s, const struct candidate *c,
                        struct str path);
/* arguments.c: puts unknowns in the place of arguments. */
bool solver_open_arguments(struct solver *s, struct candidate *c,
                           enum openness open);

/* records.c: an argument of that name is a record of settings. */
bool solver_names_record(struct str name);
/* records.c: arguments that are dataclasses of the source become such, with
 * fields that are open. */
bool solver_fill_records(struct trace *t, const struct scope *globals,
                         const struct py_node *parameters, struct table *given);

/* settled.c: of what it found open, nothing else would fit as well. */
bool solver_settled(struct solver *s, struct candidate *c);

/* Makes the candidate, and finds what is open in it; true: it fits, and s->best
 * says how. */
bool solver_solve(struct solver *s, const struct candidate *base,
                  enum openness open);

#endif
