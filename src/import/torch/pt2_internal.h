/* pt2_internal.h - between pt2.c (the file) and pt2_run.c (its graph). */
#ifndef IMPORT_TORCH_PT2_INTERNAL_H
#define IMPORT_TORCH_PT2_INTERNAL_H

#include "codec/json_tree.h"
#include "import/torch/program.h"

struct pt2 {
    struct program p;
    const struct json_node *graph, *specs;
    struct weights weights, constants;
    int64_t batch; /* the first dimension that was exported */
    bool varied;   /* run with another one */
};

/* ScalarType of the schema: that of c10 plus one. */
enum dtype pt2_type(const struct json_node *v);

/* Something that can be called with the inputs. */
struct val *pt2_make(struct trace *t, struct program *p);

#endif
