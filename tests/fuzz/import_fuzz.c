/* Model files of other frameworks: an error in words, or a graph that can be
 * written. Whatever the bytes, the memory and the work are bounded. */
#include "fuzz/fuzz.h"
#include "import/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct import in;
    struct err err = {0};
    struct buf onnx;

    arena_init(&arena, 256 << 20);
    struct str file = fuzz_padded(&arena, data, size);
    if (import_file(file, &(struct import_options){.input = {NULL, 0}}, &arena, &in, &err)) {
        MUST(err.msg[0]);
    } else {
        buf_init(&onnx, 256 << 20);
        if (graph_write(&in.graph, GRAPH_INLINE, &onnx, &err))
            MUST(err.msg[0]);
        buf_fini(&onnx);
    }
    arena_fini(&arena);
    return 0;
}
