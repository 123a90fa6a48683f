/* Sources of people beside weights: whatever the text, the search for the class
 * and its arguments ends, in an error in words or in a graph. */
#include <stdio.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "import/import.h"

/* A safetensors file of two weights. */
static struct str weights(struct arena *arena)
{
    static const char head[] = "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[0,48]},"
                               "\"fc.bias\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[48,64]}}";
    uint8_t bytes[8 + sizeof(head) - 1 + 64] = {0};

    bytes[0] = (uint8_t)(sizeof(head) - 1);
    memcpy(bytes + 8, head, sizeof(head) - 1);
    return fuzz_padded(arena, bytes, sizeof(bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct import in;
    struct err err = {0};

    arena_init(&arena, 1 << 30);
    struct str file = weights(&arena), code = fuzz_padded(&arena, data, size);
    struct import_options options = {.code = code, .input = str_from_cstr("2,3")};
    if (code.n && import_file(file, &options, &arena, &in, &err))
        MUST(err.msg[0]);
    arena_fini(&arena);
    return 0;
}
