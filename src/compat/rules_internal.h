/* rules_internal.h - what the files with rules share. */
#ifndef COMPAT_RULES_INTERNAL_H
#define COMPAT_RULES_INTERNAL_H

#include "compat/rules.h"

#define RULE(name) void rule_##name(struct judgement *j, const struct stack *s)
#define X(name)    RULE(name);
RULES(X)
#undef X

/* The text with a NUL behind it; "" when there is no memory. */
const char *reason_text(struct judgement *j, struct str s);

void because_not_known(struct judgement *j, enum table_id table,
                       const char *what, struct str version);

/* The row of a release of torch, or of the newest patch of its minor version;
 * the number of rows if there is none. */
size_t torch_row(const struct judgement *j, struct str torch);

/* The row of onnxruntime-gpu. */
size_t onnxruntime_row(const struct judgement *j, struct str version);

/* Is that numpy at most "1", all of it, or "2.0"? True when either is "". */
bool numpy_within(struct str numpy, struct str most);

/* The CUDA that TensorFlow runs with, unless that is torch's or the toolkit's:
 * then, and without TensorFlow, "". */
struct str tensorflow_cuda(const struct judgement *j, const struct stack *s);

#endif
