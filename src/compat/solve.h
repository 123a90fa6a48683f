/* solve.h - the newest set of versions that fit each other.
 *
 * The candidates are few: releases of the tables, CUDA of their wheels, Python
 * releases that are maintained. Each is judged by the rules; the first without
 * a misfit is taken, one without limits before one with.
 */
#ifndef COMPAT_SOLVE_H
#define COMPAT_SOLVE_H

#include "compat/rules.h"

enum { BOUNDS_MAX = 64 };

/* torch >= 2.0, numpy < 2, torch == 2.0.1+cu118 */
struct bound {
    struct str name; /* lower case, with _ for - */
    char op[3];      /* == >= <= > < != ~= */
    struct str version;
};

struct wish {
    struct bound bounds[BOUNDS_MAX];
    size_t n;
    bool torch, tensorflow, onnxruntime; /* what is asked for */
    /* driver, capability, python, system: as they are. A toolkit only if no
     * other is to be installed. */
    struct stack given;
};

struct solution {
    struct stack stack;
    struct str oldest_driver;       /* that runs the CUDA of the wheels */
    struct str branch, branch_ends; /* of the driver, to install */
    bool numpy_1;                   /* 'numpy<2' */
    /* What the machine must have for TensorFlow; "": its wheels bring it. */
    struct str toolkit, cudnn;
};

/* Adds a bound: "torch==2.0.1", "numpy<2", "torch"; what no table is about is
 * left out. False: it is no requirement (PEP 508), or there are too many. */
bool wish_add(struct wish *w, struct arena *a, struct str requirement);

/* The lines of a requirements.txt: comments, options and markers are passed
 * over. The number of the first line that is none; 0: all are right. */
unsigned wish_add_file(struct wish *w, struct arena *a, struct str text);

/* True, and the judgement has its reasons; or false, and they are those against
 * the candidate with the fewest misfits. */
bool solve(struct judgement *j, const struct wish *w, struct solution *out);

#endif
