/* What cannot be read, in Prometheus' words; what is read, written down. */
#include "unit/unit.h"

#include "promql/notation.h"
#include "promql/promql.h"
#include "series/duration.h"

static const struct {
    const char *query, *says;
} mistakes[] = {
    {"", "1:1: parse error: no expression found in input"},
    {"# only a remark", "1:16: parse error: no expression found in input"},
    {"1+", "1:3: parse error: unexpected end of input"},
    {"*1", "1:1: parse error: unexpected <op:*>"},
    {"1 2", "1:3: parse error: unexpected number \"2\""},
    {"(1))", "1:4: parse error: unexpected right parenthesis ')'"},
    {"((1)", "1:5: parse error: unclosed left parenthesis"},
    {"sum(", "1:5: parse error: unclosed left parenthesis"},
    {"2.5.", "1:4: parse error: unexpected character: '.'"},
    {"0deadbeef",
     "1:1: parse error: bad number or duration syntax: \"0deadbeef\""},
    {"1e999",
     "1:1: parse error: error parsing number: strconv.ParseFloat: parsing "
     "\"1e999\": value out of range"},
    {"1 == 1", "1:3: parse error: comparisons between scalars must use BOOL "
               "modifier"},
    {"1 and 1", "1:1: parse error: set operator \"and\" not allowed in binary "
                "scalar expression"},
    {"a and 1", "1:1: parse error: set operator \"and\" not allowed in binary "
                "scalar expression"},
    {"1 !~ 1", "1:4: parse error: unexpected character after '!': '~'"},
    {"1 =~ 1", "1:4: parse error: unexpected character after '=': '~'"},
    {"-\"text\"",
     "1:1: parse error: unary expression only allowed on expressions of type "
     "scalar or instant vector, got \"string\""},
    {"-up[5m]",
     "1:1: parse error: unary expression only allowed on expressions of type "
     "scalar or instant vector, got \"range vector\""},
    {"a + bool b", "1:3: parse error: bool modifier can only be used on "
                   "comparison operators"},
    {"a + on (x) 1", "1:1: parse error: vector matching only allowed between "
                     "instant vectors"},
    {"a or on (x) group_left (y) b",
     "1:1: parse error: no grouping allowed for \"or\" operation"},
    {"a * on (x) group_left (x) b",
     "1:3: parse error: label \"x\" must not occur in ON and GROUP clause at "
     "once"},
    {"up[5m] + 1", "1:1: parse error: binary expression must contain only "
                   "scalar and instant vector types"},
    {"1 offset 1d",
     "1:1: parse error: offset modifier must be preceded by an instant vector "
     "selector or range vector selector or a subquery"},
    {"up offset 1m offset 2m",
     "1:1: parse error: offset may not be set multiple times"},
    {"up @ 1 @ 2",
     "1:1: parse error: @ <timestamp> may not be set multiple times"},
    {"up offset 1m[5m]",
     "1:13: parse error: no offset modifiers allowed before range"},
    {"up @ 1 [5m]", "1:8: parse error: no @ modifiers allowed before range"},
    {"(up)[5m]", "1:5: parse error: ranges only allowed for vector selectors"},
    {"1[5m:1m]", "1:1: parse error: subquery is only allowed on instant "
                 "vector, got scalar instead"},
    {"up[0s]", "1:4: parse error: duration must be greater than 0"},
    {"up[5mm]", "1:4: parse error: not a valid duration string: \"5mm\""},
    {"up[5m", "1:6: parse error: unclosed left bracket"},
    {"up{", "1:4: parse error: unexpected end of input inside braces"},
    {"up}", "1:3: parse error: unexpected character: '}'"},
    {"up{a}", "1:5: parse error: unexpected \"}\" in label matching, expected "
              "label matching operator"},
    {"up{a=b}", "1:6: parse error: unexpected identifier \"b\" in label "
                "matching, expected string"},
    {"up{a=\"b\" c=\"d\"}", "1:10: parse error: unexpected identifier \"c\" in "
                            "label matching, expected \",\" or \"}\""},
    {"up{,}", "1:4: parse error: unexpected \",\" in label matching, expected "
              "identifier or \"}\""},
    {"{}", "1:1: parse error: vector selector must contain at least one "
           "non-empty matcher"},
    {"{a=~\".*\"}", "1:1: parse error: vector selector must contain at least "
                    "one non-empty matcher"},
    {"up{__name__=\"down\"}", "1:1: parse error: metric name must not be set "
                              "twice: \"up\" or \"down\""},
    {"up{a=~\"(\"}", "1:4: parse error: error parsing regexp: missing closing "
                     "): `^(?s:()$`"},
    {"up{a=\"\\q\"}", "1:7: parse error: unknown escape sequence"},
    {"'open", "1:1: parse error: unterminated quoted string"},
    {"rate(up)", "1:6: parse error: expected type range vector in call to "
                 "function \"rate\", got instant vector"},
    {"floor()", "1:1: parse error: expected 1 argument(s) in call to "
                "\"floor\", got 0"},
    {"hour(up, up)", "1:1: parse error: expected at most 1 argument(s) in call "
                     "to \"hour\", got 2"},
    {"label_join(up)", "1:1: parse error: expected at least 3 argument(s) in "
                       "call to \"label_join\", got 1"},
    {"nothing_like_it(up)", "1:1: parse error: unknown function with name "
                            "\"nothing_like_it\""},
    {"floor(up,)", "1:9: parse error: trailing commas not allowed in function "
                   "call args"},
    {"sum()", "1:1: parse error: no arguments for aggregate expression "
              "provided"},
    {"topk(up)", "1:1: parse error: wrong number of arguments for aggregate "
                 "expression provided, expected 2, got 1"},
    {"count_values(5, up)", "1:14: parse error: expected type string in "
                            "aggregation parameter, got scalar"},
    {"sum up", "1:5: parse error: unexpected identifier \"up\""},
    {"sum by (a) up", "1:12: parse error: unexpected identifier \"up\" in "
                      "aggregation"},
    {"up\n  + +", "2:6: parse error: unexpected end of input"},
    {"\xff", "1:1: parse error: unexpected character: '\xff'"},
};

