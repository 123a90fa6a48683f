#include "unit/unit.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "fault.h"
#include "model/onnx_file.h"
#include "model/ort_internal.h"
#include "model/repo.h"

/* graph { initializer { dims: 2 external_data { location: path } } } */
static struct str external_model(struct buf *b, const char *path)
{
    size_t n = strlen(path);

    buf_init(b, 4096);
    size_t entry = 2 + 8 + 2 + n, tensor = 2 + 2 + entry;
    buf_printf(b, "%c%c%c%c%c%c", 0x3a, (int)(tensor + 2), 0x2a, (int)tensor, 0x08, 2);
    buf_printf(b, "%c%c%c%clocation%c%c%s", 0x6a, (int)entry, 0x0a, 8, 0x12, (int)n, path);
    return buf_str(b);
}

TEST(onnx_external_data_stays_beneath_its_folder)
{
    static const struct {
        const char *path;
        enum errc rc;
    } cases[] = {
        {"weights.bin", ERR_OK},         {"sub/weights.bin", ERR_OK},
        {"missing.bin", ERR_NOT_FOUND},  {"/etc/passwd", ERR_DENIED},
        {"../secret.bin", ERR_DENIED},   {"sub/../../secret", ERR_DENIED},
        {"link.bin", ERR_DENIED},        {"sub", ERR_DENIED},
        {"", ERR_DENIED},
    };
    char dir[] = "/tmp/stoker-unit-XXXXXX", path[128];

    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/sub", dir);
    mkdir(path, 0700);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%sweights.bin", dir, i ? "sub/" : "");
        FILE *f = fopen(path, "w");
        fclose(f);
    }
    snprintf(path, sizeof(path), "%s/link.bin", dir);
    CHECK(symlink("/etc/passwd", path) == 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a;
        struct onnx_file file;
        struct err err = {0};
        struct buf b;
        ROW("%s", cases[i].path);
        arena_init(&a, 1 << 20);
        CHECK_INT(onnx_file_read(external_model(&b, cases[i].path), dir, &a, &file, &err), cases[i].rc);
        CHECK(onnx_file_read(buf_str(&b), NULL, &a, &file, &err) != ERR_OK);
        buf_fini(&b);
        arena_fini(&a);
    }
    snprintf(path, sizeof(path), "rm -r %s", dir);
    CHECK(strlen(dir) > 10);
    /* No shell: remove what was made. */
    static const char *const made[] = {"sub/weights.bin", "weights.bin", "link.bin"};
    for (size_t i = 0; i < COUNT(made); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, made[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/sub", dir);
    rmdir(path);
    rmdir(dir);
}

TEST(onnx_files_cut_anywhere_are_refused_or_read_in_bounds)
{
    struct buf b;
    struct err err = {0};

    buf_init(&b, 1 << 20);
    CHECK_INT(fs_read("examples/iris.onnx", &b, &err), 0);
    for (size_t n = 0; n <= b.n; n++) {
        struct arena a;
        struct onnx_file file;
        char *copy = malloc(n ? n : 1); /* so that reading on is caught */
        ROW("%zu bytes", n);
        memcpy(copy, b.p, n);
        arena_init(&a, 1 << 20);
        enum errc rc = onnx_file_read((struct str){copy, n}, ".", &a, &file, &err);
        if (n == b.n) {
            CHECK_INT(rc, ERR_OK);
            CHECK_INT(file.n_nodes, 4);
            CHECK_INT(file.n_parameters, 4 * 16 + 16 + 16 * 3 + 3);
            CHECK_INT(file.opsets[0].version, 13);
        }
        arena_fini(&a);
        free(copy);
    }
    buf_fini(&b);
}

TEST(model_names_are_a_whitelist)
{
    static const struct {
        const char *name;
        bool want;
    } cases[] = {
        {"m", true}, {"a.b-c_9", true}, {"", false}, {".hidden", false}, {"..", false},
        {"a/b", false}, {"a b", false}, {"\xe4\xbd\xa0", false}, {"a\nb", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ROW("%s", cases[i].name);
        CHECK_INT(repo_name_valid(str_from_cstr(cases[i].name)), cases[i].want);
    }
}

TEST(model_config_reads_tritons)
{
    struct arena a;
    struct model_config c;
    struct err err = {0};

    arena_init(&a, 1 << 20);
    CHECK_INT(model_config_parse(STR("name: \"m\" platform: \"onnxruntime_onnx\" max_batch_size: 8\n"
                                     "input [{name: \"x\" data_type: TYPE_FP32 dims: [3, -1]}]\n"
                                     "output {name: \"y\" data_type: TYPE_STRING label_filename: \"l.txt\"}\n"
                                     "dynamic_batching { preferred_batch_size: [4, 8] max_queue_delay_microseconds: 100 }\n"
                                     "version_policy: { specific { versions: [1, 3] } } instance_group [{count: 2}]"),
                                 &a, &c, &err), 0);
    CHECK_INT(c.max_batch, 8);
    CHECK_INT(c.n_inputs, 1);
    CHECK_INT(c.inputs[0].type, DTYPE_F32);
    CHECK_INT(c.inputs[0].shape.dim[1], -1);
    CHECK_INT(c.outputs[0].type, DTYPE_STRING);
    CHECK_STR(c.outputs[0].label_file, "l.txt");
    CHECK(c.dynamic_batching && c.max_delay_us == 100 && c.n_preferred == 2);
    CHECK_INT(c.versions[1], 3);
    CHECK_INT(model_config_parse(STR("platform: \"tensorrt_plan\""), &a, &c, &err), ERR_UNSUPPORTED);
    CHECK_INT(model_config_parse(STR("max_batch_size: many"), &a, &c, &err), ERR_INVALID);
    CHECK_INT(model_config_parse(STR("input {"), &a, &c, &err), ERR_INVALID);
    arena_fini(&a);
}

/* Without its header: the table must end where this release's ends, and every
 * slot we use must be code of the library, each its own. */
TEST(ort_table_is_the_one_we_were_written_for)
{
    static const int last[] = {[17] = 275, [18] = 279, [19] = 279, [20] = 284, [21] = 284, [22] = 317,
                               [23] = 389, [24] = 414, [25] = 418, [26] = 418, [27] = 421, [28] = 423,
                               [29] = 424, [30] = 425};
    struct runtime r = {0};
    struct err err = {0};

    if (ort_open_library(&r, "deps/onnxruntime/libonnxruntime.so.1", &err)) {
        fprintf(stderr, "ort: %s\n", err.msg);
        skip();
    }
    const struct ort_api_base *(*get_base)(void);
    void *symbol = dlsym(r.library, "OrtGetApiBase");
    memcpy(&get_base, &symbol, sizeof(symbol));
    const struct ort_api_base *base = get_base();
    int minor = atoi(strchr(r.version, '.') + 1);
    const void *const *table = base->get_api((uint32_t)minor);
    CHECK(table == base->get_api(1));
    if (minor < (int)COUNT(last)) {
        const void *end[2];
        memcpy(&end[0], &base->get_api, sizeof(void *));
        memcpy(&end[1], &base->get_version_string, sizeof(void *));
        CHECK(table[last[minor] + 1] == end[0] && table[last[minor] + 2] == end[1]);
    }
    static const int used[] = {
#define X(ordinal, name, args) ordinal,
        ORT_CALLS(X) ORT_PROCEDURES(X)
#undef X
    };
    Dl_info home, info;
    CHECK(dladdr(symbol, &home) != 0);
    for (size_t i = 0; i < COUNT(used); i++) {
        ROW("slot %d", used[i]);
        CHECK(dladdr(table[used[i]], &info) != 0 && info.dli_fbase == home.dli_fbase);
        for (size_t k = 0; k < i; k++)
            CHECK(table[used[i]] != table[used[k]]);
    }
    free(r.path);
    free(r.version);
}
