/* unknowns.h - what a model's source leaves open: arguments of constructors,
 * values it reads from data. The evaluator asks for one when it needs it
 * (`py_host.settle`); the answer is, in this order, what was set, what the
 * checkpoint says under that name, a habit of PyTorch ("device"), or something
 * to try: a marker that is looked for in the shapes of the weights, or the
 * first of several options. solve.c changes them until the weights fit. */
#ifndef IMPORT_TORCH_UNKNOWNS_H
#define IMPORT_TORCH_UNKNOWNS_H

#include "import/torch/program.h"

enum { MAX_UNKNOWNS = 96, MAX_OPTIONS = 24, MAX_LENGTH = 12, MAX_COUNT = 24 };

enum unknown_kind {
    UNKNOWN_NUMBER, /* found in shapes by its marker */
    UNKNOWN_COUNT,  /* small */
    UNKNOWN_CHOICE, /* one of the options */
    UNKNOWN_LENGTH, /* a list of unknowns */
};

struct unknown {
    struct str path; /* "hidden", "config.n_embd", "sizes[0]" */
    enum unknown_kind kind;
    struct val *value;
    int64_t marker;    /* NUMBER: what was put in its place; 0: nothing */
    struct val *usual; /* the default; NULL: it has none */
    struct val *options[MAX_OPTIONS];
    size_t n_options, n_kept;
    const struct val *kept; /* the value that was taken over */
    bool known; /* not to be changed: from a shape, the file, a person */
    bool from_shape;
    bool likely;             /* a number, and still its default */
    bool doubtful;           /* other values fit as well: */
    bool alike[MAX_OPTIONS]; /* of the options, these */
};

struct unknowns {
    struct unknown list[MAX_UNKNOWNS];
    size_t n, n_markers, n_kept;
    struct table words;            /* what the checkpoint says by name */
    const struct table *init;      /* --init */
    const struct weights *weights; /* of the file */
    struct shape input;            /* --input, the first; rank 0: not given */
    bool growing;                  /* new ones may be made */
    char foreign[100]; /* the first call of something that is not here */
};

/* Empty ones, in the arena of the trace; NULL: out of memory. */
struct unknowns *unknowns_new(struct trace *t, const struct program *p,
                              const struct table *init);
/* Empty ones that know what those were told. */
struct unknowns *unknowns_again(struct trace *t, const struct unknowns *first);
struct unknown *unknown_find(struct unknowns *all, struct str path);

/* To judge by its name, an array: "embedding_matrix". */
bool unknown_is_array(struct str path);
/* It was taken for a number already. */
bool unknown_is_number(struct unknowns *all, struct str path);

/* A factor of all widths, as that of a MobileNet: width_mult. */
bool unknown_scales_widths(struct str path);

/* An argument that has a default, which may not be what was used. */
void unknown_with_default(struct trace *t, struct str path, struct val *usual);

/* One that is most likely its default: it is that until nothing fits
 * (unknown_doubt). */
void unknown_likely(struct trace *t, struct str path, struct val *usual);

/* Puts markers in the place of likely numbers; false: there are none. */
bool unknown_doubt(struct trace *t);

/* Takes over what an interpretation that ends put into them. */
void unknowns_keep(struct unknowns *all, struct py *py);
/* A copy of a plain value; NULL without an error: it is none. */
struct val *unknown_copy(struct py *py, const struct val *v, int depth);

/* Tries its i-th value; false: there is none. */
bool unknown_option(struct trace *t, struct unknown *u, size_t i);

/* The one that was settled is of no account for what a model computes, to judge
 * by its name. */
bool unknown_is_idle(struct str path);

/* py_host.settle */
struct val *unknown_settle(struct py *py, struct str path, enum py_want want,
                           struct val *hint);

#endif
