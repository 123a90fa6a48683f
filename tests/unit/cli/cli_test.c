#include "unit/unit.h"

#include <stdlib.h>

#include "cli/command.h"

TEST(texts_exist_in_both_languages_with_the_same_conversions)
{
    for (int i = 0; i < TEXT_COUNT; i++) {
        const char *en = text_in(LANGUAGE_EN, (enum text)i);
        const char *zh = text_in(LANGUAGE_ZH, (enum text)i);
        ROW("%s", en);
        CHECK(*en && *zh);
        CHECK(unit_same_conversions(en, zh));
    }
}

struct options {
    const char *text;
    int64_t number, time, size;
    bool on, given;
};

#define AT(f) offsetof(struct options, f)

static const struct flag flags[] = {
    {"text", 't', FLAG_TEXT, AT(text), "x", 0, 0, 0, TEXT_OPT_HOST, false, 0, NULL},
    {"number", 'n', FLAG_INT, AT(number), "5", 0, 10, 0, TEXT_OPT_HOST, false, AT(given), NULL},
    {"wait-time", 0, FLAG_DURATION, AT(time), "1s", 0, 1000000000000, 1000000000, TEXT_OPT_HOST, false, 0, NULL},
    {"size", 0, FLAG_SIZE, AT(size), "1K", 0, 1 << 30, 0, TEXT_OPT_HOST, false, 0, NULL},
    {"on", 0, FLAG_BOOL, AT(on), NULL, 0, 0, 0, TEXT_OPT_HOST, false, 0, NULL},
    {.name = ""},
};

TEST(flags_are_read_or_refused_with_the_nearest)
{
    static const struct {
        const char *args[4];
        const char *want;
    } cases[] = {
        {{NULL}, "x 5 1000000000 1024 0 0 |"},
        {{"--text", "y", "a"}, "y 5 1000000000 1024 0 0 |a"},
        {{"--text=y", "-n", "7"}, "y 7 1000000000 1024 0 1 |"},
        {{"-n7", "--on"}, "x 7 1000000000 1024 1 1 |"},
        {{"--on=false"}, "x 5 1000000000 1024 0 0 |"},
        {{"--wait_time", "500ms", "--size=2M"}, "x 5 500000000 2097152 0 0 |"},
        {{"--", "--on"}, "x 5 1000000000 1024 0 0 |--on"},
        {{"--nubmer", "1"}, "there is no option '--nubmer'; did you mean '--number'?"},
        {{"--zzz"}, "there is no option '--zzz'"},
        {{"--text"}, "option '--text' needs a value"},
        {{"-n", "11"}, "option 'number': 11 is outside 0 to 10"},
        {{"-n", "x"}, "option 'number': 'x' is not a whole number"},
        {{"-n", "1.5"}, "option 'number': '1.5' is not a whole number"},
        {{"--wait-time", "5 s"}, "option 'wait-time': '5 s' is not a duration like 500ms, 30s, 5m or 15d"},
        {{"--size", "5Q"}, "option 'size': '5Q' is not a size like 512K, 64M or 2G"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct options o = {0};
        struct flag_args args;
        struct err err = {0};
        char *argv[4], got[1024];
        int argc = 0;
        while (argc < 4 && cases[i].args[argc]) {
            argv[argc] = strdup(cases[i].args[argc]);
            argc++;
        }
        ROW("%zu", i);
        if (flags_parse(flags, &o, argc, argv, LANGUAGE_EN, &args, &err))
            snprintf(got, sizeof(got), "%s", err.msg);
        else
            snprintf(got, sizeof(got), "%s %lld %lld %lld %d %d |%s", o.text, (long long)o.number,
                     (long long)o.time, (long long)o.size, o.on, o.given, args.n ? args.rest[0] : "");
        CHECK_STR(str_from_cstr(got), cases[i].want);
        while (argc)
            free(argv[--argc]);
    }
}
