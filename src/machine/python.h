/* python.h - Python environments and what is installed in them, from files:
 * nothing of Python is run.
 *
 * An environment is the system's, the active one, or one in a usual place:
 * beneath /opt, /srv, a home or a project in it, conda's envs. A distribution
 * is a directory NAME-VERSION.dist-info
 * (https://packaging.python.org/en/latest/specifications/recording-installed-packages/).
 */
#ifndef MACHINE_PYTHON_H
#define MACHINE_PYTHON_H

#include "machine/machine.h"

struct python_dist {
    struct str name; /* lower case, with _ for - and . */
    struct str version;
};

struct python_env {
    struct str prefix;  /* /opt/venv */
    struct str version; /* 3.11 */
    struct str site;    /* /opt/venv/lib/python3.11/site-packages */
    bool is_system;     /* the distribution's own */
    struct python_dist *v;
    size_t n;
};

struct python_envs {
    struct python_env *v;
    size_t n;
};

/* A distribution's name as it compares: lower case, with _ for - and . (PEP
 * 503). */
struct str python_dist_name(struct arena *a, struct str name);

/* Those that hold at least one distribution. */
enum found python_read(struct machine *m, struct python_envs *out);

/* The version of a distribution; p NULL if it is not installed. */
struct str python_version_of(const struct python_env *e, const char *name);

/* The CUDA that torch was built for ("11.7"), from torch/version.py; "" for a
 * build without, p NULL if torch is not there. */
struct str python_torch_cuda(struct machine *m, const struct python_env *e);

#endif
