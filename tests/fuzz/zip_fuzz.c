/* Zip archives: no entry reaches outside of the file, no two share bytes. */
#include "fuzz/fuzz.h"
#include "import/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct zip z;
    struct err err = {0};

    arena_init(&arena, 64 << 20);
    struct str file = fuzz_padded(&arena, data, size);
    if (zip_open(file, &arena, &z, &err)) {
        MUST(err.msg[0]);
    } else {
        for (size_t i = 0; i < z.n; i++) {
            struct str bytes;
            MUST(z.entries[i].raw.p >= file.p &&
                 z.entries[i].raw.p + z.entries[i].raw.n <= file.p + file.n);
            if (zip_read(&z.entries[i], 1 << 20, &arena, &bytes, &err) == ERR_OK)
                MUST(bytes.n == z.entries[i].size);
        }
    }
    arena_fini(&arena);
    return 0;
}
