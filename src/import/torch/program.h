/* program.h - from a module of PyTorch to a graph: it is made anew in a fresh
 * interpretation, called with symbolic inputs, and its results become the
 * outputs.
 *
 *   module.c    objects of a pickle -> objects of the evaluator
 *   script.c    TorchScript: classes and functions from the archive's code
 *   source.c    classes from a person's source, and weights from a state_dict
 *   checkpoint.c which part of a checkpoint holds the weights
 *   search.c    which class fits the weights
 *   solve.c     constructor arguments from the shapes of the weights
 *   program.c   inputs, two runs, outputs
 *   batch.c     what differs between two runs depends on the batch
 */
#ifndef IMPORT_TORCH_PROGRAM_H
#define IMPORT_TORCH_PROGRAM_H

#include "import/torch/host.h"
#include "import/torch/torch_internal.h"

enum { PROGRAM_MAX_INPUTS = 16, PROGRAM_STEPS = 20 * 1000 * 1000 };

/* Tensors of a state_dict by name. */
struct weights {
    struct weight {
        struct str name;
        struct tensor tensor;
        bool used;
    } * list; /* sorted by name */
    size_t n;
    bool doubles_matter; /* a class of float32 does not fit float64 */
};

struct program_input {
    enum dtype type;
    struct shape shape; /* as given; the first dimension is the batch */
    int opens, closes;  /* brackets before and behind it: a tuple */
};

struct program {
    struct arena *arena;
    struct torch_file *file;
    const struct pickle *root, *whole; /* the model, and all of the file */
    struct import *out;
    struct err *err;
    /* The module, or anything that can be called, in that trace. */
    struct val *(*make)(struct trace *t, struct program *p);
    struct weights weights; /* of a state_dict */
    struct library library; /* parsed when it is needed first */
    struct py_node *source; /* --code, parsed */
    /* Of make(): what an earlier one made is of another graph. */
    uint64_t runs;
    const void *found; /* search.c: what make() makes */
    /* Inputs that the file describes itself, or n_inputs == 0. */
    struct program_input *inputs;
    const char **input_names;
    size_t n_inputs;
};

/* The first input as --input says it, with its batch; false: it does not. */
bool program_input_shape(const struct program *p, struct shape *out);

/* Begins an interpretation. */
MUST_CHECK bool program_trace(struct program *p, struct trace *t,
                              struct arena *arena, uint64_t steps,
                              struct err *err);

/* Fills out->graph. */
MUST_CHECK enum errc program_run(struct program *p);

/* module.c: a value of the pickle. klass gives the class of an object; NULL: it
 * is not known, and the evaluator has failed. */
struct val *module_value(struct trace *t, struct program *p,
                         const struct pickle *v,
                         struct klass *(*klass)(struct trace *t,
                                                struct str name));

/* batch.c: g2 and g3 are runs of the same program with a batch of 2 and 3.
 * Rewrites g2 so that the batch is free; false: that is not possible, and g2
 * is unusable. */
bool batch_free(struct trace *t, struct graph *g2, const struct graph *g3);

/* pt2.c: programs of torch.export. */
bool pt2_is(const struct zip *z);
MUST_CHECK enum errc pt2_import(struct torch_file *f, struct import *out,
                                struct err *err);

/* script.c */
MUST_CHECK enum errc script_import(struct torch_file *f,
                                   const struct pickle *root,
                                   struct import *out, struct err *err);

enum { CHECKPOINT_OTHERS = 6 };

/* checkpoint.c: the state_dict or the module in a checkpoint. depth: 0. */
const struct pickle *checkpoint_model(const struct pickle *root, int depth);
/* Its other state_dicts: {"generator": ..., "critic": ...}; how many stand in
 * the list behind the n that do. */
size_t checkpoint_others(const struct pickle *v, const struct pickle *taken,
                         const struct pickle **list, size_t n, int depth);
MUST_CHECK enum errc checkpoint_weights(struct torch_file *f,
                                        const struct pickle *v,
                                        struct weights *w);

/* source.c: weights alone, or a pickled module, with or without the class. */
MUST_CHECK enum errc source_import(struct program *p);
/* Every parameter and buffer of a module with its name in a state_dict; stops
 * when each() says false. */
bool module_walk(struct py *py, struct val *module,
                 bool (*each)(void *ctx, struct str name, struct val *tensor),
                 void *ctx);

#endif
