/* The decisions of the tables, one row each: what fits, what does not, and what
 * nobody knows. */
#include "unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "compat/marker.h"
#include "compat/solve.h"

static struct tables tables;
static struct arena arena;

static void begin(struct judgement *j)
{
    arena_init(&arena, 256 << 20);
    unsetenv("STOKER_COMPAT");
    CHECK(compat_open(&arena, &tables, NULL) == ERR_OK);
    *j = (struct judgement){
        .tables = &tables, .today = "2026-11", .arena = &arena};
}

#define S(field, text) .field = STR_INIT(text)

static const struct {
    const char *name;
    struct stack s;
    enum fit fit;
    const char *words; /* in the worst reason */
} rows[] = {
    /* the driver: minor versions are compatible, newer ones always are */
    {"newer driver", {S(driver, "580.82.07"), S(toolkit, "11.8")}, FIT_YES, ""},
    {"article's driver",
     {S(driver, "535.129.03"), S(toolkit, "11.8")},
     FIT_LIMITED,
     "535 of the driver has been without fixes since 2026-06"},
    {"as bundled", {S(driver, "580.65.06"), S(toolkit, "13.0")}, FIT_YES, ""},
    {"minor",
     {S(driver, "580.65.06"), S(toolkit, "13.2")},
     FIT_LIMITED,
     "by compatibility between minor versions"},
    {"12.9 on 525",
     {S(driver, "525.60.13"), S(toolkit, "12.9.1")},
     FIT_LIMITED,
     "needs 575.51.03"},
    {"too old",
     {S(driver, "550.54.15"), S(toolkit, "13.0")},
     FIT_NO,
     "needs 580.65.06"},
    {"below the floor",
     {S(driver, "450.51.06"), S(toolkit, "11.8")},
     FIT_NO,
     "needs 450.80.02"},
    {"unheard of",
     {S(driver, "580.82.07"), S(toolkit, "19.0")},
     FIT_UNKNOWN,
     "CUDA 19.0 is not in the tables"},
    /* the GPU */
    {"Volta on 595",
     {S(driver, "595.58.03"), S(capability, "7.0")},
     FIT_NO,
     "no longer knows Volta (7.0): the last one is 580"},
    {"Turing on 595",
     {S(driver, "595.58.03"), S(capability, "7.5")},
     FIT_YES,
     ""},
    {"Hopper, 11.7",
     {S(toolkit, "11.7"), S(capability, "9.0")},
     FIT_NO,
     "takes 11.8 or newer"},
    {"Pascal, 13",
     {S(toolkit, "13.0"), S(capability, "6.1")},
     FIT_NO,
     "the last is 12"},
    {"Pascal, 12.9", {S(toolkit, "12.9"), S(capability, "6.1")}, FIT_YES, ""},
    {"Kepler, 10.2", {S(toolkit, "10.2"), S(capability, "3.0")}, FIT_YES, ""},
    /* torch */
    {"numpy 2", {S(torch, "2.0.1"), S(numpy, "2.1.0")}, FIT_NO, "'numpy<2'"},
    {"numpy 1", {S(torch, "2.0.1"), S(numpy, "1.26.4")}, FIT_YES, ""},
    {"2.3 and numpy 2", {S(torch, "2.3.0"), S(numpy, "2.0.0")}, FIT_YES, ""},
    {"Python",
     {S(torch, "2.0.1"), S(python, "3.12")},
     FIT_NO,
     "Python 3.8 to 3.11, not with 3.12"},
    {"a patch of Python",
     {S(torch, "2.0.1"), S(python, "3.11.9")},
     FIT_YES,
     ""},
    {"the index", {S(torch, "2.0.1"), S(torch_cuda, "11.7")}, FIT_YES, ""},
    {"no such wheel",
     {S(torch, "2.0.1"), S(torch_cuda, "12.1")},
     FIT_NO,
     "there are 11.7,11.8"},
    {"vision",
     {S(torch, "2.0.1"), S(torchvision, "0.16.0")},
     FIT_NO,
     "torchvision 0.15.2, not 0.16.0"},
    {"kernels",
     {S(torch, "2.0.1"), S(torch_cuda, "11.8"), S(capability, "9.0")},
     FIT_YES,
     ""},
    {"H100 and cu117",
     {S(torch, "2.0.1"), S(torch_cuda, "11.7"), S(capability, "9.0")},
     FIT_NO,
     "torch 2.0 or newer for CUDA 11.8"},
    {"B200",
     {S(torch, "2.0.1"), S(torch_cuda, "11.8"), S(capability, "10.0")},
     FIT_NO,
     "torch 2.7 or newer for CUDA 12.8"},
    {"RTX 50, cu118",
     {S(torch, "2.7.0"), S(torch_cuda, "11.8"), S(capability, "12.0")},
     FIT_NO,
     "no code for Blackwell (12.0)"},
    {"RTX 50, cu128",
     {S(torch, "2.7.1"), S(torch_cuda, "12.8"), S(capability, "12.0")},
     FIT_YES,
     ""},
    {"8.9 runs 8.6",
     {S(torch, "2.4.1"), S(torch_cuda, "12.1"), S(capability, "8.9")},
     FIT_YES,
     ""},
    {"Volta, cu130",
     {S(torch, "2.9.0"), S(torch_cuda, "13.0"), S(capability, "7.0")},
     FIT_NO,
     "for CUDA 12.6"},
    {"B300 by PTX",
     {S(torch, "2.7.0"), S(torch_cuda, "12.8"), S(capability, "12.1")},
     FIT_YES,
     ""},
    {"Kepler never",
     {S(torch, "2.4.0"), S(torch_cuda, "12.1"), S(capability, "3.5")},
     FIT_NO,
     "no code for Kepler"},
    {"torch of tomorrow",
     {S(torch, "3.7.0")},
     FIT_UNKNOWN,
     "torch 3.7.0 is not in the tables"},
    /* TensorFlow */
    {"TF 2.10 and 11.7",
     {S(tensorflow, "2.10.0"), S(toolkit, "11.7")},
     FIT_LIMITED,
     "built for CUDA 11.2 and cuDNN 8.1, not for CUDA 11.7"},
    {"TF 2.10 and 12",
     {S(tensorflow, "2.10.0"), S(toolkit, "12.2")},
     FIT_NO,
     "does not find the libraries of CUDA 12.2"},
    {"TF 2.15", {S(tensorflow, "2.15.1"), S(toolkit, "12.2")}, FIT_YES, ""},
    {"TF and Python",
     {S(tensorflow, "2.10.0"), S(python, "3.11")},
     FIT_NO,
     "Python 3.7 to 3.10"},
    /* ONNX Runtime */
    {"ORT and cuDNN",
     {S(onnxruntime, "1.20.1"), S(torch, "2.3.1"), S(torch_cuda, "12.1")},
     FIT_NO,
     "torch 2.3.1 brings cuDNN 8"},
    {"ORT and torch",
     {S(onnxruntime, "1.20.1"), S(torch, "2.4.1"), S(torch_cuda, "12.4")},
     FIT_YES,
     ""},
    {"ORT on 11.8",
     {S(onnxruntime, "1.20.1"), S(toolkit, "11.8")},
     FIT_NO,
     "built for CUDA 12, not for CUDA 11.8"},
    /* what is beneath */
    {"Python 3.9",
     {S(python, "3.9")},
     FIT_LIMITED,
     "Python 3.9 has been without fixes since 2025-10"},
    {"Ubuntu 20.04",
     {S(system, "ubuntu"), S(system_version, "20.04"), S(toolkit, "13.0")},
     FIT_NO,
     "no packages for Ubuntu 20.04"},
    {"RHEL 9.4",
     {S(system, "rhel"), S(system_version, "9.4"), S(toolkit, "13.0")},
     FIT_YES,
     ""},
    {"nothing", {S(torch, "")}, FIT_YES, ""},
};

