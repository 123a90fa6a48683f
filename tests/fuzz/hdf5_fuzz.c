/* HDF5: every object, attribute and dataset that can be reached. */
#include "fuzz/fuzz.h"
#include "import/hdf5.h"

enum { OBJECTS = 200 };

static void use(const void *p, size_t n)
{
    volatile unsigned char sum = 0;

    for (size_t i = 0; i < n; i++)
        sum = (unsigned char)(sum + ((const unsigned char *)p)[i]);
}

static void visit(const struct h5 *f, uint64_t object, uint64_t *todo,
                  size_t *n_todo)
{
    static const char *const attributes[] = {
        "keras_version", "model_config", "layer_names", "weight_names"};
    struct err err = {0};
    struct h5_array a;
    struct str *names;
    size_t n;

    for (size_t i = 0; i < COUNT(attributes); i++) {
        if (h5_strings(f, object, attributes[i], &names, &n, &err))
            continue;
        for (size_t k = 0; k < n; k++)
            use(names[k].p, names[k].n);
    }
    if (h5_dataset(f, object, &a, &err) == ERR_OK)
        use(a.data, a.count * dtype_size(a.type));
    if (h5_names(f, object, &names, &n, &err))
        return;
    for (size_t k = 0; k < n && *n_todo < OBJECTS; k++)
        if (h5_find(f, object, names[k], &todo[*n_todo], &err) == ERR_OK)
            (*n_todo)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t todo[OBJECTS];
    size_t n_todo = 0;
    struct arena arena;
    struct err err = {0};
    struct h5 f;

    arena_init(&arena, 256 << 20);
    struct str file = fuzz_padded(&arena, data, size);
    if (h5_open(file, &arena, &f, &err)) {
        MUST(err.msg[0]);
    } else {
        todo[n_todo++] = f.root;
        for (size_t i = 0; i < n_todo; i++)
            visit(&f, todo[i], todo, &n_todo);
    }
    arena_fini(&arena);
    return 0;
}
