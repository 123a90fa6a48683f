/* runtime.h - what runs models, behind one table of functions.
 *
 * ONNX Runtime (ort.c) is the one there is. Another one is a file of its own
 * with a const struct runtime_ops; nothing above this header changes.
 *
 * Threads: a session is shared, run() may be called by many threads at once.
 * open() is called once per process, before threads that use it.
 */
#ifndef MODEL_RUNTIME_H
#define MODEL_RUNTIME_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "model/tensor.h"

/* One input or output of a model, as the file declares it. */
struct io_spec {
    const char *name;
    enum value_kind kind;
    enum dtype type;    /* of the tensor; DTYPE_NONE: no protocol carries it */
    struct shape shape; /* -1: free */
    const char *dim_names[SHAPE_MAX_RANK]; /* of the free ones; may be "" */
    bool has_shape;                        /* false: any rank */
    bool optional;                         /* may be left out of a request */
};

struct model_spec {
    struct io_spec *inputs, *outputs;
    size_t n_inputs, n_outputs;
    const char *producer, *graph, *description;
};

/* A weight whose bytes are not in the model file but with us. */
struct model_weight {
    const char *name;
    struct tensor tensor;
};

/* The bytes of a model file and the folder of its external data; for an
 * imported one the weights, which must stay until the session is unloaded, and
 * the descriptors from which another process can have the same. */
struct model_source {
    struct str bytes;
    const char *folder;
    const struct model_weight *weights;
    size_t n_weights;
    const int *descriptors; /* two, or NULL */
};

struct run_input {
    const char *name;
    const struct tensor *tensor;
};

/* What one run gave. The data belongs to the runtime until run_release(). */
struct run_result {
    struct value values[64];
    size_t n;
    void *handles[64];
    struct arena arena; /* strings, shapes of sequences */
};

enum { RUN_MAX_OUTPUTS = 64 };

struct runtime;
struct session;

struct runtime_options {
    const char *library; /* NULL: search, see docs/manual/serve.md */
    const char *device;  /* cpu, cuda, tensorrt, openvino, auto */
    int threads;         /* inside one run; 1 shares best */
};

struct runtime_ops {
    const char *name;
    enum errc (*open)(const struct runtime_options *options,
                      struct runtime **out, struct err *err);
    void (*close)(struct runtime *r);
    const char *(*version)(const struct runtime *r);
    const char *(*library)(const struct runtime *r);
    /* The device a session would use: "cpu", "cuda" ... */
    const char *(*device)(const struct runtime *r);

    enum errc (*load)(struct runtime *r, const struct model_source *source,
                      struct session **out, struct err *err);
    void (*unload)(struct session *s);
    const struct model_spec *(*spec)(const struct session *s);

    /* Runs and gives the outputs whose bit is set in `wanted`, in the order of
     * the model; the others are VALUE_NONE. Fills `result` from scratch; it is
     * released with release(), also after a failure. */
    enum errc (*run)(struct session *s, const struct run_input *inputs,
                     size_t n, uint64_t wanted, struct run_result *result,
                     struct err *err);
    void (*release)(struct session *s, struct run_result *result);
};

extern const struct runtime_ops runtime_ort;

#endif
