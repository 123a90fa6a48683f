#include "unit/unit.h"

#include "codec/json.h"
#include "codec/json_tensor.h"
#include "codec/number.h"
#include "fault.h"

/* A copy with room to look ahead. */
static struct str padded(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + NUMBER_PAD, 1, 1);
    memcpy(p, s.p, s.n);
    return (struct str){p, s.n};
}

static bool valid(struct str text)
{
    struct arena a;
    struct err err;
    struct json j;

    arena_init(&a, 4 << 20);
    json_init(&j, padded(&a, text), &a, &err);
    bool ok = json_skip(&j) && json_end(&j);
    arena_fini(&a);
    return ok;
}

/* Written from RFC 8259, in the manner of JSONTestSuite: what must be
 * accepted, and what must not. */
TEST(json_accepts_exactly_json)
{
    static const char *const good[] = {
        "null", "true", "false", "0", "-0", "1", "-1", "123e65", "0e+1", "0e1",
        "1E22", "1e-2", "1.5E+2", "123.456e78", "1e400", "-1e-400",
        "\"\"", "\"a\"", "\"\\u0041\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\uD801\\udc37\"", "\"\\u0000\"", "\"\xe2\x82\xac\"", "\"\xf4\x8f\xbf\xbf\"",
        "[]", "[ ]", "[null]", "[1,2]", "[1\n]", " [1]", "[1] ", "[[]   ]",
        "{}", "{\"a\":1}", "{\"a\":1,\"b\":[]}", "{\"\":0}", "{\"a\":\"b\",\"a\":\"c\"}",
        "{\"a\":{\"b\":{\"c\":[{}]}}}", "\t[\r\n1\t]\n", "[\"\x7f\"]", "[1,null,\"x\",{}]",
        "{\"x\":[{\"id\": \"x\"}], \"id\": \"y\"}",
    };
    static const char *const bad[] = {
        "", " ", "nul", "nulll", "True", "TRUE", "tru", "undefined", "NaN", "Infinity",
        "-Infinity", "[NaN]", "+1", "01", "-01", "1.", ".1", "-.1", "1e", "1e+", "1.e1", "0x1",
        "0e", "-", "--1", "1_000", "1 000", "[1 2]", "[1,]", "[,1]", "[,]", "[1,,2]", "[1", "]",
        "[", "[\"a\"", "[1}", "{", "}", "{]", "{\"a\"}", "{\"a\":}", "{\"a\" 1}", "{\"a\"::1}", "{a:1}",
        "{'a':1}", "{\"a\":1,}", "{,\"a\":1}", "{\"a\":1 \"b\":2}", "{1:1}", "{null:null}",
        "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u\"", "\"\\u00A\"", "\"\\u00G0\"", "\"\\uD800\"",
        "\"\\uD800\\n\"", "\"\\uDC00\"", "\"\\uD800\\uD800\"", "\"\n\"", "\"\t\"", "\"\x01\"", "'a'",
        "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"", "[1]]", "[1]x", "1 2", "{}{}",
        "// c\n1", "/* c */ 1", "[1]#", "\xef\xbb\xbf[1]", "\x0c[1]", "[\xc2\xa0]", "[1]\x0b", "a", "*", "<.>",
        "[\"\\a\"]", "{\"a\":1}}", "[[1]", "{\"a\":[}", "[{]", "[\"x\", truth]", "-foo", "[-]", "[- 1]",
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        ROW("good %zu: %s", i, good[i]);
        CHECK(valid(str_from_cstr(good[i])));
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        ROW("bad %zu: %s", i, bad[i]);
        CHECK(!valid(str_from_cstr(bad[i])));
    }
    ROW("NUL bytes");
    CHECK(!valid(STR("[1\0]")));
    CHECK(!valid(STR("\0")));
}

