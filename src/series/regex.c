/* regex.c - see regex.h.
 *
 * Most expressions of rule files and dashboards are lists of words (a|b|c) or
 * .* and need no engine: they are recognised here.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "series/regex.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "series/regex_syntax.h"

enum {
    MATCH_LIMIT = 200000, /* steps; about two milliseconds */
    HEAP_LIMIT = 16384,   /* kibibytes */
    WORDS_MAX = 4096,
};

struct regex {
    pcre2_code *code;
    pcre2_match_context *limits;
    struct str *words;
    size_t n_words;
    bool anything, something; /* .* and .+ */
    char text[];              /* the pattern, for the words */
};

void regex_free(struct regex *re)
{
    if (!re)
        return;
    pcre2_code_free(re->code);
    pcre2_match_context_free(re->limits);
    free(re->words);
    free(re);
}

static bool is_word(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr("\\.+*?()[]{}^$", s.p[i]))
            return false;
    return true;
}

/* False: memory ran out. */
static bool find_words(struct regex *re, struct str text)
{
    size_t n = 1;

    if (!is_word(text))
        return true;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '|';
    if (n > WORDS_MAX)
        return true;
    re->words = calloc(n, sizeof(*re->words));
    if (!re->words)
        return false;
    for (size_t i = 0; i < n; i++)
        re->words[i] = str_cut(&text, '|');
    re->n_words = n;
    return true;
}

enum {
    ALWAYS = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C |
             PCRE2_DUPNAMES,
    WHOLE = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL,
    ANYWHERE = 0
};

static enum errc compile(struct regex *re, uint32_t how, struct str translated,
                         struct err *err)
{
    int code;
    PCRE2_SIZE at;

    re->code = pcre2_compile((PCRE2_SPTR)(translated.n ? translated.p : ""),
                             translated.n, ALWAYS | how, &code, &at, NULL);
    if (!re->code) {
        PCRE2_UCHAR text[200];
        pcre2_get_error_message(code, text, sizeof(text));
        return err_set(err, ERR_INVALID, "error parsing regexp: %s",
                       (const char *)text);
    }
    /* Without the compiler it is interpreted: slower, not wrong. */
    (void)pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE);
    re->limits = pcre2_match_context_create(NULL);
    if (!re->limits)
        return ERR_NOMEM;
    pcre2_set_match_limit(re->limits, MATCH_LIMIT);
    pcre2_set_heap_limit(re->limits, HEAP_LIMIT);
    return ERR_OK;
}

static enum errc make(struct str pattern, uint32_t how, struct regex **out,
                      struct err *err)
{
    struct buf translated;
    enum errc rc;

    if (pattern.n > REGEX_MAX_BYTES)
        return err_set(err, ERR_LIMIT,
                       "the regular expression is longer than %d bytes",
                       REGEX_MAX_BYTES);
    struct regex *re = calloc(1, sizeof(*re) + pattern.n + 1);
    if (!re)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (pattern.n)
        memcpy(re->text, pattern.p, pattern.n);
    buf_init(&translated, 16 * REGEX_MAX_BYTES);
    rc = regex_translate(pattern, &translated, err);
    if (!rc && how == WHOLE &&
        !find_words(re, (struct str){re->text, pattern.n}))
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = compile(re, how, buf_str(&translated), err);
    buf_fini(&translated);
    if (rc) {
        regex_free(re);
        return rc;
    }
    re->anything = how == WHOLE && str_eq(pattern, STR(".*"));
    re->something = how == WHOLE && str_eq(pattern, STR(".+"));
    *out = re;
    return ERR_OK;
}

enum errc regex_compile(struct str pattern, struct regex **out, struct err *err)
{
    return make(pattern, WHOLE, out, err);
}

enum errc regex_compile_search(struct str pattern, struct regex **out,
                               struct err *err)
{
    return make(pattern, ANYWHERE, out, err);
}

const struct str *regex_words(const struct regex *re, size_t *n)
{
    *n = re->n_words;
    return re->words;
}

/* The match data, with all groups, for the caller to read and free. */
static enum regex_result run(const struct regex *re, struct str s, size_t from,
                             pcre2_match_data **out)
{
    pcre2_match_data *data =
        pcre2_match_data_create_from_pattern(re->code, NULL);
    enum regex_result result = REGEX_TOO_COSTLY;

    *out = data;
    if (!data)
        return result;
    /* Behind a first match the text is known to be UTF-8. */
    int rc = pcre2_match(re->code, (PCRE2_SPTR)(s.p ? s.p : ""), s.n, from,
                         from ? PCRE2_NO_UTF_CHECK : 0, data, re->limits);
    if (rc >= 0)
        result = REGEX_YES;
    else if (rc == PCRE2_ERROR_NOMATCH ||
             (rc <= PCRE2_ERROR_UTF8_ERR1 && rc >= PCRE2_ERROR_UTF8_ERR21))
        result = REGEX_NO;
    return result;
}

