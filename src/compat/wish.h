/* wish.h - what somebody asks for: requirements as pip reads them (PEP 440 for
 * versions, PEP 508 for lines), of the packages that the tables are about.
 */
#ifndef COMPAT_WISH_H
#define COMPAT_WISH_H

#include "compat/rules.h"

enum { BOUNDS_MAX = 64, WISH_FILES_MAX = 16 };

/* torch >= 2.0, numpy < 2, torch == 2.0.1+cu118 */
struct bound {
    struct str name; /* lower case, with _ for - */
    const char *op;  /* == >= <= > < != ~= */
    struct str version;
    struct str marker; /* "python_version < '3.12'"; "" */
};

/* The version, without the .* of "2.0.*". */
struct str bound_version(const struct bound *b);

struct wish {
    struct bound bounds[BOUNDS_MAX];
    size_t n;
    bool torch, tensorflow, onnxruntime; /* what is asked for */
    bool no_gpu;                         /* torch for the processor */
    /* Of torch's wheels, when an index names it: "cu118", "cpu"; "" */
    struct str wheels;
    struct str files[WISH_FILES_MAX]; /* that lines include: -r, -c */
    size_t n_files;
    /* driver, capability, python, system: as they are. A toolkit only if it is
     * asked for. */
    struct stack given;
};

/* Adds a requirement: "torch==2.0.1", "numpy<2; python_version < '3.12'". What
 * no table is about and what is not for Linux is left out. False: it is no
 * requirement, or there are too many. */
bool wish_add(struct wish *w, struct arena *a, struct str requirement);

/* The lines of a requirements.txt: comments, addresses and options are passed
 * over, but for an index of torch's wheels and the files that they include:
 * they are noted. The number of the first line that is none; 0: all are right.
 */
unsigned wish_add_lines(struct wish *w, struct arena *a, struct str text);

/* Do the bounds of that package allow this version with that Python? "" for a
 * Python that is not chosen yet: bounds that depend on it do not count. A
 * version that is not known meets no bound. */
bool wish_allows(const struct wish *w, const char *name, struct str version,
                 struct str python);

/* The newest version from `from` to `to` (as their minor releases go) that is
 * allowed, as far as the bounds name one: `to`, `from`, or a version that a
 * bound has; "": none. */
struct str wish_release(const struct wish *w, const char *name, struct str from,
                        struct str to, struct str python);

/* The wheels of torch that are named: "cu118" of "torch==2.0.1+cu118", else of
 * the index; "". */
struct str wish_wheels(const struct wish *w);

/* The bounds of a package that hold with that Python, as pip takes them:
 * ">=1.24,<2"; "": there are none. */
struct str wish_bounds(const struct wish *w, struct arena *a, const char *name,
                       struct str python);

#endif
