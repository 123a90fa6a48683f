/* Files that others wrote, too; what a machine gets is in
 * tests/system/test_setup.py. */
#include "unit/unit.h"

#include "setup/edit.h"
#include "setup/host.h"
#include "setup/show.h"

static struct arena arena;
static struct setup_options options;

static struct plan begin(void)
{
    arena_init(&arena, 64 << 20);
    return (struct plan){.arena = &arena, .options = &options};
}

static const struct {
    const char *have, *wanted, *becomes; /* NULL: it is refused */
} merges[] = {
    {"", "{\"a\":1}", "{\n    \"a\": 1\n}\n"},
    {" \n\t", "{\"a\":1}", "{\n    \"a\": 1\n}\n"},
    {"{}", "{}", "{}"},
    {"{ \"a\" :2 }", "{\"a\":1}", "{ \"a\" :2 }"},
    {"{\"b\":[]}", "{\"a\":{\"c\":[1]}}",
     "{\n    \"b\": [],\n    \"a\": {\n        \"c\": [\n            1\n"
     "        ]\n    }\n}\n"},
    {"{\"a\":{\"x\":1}}", "{\"a\":{\"x\":2,\"y\":3}}",
     "{\n    \"a\": {\n        \"x\": 1,\n        \"y\": 3\n    }\n}\n"},
    {"{\"m\":[\"b\"]}", "{\"m\":[\"a\",\"b\",\"c\"]}",
     "{\n    \"m\": [\n        \"a\",\n        \"c\",\n        \"b\"\n    ]\n}"
     "\n"},
    {"{\"m\":\"b\"}", "{\"m\":[\"a\"]}", "{\"m\":\"b\"}"},
    {"[]", "{\"a\":1}", NULL},
    {"{\"a\":1,}", "{\"a\":1}", NULL},
    {"{\"a\":1} x", "{\"a\":1}", NULL},
    {"{\"a\":\"\xff\"}", "{\"a\":1}", NULL},
};

TEST(json_gets_what_it_lacks)
{
    for (size_t i = 0; i < COUNT(merges); i++) {
        struct err err = {.code = ERR_OK};
        struct str out = STR("");
        ROW("%s + %s", merges[i].have, merges[i].wanted);
        struct plan p = begin();
        enum errc rc = edit_json(str_from_cstr(merges[i].have),
                                 merges[i].wanted, p.arena, &out, &err);
        CHECK((rc == ERR_OK) == (merges[i].becomes != NULL));
        if (!rc && merges[i].becomes)
            CHECK_STR(out, merges[i].becomes);
        arena_fini(&arena);
    }
}

static const struct {
    const char *have;
    unsigned place;
    const char *word, *line, *becomes;
} lines[] = {
    {"", 0, "a", "a b", "a b\n"},
    {"x y", 0, "a", "a b", "x y\na b\n"},
    {"a old\nx\n", 0, "a", "a b", "a b\nx\n"},
    {"# a old\n", 0, "a", "a b", "# a old\na b\n"},
    {"x\t/m  nfs\n", 1, "/m", "y /m ext4", "y /m ext4\n"},
    {"/m /x nfs\n", 1, "/m", "y /m ext4", "/m /x nfs\ny /m ext4\n"},
    {"a 1\nb\na 2\n", 0, "a", "a 3", "a 3\nb\n"},
};

TEST(a_line_takes_the_place_of_its_like)
{
    for (size_t i = 0; i < COUNT(lines); i++) {
        ROW("%s", lines[i].have);
        struct plan p = begin();
        CHECK_STR(edit_line(&p, str_from_cstr(lines[i].have), lines[i].place,
                            lines[i].word, lines[i].line),
                  lines[i].becomes);
        arena_fini(&arena);
    }
}

TEST(a_block_takes_the_place_of_its_like)
{
    struct plan p = begin();
    struct str one = edit_block(&p, STR("a\n"), "x", "1\n");

    CHECK_STR(one, "a\n# stoker setup x\n1\n# stoker setup x end\n");
    CHECK_STR(edit_block(&p, one, "x", "2\n"),
              "a\n# stoker setup x\n2\n# stoker setup x end\n");
    arena_fini(&arena);
}

static const struct {
    const char *before, *after, *shown;
} differences[] = {
    {"", "a\n", "      +a\n"},
    {"a\n", "", "      -a\n"},
    {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
     "       2\n       3\n       4\n      -5\n      +x\n       6\n       7\n"
     "       8\n"},
    {"a\n", "a\033[2J\n", "      -a\n      +a?[2J\n"},
};

TEST(a_difference_has_its_surroundings)
{
    for (size_t i = 0; i < COUNT(differences); i++) {
        struct buf out;
        ROW("%s", differences[i].before);
        buf_init(&out, 1 << 16);
        show_difference(str_from_cstr(differences[i].before),
                        str_from_cstr(differences[i].after), false, &out);
        CHECK_STR(buf_str(&out), differences[i].shown);
        buf_fini(&out);
    }
}

static const struct {
    const char *list, *names, *missing;
} packages[] = {
    {"ii  curl\nii  git:amd64\n", "curl git vim", "vim"},
    {"rc  curl\nun  git\niU vim\n", "curl git vim", "curl git vim"},
    {"hi  kubelet\n", "kubelet", ""},
    {"", "a", "a"},
};

TEST(packages_that_are_missing)
{
    for (size_t i = 0; i < COUNT(packages); i++) {
        ROW("%s", packages[i].list);
        struct plan p = begin();
        CHECK_STR(str_from_cstr(packages_missing(
                      str_from_cstr(packages[i].list), packages[i].names,
                      p.arena)),
                  packages[i].missing);
        arena_fini(&arena);
    }
}

TEST(texts_have_the_same_conversions_in_both_languages)
{
    for (int i = 0; i < SETUP_TEXTS; i++) {
        ROW("%s", setup_text_in(LANGUAGE_EN, (enum setup_text)i));
        CHECK(unit_same_conversions(
            setup_text_in(LANGUAGE_EN, (enum setup_text)i),
            setup_text_in(LANGUAGE_ZH, (enum setup_text)i)));
    }
}