TEST(json_depth_is_limited)
{
    static char deep[100001];

    memset(deep, '[', 100000);
    CHECK(!valid((struct str){deep, 100000}));
    memset(deep, '[', JSON_MAX_DEPTH);
    memset(deep + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    CHECK(valid((struct str){deep, JSON_MAX_DEPTH * 2}));
    memset(deep, '[', JSON_MAX_DEPTH + 1);
    memset(deep + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
    CHECK(!valid((struct str){deep, JSON_MAX_DEPTH * 2 + 2}));
}

TEST(json_strings_are_unescaped)
{
    struct arena a;
    struct json j;
    struct str s = {0};
    struct err err;

    arena_init(&a, 4096);
    json_init(&j, padded(&a, STR("\"a\\n\\u00e9\\ud83d\\ude00\\/\"")), &a, &err);
    CHECK(json_string(&j, &s));
    CHECK_STR(s, "a\n\xc3\xa9\xf0\x9f\x98\x80/");
    arena_fini(&a);
}

static const struct {
    enum dtype type;
    const char *in;
    const char *want; /* shape and elements, or the message */
} tensor_cases[] = {
        {DTYPE_F32, "1.5", "[] 1.5"},
        {DTYPE_F32, "[]", "[0] "},
        {DTYPE_F32, "[1,2,3]", "[3] 1.0,2.0,3.0"},
        {DTYPE_F32, " [ [ 1 , 2 ] , [ 3 , 4 ] ] ", "[2,2] 1.0,2.0,3.0,4.0"},
        {DTYPE_F32, "[[],[]]", "[2,0] "},
        {DTYPE_F32, "[[[1],[2]],[[3],[4]]]", "[2,2,1] 1.0,2.0,3.0,4.0"},
        {DTYPE_F32, "[NaN,-Infinity,1e-3]", "[3] NaN,-Infinity,0.001"},
        {DTYPE_F16, "[0.1,65504]", "[2] 0.099975586,65504.0"},
        {DTYPE_I8, "[-128,127]", "[2] -128,127"},
        {DTYPE_U64, "[18446744073709551615]", "[1] 18446744073709551615"},
        {DTYPE_BOOL, "[true,false,1,0]", "[4] true,false,true,false"},
        {DTYPE_STRING, "[\"a\",\"\\u0062\"]", "[2] \"a\",\"b\""},
        {DTYPE_STRING, "[{\"b64\":\"aGk=\"}]", "[1] \"hi\""},
        {DTYPE_F32, "[[1,2],[3]]", "a list has 1 elements where the one before has 2 at line 1, column 10 ($[1][0])"},
        {DTYPE_F32, "[[1],2]", "a value stands where a list is expected at line 1, column 6 ($[1])"},
        {DTYPE_F32, "[1,[2]]", "expected a FP32 number"},
        {DTYPE_F32, "[1,]", "invalid JSON: expected a value behind the comma, got ']' at line 1, column 4 ($[1])"},
        {DTYPE_F32, "[1 2]", "invalid JSON: expected ',' or ']', got '2' at line 1, column 4 ($[0])"},
        {DTYPE_F32, "[1,\n\"x\"]", "expected a FP32 number, got a string at line 2, column 1 ($[1])"},
        {DTYPE_F32, "[null]", "expected a FP32 number, got null at line 1, column 2 ($[0])"},
        {DTYPE_F32, "[1e39]", "a number is out of range of FP32 at line 1, column 2 ($[0])"},
        {DTYPE_I8, "[128]", "a number is out of range of INT8 at line 1, column 2 ($[0])"},
        {DTYPE_U8, "[-1]", "a number is out of range of UINT8 at line 1, column 2 ($[0])"},
        {DTYPE_I32, "[1.0]", "expected a whole number for INT32, got a fraction at line 1, column 2 ($[0])"},
        {DTYPE_STRING, "[1]", "expected a string (BYTES) at line 1, column 2 ($[0])"},
        {DTYPE_F32, "[1,2", "invalid JSON: expected ',' or ']', got the end of the text at line 1, column 5 ($[1])"},
};

TEST(json_tensors_infer_their_shape_or_say_where_they_cannot)
{
    for (size_t i = 0; i < COUNT(tensor_cases); i++) {
        struct arena a;
        struct err err = {0};
        struct json j;
        struct elements e = {.type = tensor_cases[i].type, .b64 = true};
        struct shape shape;
        struct buf b;

        ROW("%zu: %s", i, tensor_cases[i].in);
        arena_init(&a, 1 << 20);
        buf_init(&b, 1 << 20);
        json_init(&j, padded(&a, str_from_cstr(tensor_cases[i].in)), &a, &err);
        if (json_tensor_read(&j, &e, &shape) && json_end(&j)) {
            shape_format(&b, &shape, NULL);
            buf_putc(&b, ' ');
            json_tensor_write_flat(&b, e.type, e.data, e.n);
            CHECK_STR(buf_str(&b), tensor_cases[i].want);
        } else {
            struct str got = str_from_cstr(err.msg);
            CHECK(str_starts(got, str_from_cstr(tensor_cases[i].want)));
            if (!str_starts(got, str_from_cstr(tensor_cases[i].want)))
                fprintf(stderr, "    got: %s\n", err.msg);
        }
        buf_fini(&b);
        arena_fini(&a);
    }
}

TEST(json_tensors_print_nested)
{
    static const struct {
        struct shape shape;
        const char *want;
    } cases[] = {
        {{0, {0}}, "0"},
        {{1, {3}}, "[0,1,2]"},
        {{1, {0}}, "[]"},
        {{2, {2, 3}}, "[[0,1,2],[3,4,5]]"},
        {{2, {2, 0}}, "[[],[]]"},
        {{2, {0, 2}}, "[]"},
        {{3, {1, 2, 2}}, "[[[0,1],[2,3]]]"},
        {{3, {2, 0, 2}}, "[[],[]]"},
        {{4, {1, 1, 1, 1}}, "[[[[0]]]]"},
    };
    static const int32_t data[] = {0, 1, 2, 3, 4, 5};

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b;
        ROW("%s", cases[i].want);
        buf_init(&b, 4096);
        json_tensor_write(&b, DTYPE_I32, data, &cases[i].shape, false);
        CHECK_STR(buf_str(&b), cases[i].want);
        buf_fini(&b);
    }
}

TEST(json_tensors_survive_every_allocation_failure)
{
    static const char text[] = "[[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17],"
                               "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,18]]   "
                               "                ";
    FAULT_LOOP(n) {
        struct arena a;
        struct err err;
        struct json j;
        struct elements e = {.type = DTYPE_I64};
        struct shape shape;
        arena_init(&a, 1 << 16);
        json_init(&j, (struct str){text, sizeof(text) - 17}, &a, &err);
        bool ok = json_tensor_read(&j, &e, &shape);
        CHECK(ok ? e.n == 34 : j.failed);
        arena_fini(&a);
    }
}

TEST(json_paths_name_the_place)
{
    static const char text[] =
        "{\"inputs\":[{\"name\":\"x,]\",\"data\":[[1,2],[3,4]]},{\"b\":7}]}";
    char path[JSON_PATH_MAX];

    json_path(str_from_cstr(text), strstr(text, "4"), path);
    CHECK_STR(str_from_cstr(path), "$.inputs[0].data[1][1]");
    json_path(str_from_cstr(text), strstr(text, "7"), path);
    CHECK_STR(str_from_cstr(path), "$.inputs[1].b");
    json_path(str_from_cstr(text), text, path);
    CHECK_STR(str_from_cstr(path), "$");
}
