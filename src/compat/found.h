/* found.h - the versions that a machine has. */
#ifndef COMPAT_FOUND_H
#define COMPAT_FOUND_H

#include "compat/rules.h"
#include "machine/machine.h"
#include "machine/python.h"

/* Driver, CUDA toolkit, GPU and system. */
void found_beneath(struct machine *m, const struct tables *tables,
                   struct stack *out);

/* What an environment of Python adds. */
void found_python(struct machine *m, const struct python_env *e,
                  struct stack *out);

#endif
