/* golden.h - recorded answers of a model, compared with what it answers now.
 *
 * Inputs are written as /predict takes them, outputs as /predict answers; so a
 * recording is made with curl. golden.json beside a model holds one or a list:
 *
 *     {"input": [[5.1, 3.5]], "output": {"predict_result": [[0.97, 0.03]]},
 *      "rtol": 0.001, "atol": 0.0001}
 *
 * A number agrees when |got - wanted| <= atol * m + rtol * |wanted|, m being
 * the largest of the output; whole numbers and texts must be equal.
 */
#ifndef MODEL_GOLDEN_H
#define MODEL_GOLDEN_H

#include "model/runtime.h"

struct golden_result {
    size_t outputs, elements;
    double worst; /* the largest difference over what is allowed */
    const char *worst_output;
};

/* The texts must be followed by NUMBER_PAD readable bytes. ERR_CONFLICT when
 * the answers differ; err says where and by how much. */
MUST_CHECK enum errc golden_compare(const struct runtime_ops *ops,
                                    struct session *s, struct str input,
                                    struct str output, double rtol, double atol,
                                    struct golden_result *out, struct err *err);

/* All recordings of a golden.json. */
MUST_CHECK enum errc golden_check(const struct runtime_ops *ops,
                                  struct session *s, struct str text,
                                  struct err *err);

/* Those in "golden.json" in the folder of the model file; none: fine. */
MUST_CHECK enum errc golden_beside(const struct runtime_ops *ops,
                                   struct session *s, const char *model,
                                   struct err *err);

enum { GOLDEN_MAX_BYTES = 256 << 20 };

#endif
