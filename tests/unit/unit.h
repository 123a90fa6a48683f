/* unit.h - a test is a function that registers itself; tables inside it name
 * the row in every message.
 *
 *     TEST(json_numbers)
 *     {
 *         for (...) {
 *             ROW("%s", cases[i].in);
 *             CHECK_INT(got, cases[i].want);
 *         }
 *     }
 *
 * Checks do not abort: all rows run, the test fails at its end. On cmocka.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/str.h"

void unit_register(const char *name, CMUnitTestFunction run);
void unit_row(const char *fmt, ...) PRINTF_LIKE(1, 2);
void unit_check(bool ok, const char *file, int line, const char *what);
void unit_check_int(long long got, long long want, const char *file, int line,
                    const char *what);
void unit_check_str(struct str got, const char *want, const char *file,
                    int line, const char *what);

/* True if two texts have the same conversions of printf in the same order, as
 * the languages of a catalogue must. */
bool unit_same_conversions(const char *a, const char *b);

#define TEST(name)                                                     \
    static void name(void **state);                                    \
    __attribute__((constructor)) static void name##_register(void)     \
    {                                                                  \
        unit_register(#name, name);                                    \
    }                                                                  \
    static void name(void **state __attribute__((unused)))

#define ROW(...)              unit_row(__VA_ARGS__)
#define CHECK(x)              unit_check((x), __FILE__, __LINE__, #x)
#define CHECK_INT(got, want)  unit_check_int((long long)(got), (long long)(want), __FILE__, __LINE__, #got)
#define CHECK_STR(got, want)  unit_check_str((got), (want), __FILE__, __LINE__, #got)

#endif
