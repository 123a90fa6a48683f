#include "unit/unit.h"

#include "series/labels.h"
#include "series/matcher.h"
#include "series/regex.h"

/* ---- labels ------------------------------------------------------------- */

static struct labels two(struct label *v, const char *name)
{
    v[0] = (struct label){LABEL_NAME, str_from_cstr(name)};
    v[1] = (struct label){STR("job"), STR("a\"b\\\n\x01")};
    return (struct labels){v, 2};
}

TEST(labels_print_as_prometheus_prints_them)
{
    static const struct {
        const char *name, *want;
    } cases[] = {
        {"up", "up{job=\"a\\\"b\\\\\\n\\x01\"}"},
        {"a:b", "a:b{job=\"a\\\"b\\\\\\n\\x01\"}"},
        {"my.up", "{\"my.up\", job=\"a\\\"b\\\\\\n\\x01\"}"},
    };
    struct label v[2];
    struct buf b;

    for (size_t i = 0; i < COUNT(cases); i++) {
        ROW("%s", cases[i].name);
        buf_init(&b, 1000);
        labels_print(&b, two(v, cases[i].name));
        CHECK_STR(buf_str(&b), cases[i].want);
        buf_fini(&b);
    }
}

TEST(labels_are_built_in_order_each_once_none_empty)
{
    struct labels_builder b;
    struct labels l;
    struct arena a;
    struct buf out;

    arena_init(&a, 10000);
    buf_init(&out, 1000);
    labels_build(&b, &a, (struct labels){NULL, 0});
    labels_set(&b, STR("z"), STR("1"));
    labels_set(&b, STR("a"), STR("2"));
    labels_set(&b, STR("m"), STR("3"));
    labels_set(&b, STR("b"), STR("4"));
    labels_set(&b, STR("c"), STR("5"));
    labels_set(&b, STR("m"), STR("6"));
    labels_set(&b, STR("z"), STR(""));
    labels_drop(&b, STR("none"));
    CHECK(labels_built(&b, &l));
    labels_print(&out, l);
    CHECK_STR(buf_str(&out), "{a=\"2\", b=\"4\", c=\"5\", m=\"6\"}");
    struct str names[] = {STR("a"), STR("m")};
    buf_clear(&out);
    labels_print(&out, labels_pick(&a, l, names, 2, false));
    CHECK_STR(buf_str(&out), "{b=\"4\", c=\"5\"}");
    buf_fini(&out);
    arena_fini(&a);
}

TEST(labels_hash_is_alertmanagers_fingerprint)
{
    /* FNV-1a of "", which is its offset, and of name 0xff value 0xff. */
    struct label v = {STR("a"), STR("b")};
    CHECK(labels_hash((struct labels){NULL, 0}) == 0xcbf29ce484222325u);
    uint64_t h = 0xcbf29ce484222325u;
    const unsigned char bytes[] = {'a', 0xff, 'b', 0xff};
    for (size_t i = 0; i < 4; i++)
        h = (h ^ bytes[i]) * 0x100000001b3u;
    CHECK(labels_hash((struct labels){&v, 1}) == h);
}

/* ---- regular expressions ------------------------------------------------ */

static const struct {
    const char *pattern, *yes, *no; /* texts divided by spaces */
} matches[] = {
    {"foo|foobar", "foo foobar", "foob xfoo"},
    {"a.c", "abc a\nc", "ac abcd"},
    {"a$", "a", "ab a\n"},
    {"^a", "a", "ba"},
    {"[a-c]+", "a abc", "d "},
    {"[^a-c]+", "d", "a"},
    {"[]a]+", "]a", "b"},
    {"[a\\]]+", "]a", "b"},
    {"\\d{2,3}", "12 123", "1 1234"},
    {"(?i)abc", "ABC aBc", "abd"},
    {"(?i:a)b", "Ab ab", "AB"},
    {"(?P<x>a)(?<y>b)", "ab", "a"},
    {"\\x41\\x{42}\\103", "ABC", "abc"},
    {"\\Qa.b\\E", "a.b", "axb"},
    {"\\Q(*+", "(*+", "("},
    {"a\\.b\\-c", "a.b-c", "axb-c"},
    {"[[:alpha:]]+", "ab", "a1"},
    {"[[:^digit:]]+", "ab", "a1"},
    {"\\pL+", "a\xc3\xa9", "1"},
    {"\\p{Greek}", "\xce\xb1", "a"},
    {"a{,2}", "a{,2}", "aa"},
    {"a{", "a{", "a"},
    {"x*?", "x xx", "y"},
    {"[\\s]x\\S", "\tx\v", "\vxa"},
    {"a#b", "a#b", "a"},
    {"\xe4\xb8\xad.", "\xe4\xb8\xad\xe6\x96\x87", "\xe4\xb8\xad"},
    {"[\xe4\xb8\xad-\xe4\xb8\xaf]", "\xe4\xb8\xae", "\xe4\xb8\xb0"},
    {"a||b", "a b", "c"},
    {"", "", "a"},
};

TEST(regex_matches_whole_texts_in_re2s_language)
{
    for (size_t i = 0; i < COUNT(matches); i++) {
        struct regex *re;
        struct err err;
        ROW("%s", matches[i].pattern);
        if (regex_compile(str_from_cstr(matches[i].pattern), &re, &err)) {
            CHECK_STR(str_from_cstr(err.msg), "");
            continue;
        }
        struct str yes = str_from_cstr(matches[i].yes);
        do
            CHECK_INT(regex_match(re, str_cut(&yes, ' ')), REGEX_YES);
        while (yes.p);
        struct str no = str_from_cstr(matches[i].no);
        do
            CHECK_INT(regex_match(re, str_cut(&no, ' ')), REGEX_NO);
        while (no.p);
        regex_free(re);
    }
}

