#include "unit/unit.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/resident.h"
#include "base/utf8.h"
#include "fault.h"

TEST(arena_gives_aligned_zeroed_memory_up_to_its_limit)
{
    struct arena a;

    arena_init(&a, 100000);
    for (size_t n = 1; n < 200; n += 7) {
        ROW("%zu bytes", n);
        unsigned char *p = arena_alloc(&a, n, 1, 16);
        CHECK(p != NULL && (uintptr_t)p % 16 == 0);
        for (size_t i = 0; p && i < n; i++)
            CHECK_INT(p[i], 0);
        if (p)
            memset(p, 0xff, n);
    }
    CHECK(((uintptr_t)arena_bytes(&a, 10) & 63) == 0);
    CHECK(arena_bytes(&a, 200000) == NULL);
    CHECK(arena_alloc(&a, SIZE_MAX / 2, 4, 8) == NULL);
    arena_reset(&a);
    CHECK(arena_bytes(&a, 50000) != NULL);
    arena_fini(&a);
}

TEST(arena_survives_every_allocation_failure)
{
    int failed = 0;

    FAULT_LOOP(n) {
        struct arena a;
        arena_init(&a, 1 << 20);
        failed += arena_bytes(&a, 10) == NULL;
        failed += arena_bytes(&a, 10000) == NULL;
        arena_fini(&a);
    }
    CHECK(failed >= 2);
}

TEST(buf_stops_at_its_maximum_and_stays_failed)
{
    struct buf b;

    buf_init(&b, 10);
    buf_puts(&b, "0123456789");
    CHECK(!b.failed);
    buf_putc(&b, 'x');
    CHECK(b.failed);
    buf_puts(&b, "");
    CHECK_STR(buf_str(&b), "0123456789");
    buf_fini(&b);
}

TEST(buf_survives_every_allocation_failure)
{
    FAULT_LOOP(n) {
        struct buf b;
        buf_init(&b, 1 << 20);
        for (int i = 0; i < 100; i++)
            buf_printf(&b, "%d-%s ", i, "some text");
        CHECK(b.failed || b.n > 1000);
        buf_fini(&b);
    }
}

TEST(buf_escapes_json)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"plain", "plain"},
        {"a\"b\\c", "a\\\"b\\\\c"},
        {"\n\t\x01", "\\n\\t\\u0001"},
        {"\xe4\xbd\xa0", "\xe4\xbd\xa0"},
        {"\xff", "\xef\xbf\xbd"},
        {"\xc3(", "\xef\xbf\xbd("},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b;
        ROW("%zu", i);
        buf_init(&b, 1000);
        buf_put_json(&b, str_from_cstr(cases[i].in));
        CHECK_STR(buf_str(&b), cases[i].want);
        buf_fini(&b);
    }
}

TEST(utf8_accepts_what_the_standard_does)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"abc", true},
        {"\xc2\x80", true},
        {"\xe0\xa0\x80", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xc0\x80", false},         /* overlong */
        {"\xe0\x80\x80", false},     /* overlong */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xf4\x90\x80\x80", false}, /* above U+10FFFF */
        {"\x80", false},
        {"\xc2", false},
        {"\xff", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ROW("%zu", i);
        CHECK_INT(utf8_valid(str_from_cstr(cases[i].text)), cases[i].valid);
    }
}

TEST(str_ends_orders_and_last_parts)
{
    CHECK(str_ends(STR("a/data.pkl"), STR("data.pkl")) && str_ends(STR("a"), STR("")));
    CHECK(!str_ends(STR("pkl"), STR("data.pkl")) && !str_ends(STR("data.pk"), STR("pkl")));
    CHECK(str_compare(STR("a"), STR("b")) < 0 && str_compare(STR("b"), STR("a")) > 0);
    CHECK(str_compare(STR("a"), STR("ab")) < 0 && str_compare(STR("ab"), STR("a")) > 0);
    CHECK(str_compare(STR("ab"), STR("ab")) == 0 && str_compare((struct str){NULL, 0}, STR("")) == 0);
    CHECK_STR(str_behind_last(STR("torch.nn.Conv2d"), '.'), "Conv2d");
    CHECK_STR(str_behind_last(STR("Conv2d"), '.'), "Conv2d");
    CHECK_STR(str_behind_last(STR("torch."), '.'), "");
}

TEST(str_cuts_trims_and_reads_numbers)
{
    struct str rest = STR(" a, b ,,c");
    uint64_t v = 0;

    CHECK_STR(str_trim(str_cut(&rest, ',')), "a");
    CHECK_STR(str_trim(str_cut(&rest, ',')), "b");
    CHECK_STR(str_cut(&rest, ','), "");
    CHECK_STR(str_cut(&rest, ','), "c");
    CHECK(rest.p == NULL);
    CHECK(str_to_u64(STR("18446744073709551615"), &v) && v == UINT64_MAX);
    CHECK(!str_to_u64(STR("18446744073709551616"), &v));
    CHECK(!str_to_u64(STR(""), &v) && !str_to_u64(STR("+1"), &v));
    CHECK(str_eq_nocase(STR("Content-LENGTH"), STR("content-length")));
}

TEST(err_keeps_causes_and_maps_to_one_table)
{
    struct err e = {0};

    CHECK_INT(err_set(&e, ERR_NOT_FOUND, "no %s", "file"), ERR_NOT_FOUND);
    CHECK_INT(err_wrap(&e, e.code, "cannot load '%s'", "m"), ERR_NOT_FOUND);
    CHECK_STR(str_from_cstr(e.msg), "cannot load 'm': no file");
    CHECK_INT(errc_http_status(ERR_BUSY), 429);
    CHECK_INT(errc_exit_status(ERR_NOT_FOUND), 4);
    CHECK_INT(errc_from_errno(EACCES), ERR_DENIED);
}

static unsigned long pages_of_files(void)
{
    unsigned long n = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    CHECK(f && fscanf(f, "%*u %*u %lu", &n) == 1);
    if (f)
        fclose(f);
    return n;
}

TEST(resident_lets_code_go_and_it_comes_back)
{
    size_t objects = resident_objects();
    unsigned long before = pages_of_files();

    CHECK(objects >= 2);
    resident_trim(objects);
    CHECK(pages_of_files() < before);
    CHECK(pages_of_files() > 0);
}
