/* Request bodies of every protocol against a model with one input of each kind
 * of type: an error that names a place, or tensors that are what they claim.
 * First byte: the protocol; second: how much of the rest is JSON. */
#include <stdio.h>

#include "fuzz/fuzz.h"
#include "serve/protocols.h"

static const struct protocol *const protocols[] = {
    &protocol_predict, &protocol_oip, &protocol_tfs_predict,
    &protocol_tfs_classify};

static struct io_spec inputs[] = {
    {.name = "x", .kind = VALUE_TENSOR, .type = DTYPE_F32, .shape = {2, {-1, 3}},
     .dim_names = {"batch", ""}, .has_shape = true},
    {.name = "s", .kind = VALUE_TENSOR, .type = DTYPE_STRING, .shape = {1, {-1}},
     .dim_names = {"n"}, .has_shape = true, .optional = true},
    {.name = "i", .kind = VALUE_TENSOR, .type = DTYPE_I8, .has_shape = false,
     .optional = true},
};
static struct io_spec output = {
    .name = "y", .kind = VALUE_TENSOR, .type = DTYPE_F32, .shape = {2, {-1, 1}}};
static const struct model_spec spec = {
    .inputs = inputs, .outputs = &output, .n_inputs = 3, .n_outputs = 1};

static void check(const struct infer *r)
{
    for (size_t i = 0; i < spec.n_inputs; i++) {
        const struct tensor *t = &r->inputs[i].tensor;
        int64_t count;
        volatile unsigned char sum = 0;
        if (!r->inputs[i].given)
            continue;
        MUST(shape_count(&t->shape, &count) && (size_t)count == t->count);
        const unsigned char *p = t->data;
        size_t n = t->type == DTYPE_STRING ? t->count * sizeof(struct str)
                                           : tensor_bytes(t);
        for (size_t k = 0; k < n; k++)
            sum = (unsigned char)(sum + p[k]); /* all of it is ours */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_request http;
    struct served model = {.name = (char *)(uintptr_t)"m", .spec = &spec, .batchable = true};
    struct err err = {0};
    char header[24];

    if (size < 2)
        return 0;
    memset(&http, 0, sizeof(http));
    arena_init(&http.arena, 32 << 20);
    http.body = fuzz_padded(&http.arena, data + 2, size - 2);
    if (data[0] & 0x80) {
        int n = snprintf(header, sizeof(header), "%zu", http.body.n * data[1] / 255);
        http.head.known[HTTP_INFERENCE_LENGTH] = (struct str){header, (size_t)n};
    }
    struct infer *r = infer_new(&http, &model, protocols[data[0] % 4]);
    MUST(r);
    r->raw = (data[0] & 0x40) != 0;
    if (r->protocol->decode(r, &err) == ERR_OK)
        check(r);
    else
        MUST(err.msg[0]);
    arena_fini(&http.arena);
    return 0;
}
