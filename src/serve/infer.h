/* infer.h - one decoded inference request, the same for every protocol.
 *
 *   decode -> (queue) -> batch -> run -> encode -> reply
 *
 * A protocol is two functions around this struct; what happens between them
 * does not know which protocol it was.
 */
#ifndef SERVE_INFER_H
#define SERVE_INFER_H

#include "http/request.h"
#include "io/loop.h"
#include "model/runtime.h"
#include "serve/served.h"

struct infer;

struct protocol {
    const char *name;
    /* From r->http's body to inputs, outputs, parameters. Any thread. */
    enum errc (*decode)(struct infer *r, struct err *err);
    /* From outputs[0..spec->n_outputs) to r->http's reply. Any thread. */
    enum errc (*encode)(struct infer *r, const struct value *outputs,
                        struct err *err);
};

struct infer_input {
    bool given;
    struct tensor tensor;
    const char *at; /* in the body, for error messages; NULL: binary */
};

struct infer_output {
    bool wanted;
    bool binary;
    unsigned classes; /* 0: the tensor itself */
};

enum infer_state { INFER_NEW, INFER_QUEUED, INFER_RUNNING, INFER_DONE };

struct infer {
    struct task task;                    /* home to its loop */
    struct infer *next, *prev;           /* in the turn or the queue */
    struct infer *loop_next, *loop_prev; /* all pooled ones of a loop */
    struct http_request *http;
    struct served *model; /* a reference */
    const struct protocol *protocol;
    enum infer_state state; /* under the executor's lock */
    bool pooled;            /* it went through the queue; loop thread */

    struct infer_input *inputs;   /* by index of the model's spec */
    struct infer_output *outputs; /* likewise */
    uint64_t wanted;              /* bits of the outputs to compute */
    size_t rows;                  /* of the first dimension, if batchable */

    struct str id; /* of the request, OIP; p == NULL: none */
    bool binary_default;
    bool raw;      /* the body is one tensor and nothing else */
    bool columnar; /* TF Serving */
    uint64_t priority;
    uint64_t timeout_us; /* 0: none asked for */

    int64_t deadline_ns;                           /* monotonic */
    int64_t decoded_ns, queued_ns, run_ns, ran_ns; /* moments */
    int64_t parse_took_ns;
    bool decoded, failed;
};

/* A new one in the arena of `http`, with room for the model's inputs and
 * outputs; takes over the reference to model. NULL if out of memory. */
struct infer *infer_new(struct http_request *http, struct served *model,
                        const struct protocol *protocol);

/* The input or output of that name, or -1. */
int infer_find_input(const struct infer *r, struct str name);
int infer_find_output(const struct infer *r, struct str name);

/* The one input that must be given, or -1 if there are none or several. */
int infer_only_input(const struct infer *r);

/* After decoding: every input is there, of the right type and shape; sets
 * wanted and rows. `text` is what `at` points into. `lift`: a tensor one rank
 * too low is a batch of one. */
MUST_CHECK enum errc infer_check(struct infer *r, struct str text, bool lift,
                                 struct err *err);

/* The body as the one tensor of a one-input model. */
MUST_CHECK enum errc infer_decode_raw(struct infer *r, struct str bytes,
                                      struct err *err);

/* Elements of BYTES in the binary form: u32 length, bytes, ... */
MUST_CHECK enum errc infer_strings(struct infer *r, struct str bytes,
                                   struct tensor *t, struct err *err);

#endif