TEST(decisions)
{
    struct judgement j;

    begin(&j);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str worst = STR("");
        ROW("%s", rows[i].name);
        j.v = NULL;
        j.n = j.cap = 0;
        judge(&j, &rows[i].s);
        CHECK_INT(judged(&j), rows[i].fit);
        for (size_t k = 0; k < j.n; k++)
            if (j.v[k].fit == judged(&j) && strstr(j.v[k].text, rows[i].words))
                worst = str_from_cstr(j.v[k].text);
        CHECK(!*rows[i].words || worst.n);
    }
    arena_fini(&arena);
}

TEST(gpus_are_known_by_name)
{
    static const char *const names[][2] = {
        {"H100", "9.0"},
        {"NVIDIA H100 80GB HBM3", "9.0"},
        {"h200", "9.0"},
        {"A100", "8.0"},
        {"A10", "8.6"},
        {"NVIDIA A10G", "8.6"},
        {"L4", "8.9"},
        {"NVIDIA L40S", "8.9"},
        {"Tesla T4", "7.5"},
        {"Tesla P40", "6.1"},
        {"GeForce RTX 4090", "8.9"},
        {"RTX 3060", "8.6"},
        {"RTX 5090", "12.0"},
        {"B200", "10.0"},
        {"GTX1080", "6.1"},
        {"rtx-4090", "8.9"},
        {"NVIDIA GeForce GTX 1660 Ti", "7.5"},
        {"NVIDIA GeForce GTX 750 Ti", "5.0"},
        {"NVIDIA GeForce GTX 980", "5.2"},
        {"NVIDIA RTX A4000", "8.6"},
        {"NVIDIA RTX 4000 Ada Generation", "8.9"},
        {"NVIDIA RTX 5000 Ada Generation", "8.9"},
        {"Quadro RTX 4000", "7.5"},
        {"Quadro P4000", "6.1"},
        {"NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "12.0"},
        {"NVIDIA A800-SXM4-80GB", "8.0"},
        {"NVIDIA H20", "9.0"},
        {"NVIDIA TITAN V", "7.0"},
        {"NVIDIA TITAN Xp", "6.1"},
        {"NVIDIA GB200", "10.0"},
        {"NVIDIA GB10", "12.1"},
        {"Tesla V100-SXM2-16GB", "7.0"},
        {"Tesla K80", "3.7"},
        {"Jetson AGX Orin", "8.7"},
        {"8.6", "8.6"},
        {"Voodoo 2", ""},
    };
    struct judgement j;

    begin(&j);
    for (size_t i = 0; i < COUNT(names); i++) {
        ROW("%s", names[i][0]);
        CHECK_STR(gpu_capability(&tables, str_from_cstr(names[i][0])),
                  names[i][1]);
    }
    arena_fini(&arena);
}

TEST(releases_are_ordered)
{
    CHECK(release_compare(STR("2.10.0"), STR("2.9.1")) > 0);
    CHECK(release_compare(STR("2.0.1+cu118"), STR("2.0.1")) == 0);
    CHECK(release_compare(STR("2"), STR("2.0.0")) == 0);
    CHECK(release_compare(STR("2.0.0rc1"), STR("2.0.1")) < 0);
    CHECK(release_compare(STR("99999999999999999999"), STR("1")) > 0);
    CHECK_STR(release_minor(STR("2.0.1+cu118")), "2.0");
    CHECK_STR(release_minor(STR("12")), "12");
}

static const struct {
    const char *name, *wishes; /* a line each */
    const char *gpu, *driver;
    const char *torch, *cuda, *python, *other; /* torch NULL: none fits */
} solutions[] = {
    {"the article's", "torch==2.0.1", "H100", "", "2.0.1", "11.8", "3.11", ""},
    {"on an old card", "torch==2.0.1", "A100", "", "2.0.1", "11.8", "3.11", ""},
    {"on a card too new", "torch==2.0.1", "B200", "", NULL, "", "", ""},
    {"anything", "torch", "H100", "", "2.14.0", "13.2", "3.14", ""},
    {"with a driver", "torch", "H100", "560.35.05", "2.14.0", "12.6", "3.14",
     ""},
    {"with an old driver", "torch", "H100", "520.61.05", "2.7.1", "11.8",
     "3.13", ""},
    {"Volta", "torch", "V100", "", "2.14.0", "12.6", "3.14", ""},
    {"a wheel", "torch==2.1.2+cu118", "A100", "", "2.1.2", "11.8", "3.11", ""},
    {"bounds", "torch>=2.1,<2.4\nnumpy<2", "A100", "", "2.3.1", "12.1", "3.11",
     ""},
    {"with numpy 2", "torch<2.4\nnumpy==2.0.2", "A100", "", "2.3.1", "12.1",
     "3.11", ""},
    {"vision", "torch\ntorchvision==0.20.1", "A100", "", "2.5.1", "12.4",
     "3.12", ""},
    {"with ORT", "torch==2.3.1\nonnxruntime-gpu", "A100", "", "2.3.1", "11.8",
     "3.11", "1.18"},
    {"numpy that Python lacks", "torch==2.7.1\nnumpy==1.26.4", "A100", "",
     "2.7.1", "12.8", "3.12", ""},
    {"an index",
     "--index-url https://download.pytorch.org/whl/cu121\ntorch<2.5", "A100",
     "", "2.4.1", "12.1", "3.12", ""},
    {"the processor's", "torch==2.4.1+cpu", "", "", "2.4.1", "", "3.12", ""},
    {"by Python",
     "torch==1.13.1; python_version < '3.11'\ntorch==2.1.2; python_version >= "
     "'3.11'",
     "A100", "", "2.1.2", "12.1", "3.11", ""},
    {"compatible", "torch~=2.1", "A100", "", "2.14.0", "13.2", "3.14", ""},
    {"torch by its sibling", "torchvision==0.20.1", "A100", "", "2.5.1", "12.4",
     "3.12", ""},
    {"with TensorFlow", "torch==2.1.2\ntensorflow==2.14.*", "A100", "", "2.1.2",
     "11.8", "3.11", ""},
    {"cuDNN of two majors", "torch==2.4.1\ntensorflow==2.17.*", "A100", "",
     NULL, "", "", ""},
    {"numpy of two kinds", "torch\nnumpy>=2,<2", "A100", "", NULL, "", "", ""},
    {"impossible", "torch==2.0.1\nnumpy==2.1.0", "A100", "", NULL, "", "", ""},
    {"no such release", "torch==9.9", "A100", "", NULL, "", "", ""},
};

TEST(sets_are_found)
{
    struct judgement j;

    for (size_t i = 0; i < COUNT(solutions); i++) {
        struct wish w = {.n = 0};
        struct solution s;
        ROW("%s", solutions[i].name);
        begin(&j);
        CHECK_INT(
            wish_add_lines(&w, &arena, str_from_cstr(solutions[i].wishes)), 0);
        w.given.capability =
            gpu_capability(&tables, str_from_cstr(solutions[i].gpu));
        w.given.driver = str_from_cstr(solutions[i].driver);
        bool found = solve(&j, &w, &s);
        CHECK(found == (solutions[i].torch != NULL));
        if (found && solutions[i].torch) {
            CHECK_STR(s.stack.torch, solutions[i].torch);
            CHECK_STR(s.stack.torch_cuda, solutions[i].cuda);
            CHECK_STR(s.stack.python, solutions[i].python);
            CHECK_STR(s.stack.onnxruntime, solutions[i].other);
        }
        arena_fini(&arena);
    }
}

TEST(requirements_are_read)
{
    static const struct {
        const char *text;
        unsigned wrong; /* line */
        size_t bounds;
    } files[] = {
        {"torch==2.0.1\n# comment\nnumpy < 2 , >= 1.20 # why\n\n", 0, 3},
        {"-r other.txt\n--index-url x\nTorch[extra]==1\n", 0, 1},
        {"torch @ https://x/y.whl\nnumpy==1 ; python_version < '3'\n", 0, 1},
        {"torch==1 \\\n    --hash=sha256:abc\r\n", 0, 1},
        {"torch==1 --hash=sha256:abc\n", 0, 1},
        {"\xef\xbb\xbftorch (>=1,<3)\r\nfastapi==0.1\n", 0, 2},
        {"git+https://x/y.git@main#egg=y\n./local\nhttps://x/z.whl\n-e .\n", 0,
         0},
        {"tensorflow-gpu==2.10\ntorch===2.0.1\n", 0, 2},
        {"numpy<2; sys_platform == 'win32'\ntorch; os_name == 'nt'\n", 0, 0},
        {"torch==1\n==2\n", 2, 1},
        {"torch=1\n", 1, 0},
        {"a=1\n", 1, 0},
        {"a[x\n", 1, 0},
        {"a ==\n", 1, 0},
        {"torch; python_version\n", 1, 0},
        {"torch; (python_version > '3'\n", 1, 0},
    };

    for (size_t i = 0; i < COUNT(files); i++) {
        struct wish w = {.n = 0};
        ROW("%s", files[i].text);
        arena_init(&arena, 1 << 20);
        unsigned wrong =
            wish_add_lines(&w, &arena, str_from_cstr(files[i].text));
        CHECK_INT(wrong, files[i].wrong);
        CHECK_INT(w.n, files[i].bounds);
        arena_fini(&arena);
    }
}

TEST(markers_are_decided)
{
    static const struct {
        const char *text, *python;
        enum marker marker;
    } markers[] = {
        {"python_version < '3.12'", "3.11", MARKER_YES},
        {"python_version < '3.9'", "3.11", MARKER_NO},
        {"python_version>=\"3.9\"", "3.10", MARKER_YES},
        {"'3.9' <= python_version", "3.10", MARKER_YES},
        {"python_version == '3.1.*'", "3.10", MARKER_NO},
        {"python_version in '3.9 3.10'", "3.10", MARKER_YES},
        {"python_version not in '3.9 3.10'", "3.10", MARKER_NO},
        {"python_version < '3.9'", "", MARKER_OPEN},
        {"sys_platform == 'win32' or python_version > '3.8'", "3.9",
         MARKER_YES},
        {"sys_platform == 'win32' and python_version > '3.8'", "", MARKER_NO},
        {"(sys_platform == 'linux') and platform_machine != 'aarch64'", "",
         MARKER_YES},
        {"platform_system == \"Darwin\"", "", MARKER_NO},
        {"extra == 'gpu'", "", MARKER_NO},
        {"platform_release > '5'", "3.9", MARKER_OPEN},
        {"", "", MARKER_WRONG},
        {"python_version", "", MARKER_WRONG},
        {"python_version < '3.9", "", MARKER_WRONG},
        {"(python_version < '3.9'", "3.9", MARKER_WRONG},
        {"python_version < '3.9' nonsense", "3.9", MARKER_WRONG},
        {"python_version not '3.9'", "3.9", MARKER_WRONG},
        {"((((((((((((((((((((python_version < '3'))))))))))))))))))))", "3",
         MARKER_WRONG},
    };

    for (size_t i = 0; i < COUNT(markers); i++) {
        ROW("%s", markers[i].text);
        CHECK_INT(marker_of(str_from_cstr(markers[i].text),
                            str_from_cstr(markers[i].python)),
                  markers[i].marker);
    }
}

TEST(bounds_are_met)
{
    static const struct {
        const char *version, *op, *bound;
        bool met;
    } bounds[] = {
        {"2.0.1", "==", "2.0.1", true},    {"2.0.1+cu118", "==", "2.0.1", true},
        {"2.0", "==", "2.0.0", true},      {"2.0.1", "==", "2.0", false},
        {"2.0.1", "==", "2.0.*", true},    {"2.10.0", "==", "2.1.*", false},
        {"2.0.1", "!=", "2.0.*", false},   {"2.14.0", "~=", "2.1", true},
        {"2.14.0", "~=", "2.1.0", false},  {"2.1.2", "~=", "2.1.0", true},
        {"3.0", "~=", "2.1", false},       {"2.0", "~=", "2.1", false},
        {"2.1", ">", "2.1", false},        {"2.1", ">=", "2.1", true},
        {"2.1", "<=", "2.1", true},        {"2.1", "==", "+.1.*", false},
        {"2.7.1", "==", "2.7+x.*", false}, {"2.1", "<", "2.1", false},
    };

    for (size_t i = 0; i < COUNT(bounds); i++) {
        ROW("%s %s %s", bounds[i].version, bounds[i].op, bounds[i].bound);
        CHECK(release_meets(str_from_cstr(bounds[i].version), bounds[i].op,
                            str_from_cstr(bounds[i].bound)) == bounds[i].met);
    }
}

TEST(what_lines_say_besides)
{
    struct wish w = {.n = 0};

    arena_init(&arena, 1 << 20);
    CHECK_INT(
        wish_add_lines(
            &w, &arena,
            STR("--extra-index-url https://download.pytorch.org/whl/cu118\n"
                "-r base.txt\n-cconstraints.txt\n--requirement=more.txt\n"
                "--constraint last.txt # why\n--no-binary :all:\n")),
        0);
    CHECK_STR(wish_wheels(&w), "cu118");
    CHECK_INT(w.n_files, 4);
    CHECK_STR(w.files[0], "base.txt");
    CHECK_STR(w.files[1], "constraints.txt");
    CHECK_STR(w.files[2], "more.txt");
    CHECK_STR(w.files[3], "last.txt");
    arena_fini(&arena);
}

TEST(a_newer_table_takes_the_place)
{
    static const struct {
        const char *name, *text, *words; /* NULL: it is right */
    } files[] = {
        {"right", "# dated 2026-01-01\npython\tends\n3.9\t2030-01\n", NULL},
        {"short", "python\tends\n3.9\n", "python.tsv:2: 1 values for 2"},
        {"long", "python\tends\n3.9\t1\t2\n", "python.tsv:2: more than 2"},
        {"empty", "", NULL},
    };
    char folder[] = "/tmp/stoker-compat-XXXXXX", path[64];

    CHECK(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof(path), "%s/python.tsv", folder);
    (void)setenv("STOKER_COMPAT", folder, 1);
    for (size_t i = 0; i < COUNT(files); i++) {
        struct err err = {0};
        FILE *f = fopen(path, "w");
        ROW("%s", files[i].name);
        if (!f)
            abort();
        fputs(files[i].text, f);
        fclose(f);
        arena_init(&arena, 16 << 20);
        enum errc rc = compat_open(&arena, &tables, &err);
        CHECK((rc == ERR_OK) == (files[i].words == NULL));
        if (files[i].words)
            CHECK(strstr(err.msg, files[i].words) != NULL);
        if (i == 0) {
            const struct table *t = &tables.v[TABLE_python];
            CHECK_STR(compat_value(t, compat_row(t, STR("3.9")), "ends"),
                      "2030-01");
            CHECK_INT(compat_age_days(t, 1767225600 + 86400 * 3), 3);
        }
        arena_fini(&arena);
    }
    (void)unlink(path);
    (void)rmdir(folder);
    unsetenv("STOKER_COMPAT");
}
