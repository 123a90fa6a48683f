#include "unit/unit.h"

#include "base/fs.h"
#include "codec/json_tree.h"
#include "codec/number.h"
#include "fault.h"
#include "import/hdf5.h"
#include "import/import.h"
#include "import/zip.h"

/* A file of the fuzz corpus with room to look ahead. */
static struct str corpus(const char *name, struct buf *b)
{
    char path[200];
    struct err err = {0};

    buf_init(b, 1 << 20);
    (void)snprintf(path, sizeof(path), "tests/fuzz/corpus/%s", name);
    if (fs_read(path, b, &err))
        fail_msg("%s", err.msg);
    size_t n = b->n;
    memset(buf_reserve(b, NUMBER_PAD), 0, NUMBER_PAD);
    return (struct str){b->p, n};
}

TEST(json_trees_are_looked_up_by_name_and_place)
{
    static const char text[] = "{\"a\":[1,2.5,\"x\",true,null,{\"b\":-7}],\"n\":1e3,\"a\":2}                ";
    struct arena a;
    struct err err = {0};

    arena_init(&a, 1 << 16);
    const struct json_node *v = json_tree((struct str){text, sizeof(text) - 17}, &a, &err);
    const struct json_node *list = json_get(v, "a");
    CHECK(v != NULL);
    CHECK_INT(json_is(list, JSON_ARRAY) ? list->n : 0, 6); /* the first one wins */
    CHECK_INT(json_i64_or(json_at(list, 0), 9), 1);
    CHECK_INT(json_i64_or(json_at(list, 1), 9), 9); /* not whole */
    CHECK(json_f64_or(json_at(list, 1), 0) == 2.5);
    CHECK(json_says(json_at(list, 2), "x"));
    CHECK(json_bool_or(json_at(list, 3), false));
    CHECK(json_is(json_at(list, 4), JSON_NULL));
    CHECK_INT(json_i64_or(json_get(json_at(list, 5), "b"), 0), -7);
    CHECK_INT(json_i64_or(json_get(v, "n"), 0), 1000);
    CHECK(json_get(json_get(NULL, "x"), "y") == NULL && json_at(v, 0) == NULL);
    arena_fini(&a);
}

TEST(zip_entries_are_found_and_unpacked)
{
    struct buf b;
    struct arena a;
    struct zip z;
    struct err err = {0};
    struct str file = corpus("zip/two.zip", &b), bytes;

    arena_init(&a, 1 << 20);
    CHECK_INT(zip_open(file, &a, &z, &err), ERR_OK);
    CHECK_INT(z.n, 2);
    CHECK_INT(zip_read(zip_find(&z, "c"), 100, &a, &bytes, &err), ERR_OK);
    CHECK_STR(bytes, "stored");
    CHECK_INT(zip_read(zip_find(&z, "a/b.txt"), 200, &a, &bytes, &err), ERR_OK);
    CHECK_INT(bytes.n, 120);
    CHECK_INT(zip_read(zip_find(&z, "a/b.txt"), 100, &a, &bytes, &err), ERR_LIMIT);
    CHECK(zip_find(&z, "a") == NULL);
    arena_fini(&a);
    buf_fini(&b);
}

TEST(hdf5_chunks_are_put_together)
{
    struct buf b;
    struct arena a;
    struct h5 f;
    struct err err = {0};
    struct str file = corpus("hdf5/chunked.h5", &b), *names;
    struct h5_array array;
    uint64_t at;
    size_t n;

    arena_init(&a, 1 << 20);
    CHECK_INT(h5_open(file, &a, &f, &err), ERR_OK);
    CHECK_INT(h5_names(&f, f.root, &names, &n, &err), ERR_OK);
    CHECK_INT(n, 3);
    CHECK_INT(h5_find(&f, f.root, STR("/a"), &at, &err), ERR_OK);
    CHECK_INT(h5_dataset(&f, at, &array, &err), ERR_OK);
    CHECK_INT(array.type, DTYPE_F64);
    CHECK_INT(array.count, 60);
    for (size_t i = 0; i < array.count; i++)
        CHECK(((const double *)array.data)[i] == (double)i);
    CHECK_INT(h5_find(&f, f.root, STR("c"), &at, &err), ERR_OK);
    CHECK_INT(h5_dataset(&f, at, &array, &err), ERR_OK);
    CHECK(((const float *)array.data)[3] == 3.0F); /* was big endian */
    CHECK_INT(h5_strings(&f, f.root, "layer_names", &names, &n, &err), ERR_OK);
    CHECK_INT(n, 2);
    CHECK_STR(names[1], "bcd");
    CHECK_INT(h5_strings(&f, f.root, "absent", &names, &n, &err), ERR_NOT_FOUND);
    CHECK_INT(h5_find(&f, f.root, STR("a/b"), &at, &err), ERR_NOT_FOUND);
    arena_fini(&a);
    buf_fini(&b);
}

static enum errc import_once(struct str file, struct buf *onnx)
{
    struct arena a;
    struct import in;
    struct err err = {0};

    arena_init(&a, 64 << 20);
    enum errc rc = import_file(file, &(struct import_options){.input = {NULL, 0}}, &a, &in, &err);
    if (!rc)
        rc = graph_write(&in.graph, GRAPH_INLINE, onnx, &err);
    CHECK(!rc || err.msg[0]);
    arena_fini(&a);
    return rc;
}

TEST(imports_survive_every_failing_allocation)
{
    static const char *const files[] = {"import/mlp.h5", "import/k3_two_inputs.keras"};

    for (size_t i = 0; i < COUNT(files); i++) {
        struct buf b, plain;
        struct str file = corpus(files[i], &b);
        long failures = 0;
        ROW("%s", files[i]);
        buf_init(&plain, 1 << 20);
        CHECK_INT(import_once(file, &plain), ERR_OK);
        FAULT_LOOP(n)
        {
            struct buf again;
            buf_init(&again, 1 << 20);
            enum errc rc = import_once(file, &again);
            failures += rc != ERR_OK;
            /* Out of memory may be told as a limit, never as a good file. */
            CHECK(rc == ERR_OK ? again.n == plain.n && memcmp(again.p, plain.p, plain.n) == 0 : rc != ERR_NOT_FOUND);
            buf_fini(&again);
        }
        CHECK(failures > 0);
        buf_fini(&plain);
        buf_fini(&b);
    }
}
