/* host.h - PyTorch for the evaluator of Python: what torch.*, torch.nn.* and
 * torchvision.* are, and what tensors can do.
 *
 * Names are searched in this order: plain answers (torch.cuda.is_available is
 * False), operators (aten.h), functions and classes of the library, which are
 * Python texts of ours (library/), read by the same evaluator.
 */
#ifndef IMPORT_TORCH_HOST_H
#define IMPORT_TORCH_HOST_H

#include "base/embedded.h"
#include "import/torch/ten.h"

struct aten;

/* The parsed texts of the library: read by any number of interpretations. */
struct library {
    struct py_node *trees[8];
    size_t n;
};

MUST_CHECK enum errc library_parse(struct arena *arena, struct library *out,
                                   struct err *err);

/* Begins an interpretation with a graph of its own; steps: its budget. */
MUST_CHECK bool trace_begin(struct trace *t, struct arena *arena,
                            const struct library *library, uint64_t steps,
                            struct err *err);

/* A class or function of the library; NULL without an error: none. */
struct val *library_find(struct py *py, struct str name);
/* The library's class, by the last part of a path such as
 * torch.nn.modules.conv.Conv2d; NULL: it is not there. */
struct klass *library_class(struct py *py, struct str path);

/* An operator by name with arguments, also in place ("relu_"); NULL without an
 * error: there is none. */
struct val *torch_function(struct py *py, struct str name);

/* answers.c: plain answers by path, questions to tensors by name; NULL without
 * an error: none. */
struct val *torch_answer(struct py *py, struct str path);
/* nn.Parameter and its kin (kept.c); NULL: it is none of them. */
struct val *torch_keeper(struct py *py, struct str path);
/* f, which gives an unknown array back as it is. */
struct val *torch_on_array(struct py *py, struct val *f);
/* torch.tensor and its kin, which leave an unknown array as it is; NULL: the
 * operator makes no array. */
struct val *torch_array_maker(struct py *py, const struct aten *op);
struct val *torch_query(struct py *py, struct str name);
struct val *ten_shape_value(struct py *py, const struct ten *x);

/* library.c: the texts, made at build time. */
extern const struct embedded_texts library_texts;

#endif
