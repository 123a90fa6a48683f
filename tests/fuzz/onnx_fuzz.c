/* ONNX files before the runtime sees them: an error in words or an answer. */
#include "fuzz/fuzz.h"
#include "model/onnx_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct onnx_file file;
    struct err err = {0};

    arena_init(&arena, 64 << 20);
    struct str bytes = fuzz_padded(&arena, data, size);
    if (onnx_file_read(bytes, "/nonexistent/", &arena, &file, &err))
        MUST(err.msg[0]);
    arena_fini(&arena);
    return 0;
}
