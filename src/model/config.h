/* config.h - what a repository's config.pbtxt says of a model.
 *
 * Triton's ModelConfig, the part that a server of ONNX files can honour:
 * name, max_batch_size, input, output, dynamic_batching, version_policy,
 * default_model_filename. Other fields are passed over. Field names:
 * https://github.com/triton-inference-server/common, model_config.proto
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "codec/dtype.h"
#include "codec/shape.h"

enum { CONFIG_MAX_IO = 16, CONFIG_MAX_SIZES = 8, CONFIG_MAX_VERSIONS = 16 };

struct config_io {
    struct str name;
    enum dtype type; /* DTYPE_NONE: not said */
    struct shape shape;
    struct str label_file; /* of an output: a class name per line */
};

struct model_config {
    bool present;      /* there was a file */
    int64_t max_batch; /* -1: not said; 0: no batching */
    bool dynamic_batching;
    int64_t max_delay_us; /* -1: not said */
    int64_t preferred[CONFIG_MAX_SIZES];
    size_t n_preferred;
    struct str name, platform, backend, file_name;
    struct config_io inputs[CONFIG_MAX_IO], outputs[CONFIG_MAX_IO];
    size_t n_inputs, n_outputs;
    /* version_policy: 0 and no versions is "the newest". */
    int64_t latest;
    bool all_versions;
    int64_t versions[CONFIG_MAX_VERSIONS];
    size_t n_versions;
};

void model_config_init(struct model_config *c);

/* Strings live in the arena or the text. */
MUST_CHECK enum errc model_config_parse(struct str text, struct arena *arena,
                                        struct model_config *out,
                                        struct err *err);

#endif