TEST(mistakes_are_told_as_prometheus_tells_them)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct promql_expr *x;
        struct err err = {0};
        ROW("%s", mistakes[i].query);
        enum errc rc = promql_parse(str_from_cstr(mistakes[i].query), &x, &err);
        CHECK_INT(rc, ERR_INVALID);
        if (rc == ERR_OK)
            promql_free(x);
        CHECK_STR(str_from_cstr(err.msg), mistakes[i].says);
    }
}

static const struct {
    const char *query, *want;
} printed[] = {
    {" up ", "up"},
    {"up{}", "up"},
    {"up{a='b',c!=\"d\",e=~`f`,g!~\"h\",}",
     "up{a=\"b\",c!=\"d\",e=~\"f\",g!~\"h\"}"},
    {"{__name__=\"up\"}", "{__name__=\"up\"}"},
    {"{\"my.up\",\"l.b\"=\"x\"}", "{\"my.up\",\"l.b\"=\"x\"}"},
    {"SUM(up) BY (a)", "sum by (a) (up)"},
    {"sum without(a,b)(up)", "sum without (a, b) (up)"},
    {"sum by () (up)", "sum(up)"},
    {"topk(5,up)", "topk(5, up)"},
    {"a+b*c", "a + b * c"},
    {"(a+b)*c", "(a + b) * c"},
    {"a ==bool on(x)group_left(y) b", "a == bool on (x) group_left (y) b"},
    {"a * ignoring(x) group_right b", "a * ignoring (x) group_right () b"},
    {"a and on() b", "a and on () b"},
    {"rate(up[5m] offset 90s)", "rate(up[5m] offset 1m30s)"},
    {"up offset -7d", "up offset -1w"},
    {"up @ 1.5 offset 1h", "up @ 1.500 offset 1h"},
    {"up offset 1h @ start()", "up @ start() offset 1h"},
    {"max_over_time(rate(up[1m])[1h:30s] @ end())",
     "max_over_time(rate(up[1m])[1h:30s] @ end())"},
    {"up[1h:]", "up[1h:]"},
    {"up[300]", "up[5m]"},
    {"-up", "-up"},
    {"- 1", "-1"},
    {"-a^b", "-a ^ b"},
    {"0x1F", "31"},
    {"1e-7", "0.0000001"},
    {"1h", "3600"},
    {"Inf", "+Inf"},
    {"\"a\\n\\x41\\u4e2d\"", "\"a\\nA\xe4\xb8\xad\""},
    {"label_replace(up,'a','$1','b','(.*)')",
     "label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")"},
    /* Keywords are names where no keyword can stand. */
    {"sum", "sum"},
    {"by + offset{on=\"bool\"}", "by + offset{on=\"bool\"}"},
    {"sum by (by, sum, on, and, inf) (start)",
     "sum by (by, sum, on, and, inf) (start)"},
    {"job:x:rate5m", "job:x:rate5m"},
    {"a # to the end\n+ b", "a + b"},
};

