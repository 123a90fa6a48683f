/* keras_internal.h - between the files of the Keras importer.
 *
 *   keras.c           containers -> configuration, version
 *   keras_tree.c      configuration -> tree of layers
 *   keras_weights.c   datasets -> weights of the layers
 *   keras_model.c     tree -> calls of layers in order
 *   keras_table.c     names of classes -> functions below
 *   keras_core.c, _activation.c, _conv.c, _pool.c, _norm.c, _rnn.c, _merge.c,
 *   _attention.c      one layer each -> nodes of the graph
 */
#ifndef IMPORT_KERAS_KERAS_INTERNAL_H
#define IMPORT_KERAS_KERAS_INTERNAL_H

#include "codec/json_tree.h"
#include "import/graph.h"
#include "import/hdf5.h"
#include "import/import.h"

/* A tensor between layers; -1: a dimension not known before a request. */
struct kvalue {
    const char *name;
    enum dtype type;
    struct shape shape;
    const char *mask; /* bool [batch,time] for recurrent layers, or NULL */
};

struct keras {
    struct arena *arena;
    struct graph *g;
    struct import *out;
    struct err *err;
    struct h5 h5; /* where the weights are */
    int version;  /* 1, 2 or 3 */
    bool theano;  /* written by Keras on Theano */
    bool by_path; /* weights by the .keras layout, not by lists */
    struct klayer *root;
};

struct klayer {
    struct klayer *next, *children, *parent;
    const struct json_node *json, *config;
    struct str class_name;
    const char *name;
    const struct kclass *class_;
    struct tensor *weights; /* in the order of Keras */
    size_t n_weights;
    /* Calls: the values each one gave. */
    struct kvalue **calls;
    size_t *n_values, n_calls;
};

enum { K_MAX_VALUES = 64, K_MAX_DEPTH = 16, K_MAX_LAYERS = 20000 };

/* One call of a layer: values in, at most K_MAX_VALUES out. */
struct kcall {
    const struct kvalue *in;
    size_t n_in;
    struct kvalue *out;
    size_t n_out;
    const struct json_node *kwargs; /* of the node, Keras 2 and 3 */
};

struct kclass {
    const char *name;
    bool (*build)(struct keras *k, struct klayer *l, struct kcall *c);
    /* Which weights there are, a letter each: has() in keras_weights.c says
     * when; behind '|' those that are not trained. */
    const char *weights;
};

const struct kclass *keras_class(struct str name);

/* Records the failure with the layer's name and class; false. */
bool k_fail(struct keras *k, const struct klayer *l, enum errc code,
            const char *fmt, ...) PRINTF_LIKE(4, 5);

/* keras_tree.c */
bool keras_tree(struct keras *k, const struct json_node *model);
bool k_is_model(const struct klayer *l);

/* keras_weights.c */
bool keras_weights(struct keras *k);
size_t keras_expected(const struct klayer *l, bool frozen_too);

/* keras_model.c: calls a model's layers; keras_call() calls any layer. */
bool keras_run(struct keras *k);
bool keras_call(struct keras *k, struct klayer *l, struct kcall *c);
bool keras_input_shape(struct keras *k, struct klayer *l, struct kvalue *out);

/* Configuration of a layer. */
const struct json_node *k_get(const struct klayer *l, const char *key);
int64_t k_int(const struct klayer *l, const char *key, int64_t other);
double k_num(const struct klayer *l, const char *key, double other);
bool k_bool(const struct klayer *l, const char *key, bool other);
bool k_says(const struct klayer *l, const char *key, const char *text);
/* n whole numbers, or one that counts n times. */
void k_ints(const struct klayer *l, const char *key, int64_t *v, size_t n,
            int64_t other);
bool k_channels_first(const struct klayer *l);

/* The layer's weight i if it has that rank, else fails. */
const struct tensor *k_weight(struct keras *k, const struct klayer *l, size_t i,
                              int rank);
const char *k_put(struct keras *k, const struct klayer *l,
                  const struct tensor *t);

/* The elements as aligned floats; NULL: out of memory. */
const float *k_floats(struct keras *k, const struct tensor *t);

/* Weights as floats with the dimensions in another order. */
const char *k_permuted(struct keras *k, const struct klayer *l,
                       const struct tensor *t, const int *order);

/* keras_activation.c: x through the activation of that configuration (NULL or
 * "linear": as it is). NULL: failed. */
const char *k_activation(struct keras *k, const struct klayer *l,
                         const struct json_node *how, const char *x);
struct str k_activation_name(const struct json_node *how);

/* One value of the type and shape of in[0] under another name. */
bool k_same(struct kcall *c, const char *name);
/* One value with another shape. */
bool k_give(struct kcall *c, const char *name, const struct shape *shape);

/* Moves the channels of an image-like value: [N,H,W,C] <-> [N,C,H,W]. */
const char *k_to_first(struct keras *k, const char *x, int rank);
const char *k_to_last(struct keras *k, const char *x, int rank);

#define K_LAYER(fn) bool fn(struct keras *k, struct klayer *l, struct kcall *c)
K_LAYER(k_identity);
K_LAYER(k_dense);
K_LAYER(k_einsum_dense);
K_LAYER(k_flatten);
K_LAYER(k_reshape);
K_LAYER(k_permute);
K_LAYER(k_repeat_vector);
K_LAYER(k_embedding);
K_LAYER(k_masking);
K_LAYER(k_rescaling);
K_LAYER(k_activation_layer);
K_LAYER(k_relu);
K_LAYER(k_leaky_relu);
K_LAYER(k_elu);
K_LAYER(k_prelu);
K_LAYER(k_softmax);
K_LAYER(k_thresholded_relu);
K_LAYER(k_conv);
K_LAYER(k_depthwise);
K_LAYER(k_separable);
K_LAYER(k_conv_transpose);
K_LAYER(k_pool);
K_LAYER(k_global_pool);
K_LAYER(k_upsampling);
K_LAYER(k_resizing);
K_LAYER(k_zero_padding);
K_LAYER(k_cropping);
K_LAYER(k_center_crop);
K_LAYER(k_batch_norm);
K_LAYER(k_layer_norm);
K_LAYER(k_group_norm);
K_LAYER(k_unit_norm);
K_LAYER(k_normalization);
K_LAYER(k_merge);
K_LAYER(k_concatenate);
K_LAYER(k_dot);
K_LAYER(k_rnn);
K_LAYER(k_bidirectional);
K_LAYER(k_time_distributed);
K_LAYER(k_attention);
K_LAYER(k_multi_head);

#endif
