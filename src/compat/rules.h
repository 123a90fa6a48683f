/* rules.h - does it fit: pure decisions over the tables, with their reasons.
 *
 * A version is text ("2.0.1+cu118"); "" is "not there", and rules about it say
 * nothing. What no table knows is said to be unknown, not guessed.
 */
#ifndef COMPAT_RULES_H
#define COMPAT_RULES_H

#include "base/language.h"
#include "compat/release.h"
#include "compat/table.h"

/* From best to worst. */
enum fit { FIT_YES, FIT_UNKNOWN, FIT_LIMITED, FIT_NO };

struct stack {
    struct str driver;     /* 580.82.07 */
    struct str toolkit;    /* CUDA on the machine: 12.4 */
    struct str capability; /* of the GPU: 9.0 */
    struct str torch, torch_cuda, torchvision, torchaudio;
    struct str tensorflow, onnxruntime; /* onnxruntime-gpu */
    struct str wheels_cuda; /* of NVIDIA's own wheels in the environment */
    struct str numpy, python;
    struct str system, system_version; /* ubuntu, 22.04 */
};

struct reason {
    enum fit fit;
    const char *text;
    const char *source; /* of the table; "" */
};

struct judgement {
    const struct tables *tables;
    enum language language;
    const char *today; /* 2026-11: branches and releases end by month */
    struct arena *arena;
    struct reason *v;
    size_t n, cap;
};

/* What each holds against what. */
#define RULES(X)                                                               \
    X(driver_branch) /* the driver's branch against the calendar */            \
    X(cuda_driver)   /* CUDA of toolkit, torch, onnxruntime against the driver \
                      */                                                       \
    X(gpu)           /* driver and toolkit against the GPU */                  \
    X(torch)         /* torch against Python, numpy, its siblings */           \
    X(kernels)       /* code in torch against the GPU */                       \
    X(tensorflow)    /* TensorFlow against Python, CUDA, numpy, torch */       \
    X(onnxruntime)   /* onnxruntime-gpu against CUDA and torch's cuDNN */      \
    X(numpy)         /* numpy against Python */                                \
    X(python)        /* Python against the calendar */                         \
    X(system)        /* the system against the calendar and the toolkit */

enum rule {
#define X(name) RULE_##name,
    RULES(X)
#undef X
        RULE_COUNT
};

/* Adds what one rule says of the stack; what all of them say. */
void judge_by(struct judgement *j, enum rule rule, const struct stack *s);
void judge(struct judgement *j, const struct stack *s);

/* The worst of the reasons. */
enum fit judged(const struct judgement *j);

/* A reason more, in the judgement's language. */
enum compat_text {
#define TEXT(id, en, zh) COMPAT_##id,
#include "compat/texts.def"
#undef TEXT
    COMPAT_TEXTS
};
void because(struct judgement *j, enum fit fit, enum table_id table,
             enum compat_text t, ...);

const char *compat_text_in(enum language l, enum compat_text t);

/* The capability of a GPU by its name: "H100" or "NVIDIA H100 80GB HBM3" is
 * 9.0; a capability is itself. "" if no table knows it. */
struct str gpu_capability(const struct tables *t, struct str name);

#endif