enum regex_result regex_match(const struct regex *re, struct str s)
{
    pcre2_match_data *data;

    if (re->anything || (re->something && s.n))
        return REGEX_YES;
    if (re->n_words) {
        for (size_t i = 0; i < re->n_words; i++)
            if (str_eq(re->words[i], s))
                return REGEX_YES;
        return REGEX_NO;
    }
    enum regex_result r = run(re, s, 0, &data);
    pcre2_match_data_free(data);
    return r;
}

/* ---- templates ---------------------------------------------------------- */

static bool is_word_char(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* "name" or "{name}" at the start of *rest, which moves behind it. */
static bool take_name(struct str *rest, struct str *name)
{
    bool braces = rest->n && rest->p[0] == '{';
    size_t i = braces, start = braces;

    while (i < rest->n && is_word_char(rest->p[i]))
        i++;
    if (i == start || (braces && (i == rest->n || rest->p[i] != '}')))
        return false;
    *name = str_slice(*rest, start, i);
    *rest = str_slice(*rest, i + braces, rest->n);
    return true;
}

static int group_number(const struct regex *re, struct str name)
{
    uint64_t number;
    char text[64];

    if (name.p[0] >= '0' && name.p[0] <= '9')
        return str_to_u64(name, &number) && number < 10000 &&
                       (name.n == 1 || name.p[0] != '0')
                   ? (int)number
                   : -1;
    if (name.n >= sizeof(text))
        return -1;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    return pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)text);
}

static void put_group(const struct regex *re, pcre2_match_data *data,
                      struct str s, struct str name, struct buf *out)
{
    const PCRE2_SIZE *spans = pcre2_get_ovector_pointer(data);
    int group = group_number(re, name);

    if (group < 0 || (uint32_t)group >= pcre2_get_ovector_count(data))
        return;
    PCRE2_SIZE start = spans[2 * group], end = spans[2 * group + 1];
    if (start != PCRE2_UNSET && end >= start)
        buf_put(out, str_slice(s, start, end));
}

static void expand(const struct regex *re, pcre2_match_data *data, struct str s,
                   struct str template, struct buf *out)
{
    struct str name;

    while (template.n) {
        char c = template.p[0];
        struct str rest = str_slice(template, 1, template.n);
        if (c != '$') {
            buf_putc(out, c);
        } else if (rest.n && rest.p[0] == '$') {
            buf_putc(out, '$');
            rest = str_slice(rest, 1, rest.n);
        } else if (take_name(&rest, &name)) {
            put_group(re, data, s, name, out);
        } else {
            buf_putc(out, '$'); /* malformed: stands for itself */
        }
        template = rest;
    }
}

enum regex_result regex_expand(const struct regex *re, struct str s,
                               struct str template, struct buf *out)
{
    pcre2_match_data *data;
    enum regex_result r = run(re, s, 0, &data);

    if (r == REGEX_YES)
        expand(re, data, s, template, out);
    pcre2_match_data_free(data);
    return r;
}

enum regex_result regex_replace_all(const struct regex *re, struct str s,
                                    struct str template, struct buf *out)
{
    enum regex_result r = REGEX_YES;
    size_t at = 0, last = 0; /* looked from here; copied up to there */

    while (r == REGEX_YES && at <= s.n) {
        pcre2_match_data *data;
        r = run(re, s, at, &data);
        if (r == REGEX_YES) {
            const PCRE2_SIZE *span = pcre2_get_ovector_pointer(data);
            size_t begin = span[0], end = span[1];
            buf_put(out, str_slice(s, last, begin));
            /* An empty match right behind another one is none. */
            if (end > begin || begin > last || begin == 0)
                expand(re, data, s, template, out);
            last = end;
            at = end;
            if (end == begin) { /* goes on behind the next character */
                size_t step = utf8_length(str_slice(s, end, s.n));
                at += step ? step : 1;
            }
        }
        pcre2_match_data_free(data);
    }
    buf_put(out, str_slice(s, last < s.n ? last : s.n, s.n));
    return r == REGEX_TOO_COSTLY ? r : REGEX_YES;
}
