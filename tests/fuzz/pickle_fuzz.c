/* Pickles: objects or an error, whatever the bytes. */
#include "fuzz/fuzz.h"
#include "import/pickle.h"

static bool any(struct str name)
{
    return name.n % 2 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pickle_rules rules = {any, any};
    struct arena arena;
    struct pickle *v;
    struct err err = {0};

    arena_init(&arena, 64 << 20);
    struct str bytes = fuzz_padded(&arena, data, size);
    if (pickle_read(&bytes, &rules, &arena, &v, &err))
        MUST(err.msg[0]);
    else
        MUST(v && bytes.n < size);
    arena_fini(&arena);
    return 0;
}