static const struct {
    const char *pattern, *says;
} mistakes[] = {
    {"(a)\\1", "invalid escape sequence: `\\1`"},
    {"(?=a)", "invalid or unsupported Perl syntax: `(?=`"},
    {"(?!a)", "invalid or unsupported Perl syntax: `(?!`"},
    {"(?<=a)b", "invalid or unsupported Perl syntax: `(?<`"},
    {"(?<!a)b", "invalid or unsupported Perl syntax: `(?<`"},
    {"(?>a)", "invalid or unsupported Perl syntax: `(?>`"},
    {"(?R)", "invalid or unsupported Perl syntax: `(?R`"},
    {"(?1)", "invalid or unsupported Perl syntax: `(?1`"},
    {"a++", "invalid nested repetition operator: `++`"},
    {"a**", "invalid nested repetition operator: `**`"},
    {"a{2}{3}", "invalid nested repetition operator: `{2}{3}`"},
    {"*a", "missing argument to repetition operator: `*`"},
    {"(*ACCEPT)", "missing argument to repetition operator: `*`"},
    {"a|*", "missing argument to repetition operator: `*`"},
    {"a{1001}", "invalid repeat count: `{1001}`"},
    {"a{3,2}", "invalid repeat count: `{3,2}`"},
    {"(.*", "missing closing ): `^(?s:(.*)$`"},
    {"a)", "unexpected ): `^(?s:a))$`"},
    {"[a", "missing closing ]: `[a`"},
    {"[b-a]", "invalid character class range: `b-a`"},
    {"[[:foo:]]", "invalid character class range: `[:`"},
    {"\\y", "invalid escape sequence: `\\y`"},
    {"\\Z", "invalid escape sequence: `\\Z`"},
    {"\\K", "invalid escape sequence: `\\K`"},
    {"\\G", "invalid escape sequence: `\\G`"},
    {"a\\", "trailing backslash at end of expression: `^(?s:a\\)$`"},
    {"\xff", "invalid UTF-8: ``"},
};

TEST(regex_refuses_what_re2_does_not_have)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct regex *re = NULL;
        struct err err = {0};
        char want[200];
        ROW("%s", mistakes[i].pattern);
        snprintf(want, sizeof(want), "error parsing regexp: %s",
                 mistakes[i].says);
        CHECK_INT(regex_compile(str_from_cstr(mistakes[i].pattern), &re, &err),
                  ERR_INVALID);
        CHECK_STR(str_from_cstr(err.msg), want);
        regex_free(re);
    }
}

TEST(regex_gives_up_what_would_take_for_ever)
{
    struct regex *re = NULL;

    CHECK_INT(regex_compile(STR("(a|aa)+[b-d]"), &re, NULL), ERR_OK);
    CHECK_INT(regex_match(re, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                  "aaaaaaaaaaaaaaaax")),
              REGEX_TOO_COSTLY);
    regex_free(re);
}

static const struct {
    const char *pattern, *text, *template, *want;
} expansions[] = {
    {"(.*)-(.*)", "a-b", "$2:$1", "b:a"},
    {"(.*)-(.*)", "a-b", "${2}x$$", "bx$"},
    {"(.*)-(.*)", "a-b", "$1x", ""},
    {"(?P<one>.*)-(.*)", "a-b", "$one/${one}1", "a/a1"},
    {"(.*)-(.*)", "a-b", "$9$01$", "$"},
    {"(.*)-(.*)", "a-b", "${1", "${1"},
    {"a(b)?c", "ac", "[$1]", "[]"},
};

TEST(regex_expands_templates_as_go_does)
{
    for (size_t i = 0; i < COUNT(expansions); i++) {
        struct regex *re = NULL;
        struct buf out;
        ROW("%s", expansions[i].template);
        buf_init(&out, 1000);
        CHECK_INT(
            regex_compile(str_from_cstr(expansions[i].pattern), &re, NULL),
            ERR_OK);
        CHECK_INT(regex_expand(re, str_from_cstr(expansions[i].text),
                               str_from_cstr(expansions[i].template), &out),
                  REGEX_YES);
        CHECK_STR(buf_str(&out), expansions[i].want);
        regex_free(re);
        buf_fini(&out);
    }
}

TEST(matchers_take_a_missing_label_for_an_empty_one)
{
    static const struct {
        enum match_op op;
        const char *value;
        enum regex_result want;
    } cases[] = {
        {MATCH_EQUAL, "", REGEX_YES},       {MATCH_NOT_EQUAL, "", REGEX_NO},
        {MATCH_EQUAL, "x", REGEX_NO},       {MATCH_NOT_EQUAL, "x", REGEX_YES},
        {MATCH_REGEX, ".*", REGEX_YES},     {MATCH_REGEX, ".+", REGEX_NO},
        {MATCH_NOT_REGEX, ".+", REGEX_YES}, {MATCH_NOT_REGEX, "a|b", REGEX_YES},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct matcher m;
        ROW("%s%s", match_op_text(cases[i].op), cases[i].value);
        CHECK_INT(matcher_init(&m, cases[i].op, STR("a"),
                               str_from_cstr(cases[i].value), NULL),
                  ERR_OK);
        CHECK_INT(matchers_test(&m, 1, (struct labels){NULL, 0}),
                  cases[i].want);
        matcher_fini(&m);
    }
}
