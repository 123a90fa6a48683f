#include "unit/unit.h"

#include <stdlib.h>

enum { MAX_TESTS = 256 };

static struct {
    struct CMUnitTest tests[MAX_TESTS];
    CMUnitTestFunction run[MAX_TESTS];
    size_t n;
    char row[256];
    int failed;
} suite;

/* Fails the test behind its last row, not at the first wrong one. */
static void run_one(void **state)
{
    size_t i = *(size_t *)*state;

    suite.failed = 0;
    suite.row[0] = '\0';
    suite.run[i](state);
    if (suite.failed)
        fail_msg("%d checks failed", suite.failed);
}

void unit_register(const char *name, CMUnitTestFunction run)
{
    static size_t indices[MAX_TESTS];

    if (suite.n == MAX_TESTS)
        abort();
    indices[suite.n] = suite.n;
    suite.run[suite.n] = run;
    suite.tests[suite.n] = (struct CMUnitTest){
        .name = name, .test_func = run_one, .initial_state = &indices[suite.n]};
    suite.n++;
}

void unit_row(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(suite.row, sizeof(suite.row), fmt, ap);
    va_end(ap);
}

static void failed(const char *file, int line)
{
    suite.failed++;
    fprintf(stderr, "%s:%d: [%s] ", file, line, suite.row);
}

void unit_check(bool ok, const char *file, int line, const char *what)
{
    if (ok)
        return;
    failed(file, line);
    fprintf(stderr, "%s is false\n", what);
}

void unit_check_int(long long got, long long want, const char *file, int line,
                    const char *what)
{
    if (got == want)
        return;
    failed(file, line);
    fprintf(stderr, "%s is %lld, want %lld\n", what, got, want);
}

void unit_check_str(struct str got, const char *want, const char *file,
                    int line, const char *what)
{
    if (got.n == strlen(want) && (got.n == 0 || memcmp(got.p, want, got.n) == 0))
        return;
    failed(file, line);
    fprintf(stderr, "%s is\n    '%.*s', want\n    '%s'\n", what, (int)got.n,
            got.p ? got.p : "", want);
}

/* The conversions of a text, one after the other: "s", "lld". */
static void conversions(const char *text, char *out, size_t max)
{
    size_t n = 0;

    for (; *text && n + 1 < max; text++) {
        if (*text != '%')
            continue;
        text += strspn(text + 1, "0123456789.-+ *") + 1;
        while (strchr("lzh", *text) && *text && n + 2 < max)
            out[n++] = *text++;
        if (*text != '%')
            out[n++] = *text;
        if (!*text)
            break;
    }
    out[n] = '\0';
}

bool unit_same_conversions(const char *a, const char *b)
{
    char x[128], y[128];

    conversions(a, x, sizeof(x));
    conversions(b, y, sizeof(y));
    return strcmp(x, y) == 0;
}

int main(void)
{
    return _cmocka_run_group_tests("unit", suite.tests, suite.n, NULL, NULL);
}
