/* Matchers, times, messages, and hiding what is secret. */
#include "unit/unit.h"

#include "base/clock.h"
#include "notify/send.h"
#include "notify/zone.h"

TEST(matchers_as_alertmanager_reads_them)
{
    static const struct {
        const char *text, *printed; /* NULL: refused */
    } rows[] = {
        {"a=b", "a=\"b\""},
        {"{a=\"b\",c!=d}", "a=\"b\",c!=\"d\""},
        {" a =~ \"x|y\" , b!~z ", "a=~\"x|y\",b!~\"z\""},
        {"a=\"x,y}\"", "a=\"x,y}\""},
        {"a=\"x\\\"y\\\\z\\nw\"", "a=\"x\\\"y\\\\z\\nw\""},
        {"a=", "a=\"\""},
        {"{}", ""},
        {"", ""},
        {"a=\"b\",", "a=\"b\""},
        {"\"a b\"=c", "\"a b\"=\"c\""},
        {"a", NULL},
        {"=b", NULL},
        {"a=\"b", NULL},
        {"a=b\"c", NULL},
        {"a==~b", "a=\"=~b\""},
        {"{a=b", NULL},
        {"a=b,,c=d", NULL},
        {"1a=b", NULL},
        {"a=~\"(\"", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct matchers m = {.n = 0}, again = {.n = 0};
        struct arena a;
        struct buf b;
        arena_init(&a, 1 << 20);
        buf_init(&b, 1 << 16);
        ROW("%s", rows[i].text);
        enum errc rc =
            matchers_parse(&m, str_from_cstr(rows[i].text), &a, NULL);
        CHECK_INT(rc, rows[i].printed ? ERR_OK : ERR_INVALID);
        if (!rc) {
            matchers_print(&b, &m);
            CHECK_STR(buf_str(&b), rows[i].printed);
            CHECK_INT(matchers_parse(&again, buf_str(&b), &a, NULL), ERR_OK);
            CHECK_INT(again.n, m.n);
        }
        matchers_fini(&m);
        matchers_fini(&again);
        arena_fini(&a);
        buf_fini(&b);
    }
}

TEST(zones_of_the_world)
{
    static const struct {
        const char *zone;
        int64_t at;
        int seconds; /* -1: unknown */
    } rows[] = {
        {"", 0, 0},
        {"UTC", 1700000000, 0},
        {"Asia/Shanghai", 1700000000, 8 * 3600},
        {"Asia/Shanghai", 4000000000, 8 * 3600},
        {"Europe/Berlin", 1700000000, 3600},     /* November */
        {"Europe/Berlin", 1690000000, 2 * 3600}, /* July */
        {"America/New_York", 1700000000, -5 * 3600},
        {"Asia/Kolkata", 1700000000, 19800},
        {"Mars/Olympus", 0, -1},
        {"../../etc/passwd", 0, -1},
        {"/etc/localtime", 0, -1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        int seconds = 0;
        ROW("%s %lld", rows[i].zone, (long long)rows[i].at);
        enum errc rc = zone_offset(str_from_cstr(rows[i].zone), rows[i].at,
                                   &seconds, NULL);
        if (rows[i].seconds == -1)
            CHECK_INT(rc, ERR_INVALID);
        else
            CHECK_INT(seconds, rows[i].seconds);
    }
}

/* A period as a file has it, asked at a time. */
static bool has(const char *yaml, const char *at)
{
    const struct yaml *root = NULL;
    struct yaml_form f = {.file = "t"};
    struct err err = {0};
    struct period p;
    struct arena a;
    int64_t ms = 0;

    arena_init(&a, 1 << 20);
    f.arena = &a;
    f.err = &err;
    if (yaml_read(str_from_cstr(yaml), &a, &root, &err) ||
        !clock_parse(str_from_cstr(at), &ms))
        fail_msg("%s %s: %s", yaml, at, err.msg);
    period_take(&f, root, &p);
    if (f.rc)
        fail_msg("%s", err.msg);
    bool is = period_has(&p, ms);
    arena_fini(&a);
    return is;
}

TEST(periods_of_the_week)
{
    static const struct {
        const char *yaml, *at;
        bool is;
    } rows[] = {
        {"{}", "2026-11-25T12:00:00Z", true},
        {"{times: [{start_time: '09:00', end_time: '17:00'}]}",
         "2026-11-25T09:00:00Z", true},
        {"{times: [{start_time: '09:00', end_time: '17:00'}]}",
         "2026-11-25T17:00:00Z", false},
        {"{times: [{start_time: '22:00', end_time: '24:00'}]}",
         "2026-11-25T23:59:59Z", true},
        {"{weekdays: ['monday:friday']}", "2026-11-25T12:00:00Z", true},
        {"{weekdays: ['saturday', Sunday]}", "2026-11-29T12:00:00Z", true},
        {"{weekdays: ['monday:friday']}", "2026-11-28T12:00:00Z", false},
        {"{days_of_month: ['-3:-1']}", "2026-02-26T12:00:00Z", true},
        {"{days_of_month: ['-3:-1']}", "2024-02-26T12:00:00Z", false},
        {"{days_of_month: ['1:5', '25']}", "2026-11-25T12:00:00Z", true},
        {"{months: ['november']}", "2026-11-25T12:00:00Z", true},
        {"{months: ['1:3']}", "2026-11-25T12:00:00Z", false},
        {"{years: ['2020:2025']}", "2026-11-25T12:00:00Z", false},
        {"{location: Asia/Shanghai, weekdays: [thursday]}",
         "2026-11-25T16:00:00Z", true},
        {"{location: Asia/Shanghai, weekdays: [thursday]}",
         "2026-11-25T15:59:59Z", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        ROW("%s %s", rows[i].yaml, rows[i].at);
        CHECK_INT(has(rows[i].yaml, rows[i].at), rows[i].is);
    }
}

TEST(texts_are_cut_between_characters)
{
    static const struct {
        const char *text;
        size_t max;
        const char *cut;
    } rows[] = {{"abcdef", 6, "abcdef"},
                {"abcdefg", 6, "abc..."},
                {"\xe7\x83\xad\xe7\x83\xad\xe7\x83\xad", 8, "\xe7\x83\xad..."},
                {"", 3, ""}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;
        buf_init(&b, 100);
        buf_puts(&b, rows[i].text);
        send_shorten(&b, rows[i].max);
        ROW("%s", rows[i].text);
        CHECK_STR(buf_str(&b), rows[i].cut);
        buf_fini(&b);
    }
}

TEST(what_is_secret_is_not_shown)
{
    static const char text[] =
        "global: {slack_api_url: 'http://hook/T0', smtp_auth_password: pw1}\n"
        "route: {receiver: a}\n"
        "receivers:\n"
        "- name: a\n"
        "  webhook_configs:\n"
        "  - url: http://u:pw2@x/ # why\n"
        "    http_config: {basic_auth: {username: u, password: \"pw3\"}}\n"
        "  dingtalk_configs: [{url: \"https://x?access_token=t4\", secret: "
        "SEC5}]\n";
    static const char *const secrets[] = {"T0",  "pw1", "pw2",
                                          "pw3", "t4",  "SEC5"};
    struct notify_config c;
    struct err err = {0};

    if (notify_config_read(&c, "x", str_from_cstr(text), NULL, NULL, &err))
        fail_msg("%s", err.msg);
    const char *shown = c.original.p;
    for (size_t i = 0; i < COUNT(secrets); i++) {
        ROW("%s", secrets[i]);
        CHECK(strstr(shown, secrets[i]) == NULL);
    }
    ROW("the rest");
    CHECK(strstr(shown, "username: u") && strstr(shown, "receiver: a") &&
          strstr(shown, "dingtalk_configs"));
    notify_config_fini(&c);
}
