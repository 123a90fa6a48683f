/* solve.h - the newest set of versions that fit each other.
 *
 * The candidates are few: releases of the tables, CUDA of their wheels, Python
 * releases that are maintained. Each is judged by the rules; the first without
 * a misfit is taken, one without limits before one with.
 */
#ifndef COMPAT_SOLVE_H
#define COMPAT_SOLVE_H

#include "compat/wish.h"

struct solution {
    struct stack stack;
    struct str oldest_driver; /* that runs the CUDA of the wheels */
    struct str branch;        /* of the driver, to install */
    const char *branch_kind;  /* long-term, legacy */
    struct str numpy;         /* its bounds, as pip takes them; "" */
    bool shares;              /* TensorFlow takes CUDA from torch's wheels */
    /* What the machine must have, for no wheel brings it; "" */
    struct str toolkit, cudnn;
};

/* True, and the judgement has its reasons; or false, and they are those against
 * the candidate with the fewest misfits. */
bool solve(struct judgement *j, const struct wish *w, struct solution *out);

#endif
