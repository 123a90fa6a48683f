/* str.h - borrowed byte strings.
 *
 * A str points at bytes that somebody else owns. It is passed by value, need
 * not be NUL terminated and may contain NULs. A function that keeps one beyond
 * the call says so in its contract.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *p;
    size_t n;
};

#define STR_INIT(literal)               \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }
#define STR(literal) ((struct str)STR_INIT(literal))
#define STR_FMT      "%.*s"
#define STR_ARG(s)   (int)(s).n, (s).p

struct str str_from_cstr(const char *s);
struct str str_slice(struct str s, size_t from, size_t to);
bool str_eq(struct str a, struct str b);

/* ASCII letters compare without case, as header names and codings do. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);

/* Below, at or above 0 as memcmp(); a prefix comes before what it begins. */
int str_compare(struct str a, struct str b);

/* What is behind the last c: all of s when there is none. */
struct str str_behind_last(struct str s, char c);

/* Without the spaces and tabs around it. */
struct str str_trim(struct str s);

/* Cuts the text before the first c off *rest and returns it; *rest becomes
 * what is behind c, or empty with p == NULL when there was no c. */
struct str str_cut(struct str *rest, char c);

/* Cuts the next word off a line, whose words have blanks and tabs between;
 * empty behind the last. */
struct str str_word(struct str *line);

/* The whole of s as a decimal number. False on anything else, or overflow. */
bool str_to_u64(struct str s, uint64_t *out);

#endif