TEST(trees_are_printed_as_prometheus_prints_them)
{
    for (size_t i = 0; i < COUNT(printed); i++) {
        struct promql_expr *x;
        struct err err = {0};
        struct buf b;
        ROW("%s", printed[i].query);
        buf_init(&b, 1000);
        if (promql_parse(str_from_cstr(printed[i].query), &x, &err) == ERR_OK) {
            promql_print(x->root, &b);
            promql_free(x);
        }
        CHECK_STR(str_from_cstr(err.msg), "");
        CHECK_STR(buf_str(&b), printed[i].want);
        buf_fini(&b);
    }
}

TEST(nesting_has_a_limit)
{
    struct promql_expr *x;
    struct buf b;

    buf_init(&b, 1 << 20);
    for (int i = 0; i < 100000; i++)
        buf_putc(&b, '(');
    CHECK_INT(promql_parse(buf_str(&b), &x, NULL), ERR_INVALID);
    buf_clear(&b);
    for (int i = 0; i < 100000; i++)
        buf_puts(&b, "-");
    CHECK_INT(promql_parse(buf_str(&b), &x, NULL), ERR_INVALID);
    /* A row of operators is a deep tree too. */
    buf_clear(&b);
    buf_puts(&b, "1");
    for (int i = 0; i < PROMQL_MAX_OPERATORS; i++)
        buf_puts(&b, "+1");
    CHECK_INT(promql_parse(buf_str(&b), &x, NULL), ERR_OK);
    promql_free(x);
    buf_puts(&b, "+1");
    CHECK_INT(promql_parse(buf_str(&b), &x, NULL), ERR_INVALID);
    buf_fini(&b);
}

TEST(durations_are_read_and_printed)
{
    static const struct {
        const char *text;
        int64_t ms;
        const char *printed;
    } cases[] = {
        {"1s", 1000, "1s"},
        {"90s", 90000, "1m30s"},
        {"1h30m", 5400000, "1h30m"},
        {"1d", 86400000, "1d"},
        {"7d", 604800000, "1w"},
        {"8d", 691200000, "8d"},
        {"365d", 31536000000, "1y"},
        {"1y2w3d4h5m6s7ms", 33019506007, "382d4h5m6s7ms"},
        {"0s", 0, "0s"},
        {"5ms", 5, "5ms"},
    };
    static const char *const wrong[] = {"",     "5",   "s",   "5m1h", "1m1m",
                                        "1.5h", "-1h", "5 m", "300y"};
    int64_t ms;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b;
        ROW("%s", cases[i].text);
        buf_init(&b, 100);
        CHECK(duration_parse(str_from_cstr(cases[i].text), &ms));
        CHECK_INT(ms, cases[i].ms);
        duration_print(&b, ms);
        CHECK_STR(buf_str(&b), cases[i].printed);
        buf_fini(&b);
    }
    for (size_t i = 0; i < COUNT(wrong); i++) {
        ROW("%s", wrong[i]);
        CHECK(!duration_parse(str_from_cstr(wrong[i]), &ms));
    }
}

TEST(series_are_written_down)
{
    static const struct {
        const char *line, *want; /* _ omitted, S stale */
    } cases[] = {
        {"up 1 2 3", "up: 1 2 3"},
        {"up{a=\"b c\"} 0+10x3", "up{a=\"b c\"}: 0 10 20 30"},
        {"up 5-2x2 _x2 stale", "up: 5 3 1 _ _ S"},
        {"up -1-2x1 1x2 NaN Inf -Inf", "up: -1 -3 1 1 1 nan inf -inf"},
        {"up 0x2 1e3 .5 1-1x1", "up: 0 0 0 1000 0.5 1 0"},
        {"{} 7", "{}: 7"},
        {"{\"my.up\"} _", "{\"my.up\"}: _"},
        {"h {{schema:0 count:1}}x1", "h: N N"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct notation n;
        struct arena a;
        struct buf b;
        struct err err = {0};
        ROW("%s", cases[i].line);
        arena_init(&a, 1 << 20);
        buf_init(&b, 1000);
        CHECK_INT(notation_parse(str_from_cstr(cases[i].line), &a, &n, &err),
                  ERR_OK);
        labels_print(&b, n.labels);
        buf_putc(&b, ':');
        for (size_t k = 0; k < n.n; k++) {
            if (n.v[k].omitted || n.v[k].native)
                buf_puts(&b, n.v[k].omitted ? " _" : " N");
            else if (sample_is_stale(n.v[k].v))
                buf_puts(&b, " S");
            else
                buf_printf(&b, " %g", n.v[k].v);
        }
        CHECK_STR(buf_str(&b), cases[i].want);
        buf_fini(&b);
        arena_fini(&a);
    }
}
