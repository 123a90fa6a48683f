#include "codec/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/fs.h"
#include "base/utf8.h"
#include "codec/number.h"

void json_init(struct json *j, struct str text, struct arena *arena,
               struct err *err)
{
    *j = (struct json){.p = text.p,
                       .start = text.p,
                       .end = text.p + text.n,
                       .arena = arena,
                       .err = err};
}

enum errc json_read_file(const char *path, struct buf *out, struct err *err)
{
    enum errc rc = fs_read(path, out, err);

    if (!rc && !buf_reserve(out, NUMBER_PAD))
        rc = err_set(err, ERR_LIMIT, "'%s' is too large", path);
    return rc;
}

bool json_fail(struct json *j, const char *at, const char *fmt, ...)
{
    struct str text = {j->start, (size_t)(j->end - j->start)};
    char path[JSON_PATH_MAX], what[200];
    size_t line, column;
    va_list ap;

    if (j->failed)
        return false;
    j->failed = true;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    json_position(text, at, &line, &column);
    json_path(text, at, path);
    err_record(j->err, ERR_INVALID, "%s at line %zu, column %zu (%s)", what,
               line, column, path);
    return false;
}

static FLAT void space(struct json *j)
{
    while (j->p < j->end &&
           (*j->p == ' ' || *j->p == '\n' || *j->p == '\r' || *j->p == '\t'))
        j->p++;
}

char json_peek(struct json *j)
{
    if (j->failed)
        return 0;
    space(j);
    return j->p < j->end ? *j->p : '\0';
}

static bool unexpected(struct json *j, const char *wanted)
{
    if (j->p >= j->end)
        return json_fail(j, j->p,
                         "invalid JSON: expected %s, got the end of the text",
                         wanted);
    unsigned char c = (unsigned char)*j->p;
    if (c >= 0x20 && c < 0x7f)
        return json_fail(j, j->p, "invalid JSON: expected %s, got '%c'", wanted,
                         c);
    return json_fail(j, j->p, "invalid JSON: expected %s, got byte 0x%02x",
                     wanted, c);
}

static bool open_container(struct json *j, char c, const char *what)
{
    if (json_peek(j) != c)
        return unexpected(j, what);
    if (++j->depth > JSON_MAX_DEPTH)
        return json_fail(j, j->p, "JSON nested deeper than %d levels",
                         JSON_MAX_DEPTH);
    j->p++;
    j->fresh = true;
    return true;
}

bool json_object(struct json *j)
{
    return open_container(j, '{', "an object");
}

bool json_array(struct json *j)
{
    return open_container(j, '[', "a list");
}

/* At the next element of a container that `close` ends, past its comma. */
static bool advance(struct json *j, char close)
{
    char c = json_peek(j);
    bool fresh = j->fresh;

    if (j->failed)
        return false;
    j->fresh = false;
    if (c == close) {
        j->p++;
        j->depth--;
        return false;
    }
    if (fresh)
        return true;
    if (c != ',')
        return unexpected(j, close == '}' ? "',' or '}'" : "',' or ']'");
    j->p++;
    space(j);
    if (j->p < j->end && *j->p == close)
        return unexpected(j, close == '}' ? "a name behind the comma"
                                          : "a value behind the comma");
    return true;
}

bool json_key(struct json *j, struct str *key)
{
    if (!advance(j, '}'))
        return false;
    if (json_peek(j) != '"')
        return unexpected(j, "a quoted name or '}'");
    if (!json_string(j, key))
        return false;
    if (json_peek(j) != ':')
        return unexpected(j, "':'");
    j->p++;
    return true;
}

bool json_item(struct json *j)
{
    return advance(j, ']');
}

/* Finds the closing quote; *escaped tells whether a copy is needed. */
static const char *string_end(struct json *j, const char *p, bool *escaped)
{
    *escaped = false;
    while (p < j->end && *p != '"') {
        unsigned char c = (unsigned char)*p;
        if (c == '\\') {
            *escaped = true;
            p += 2;
        } else if (c < 0x20) {
            json_fail(j, p, "control character 0x%02x in a string", c);
            return NULL;
        } else if (c < 0x80) {
            p++;
        } else {
            size_t n = utf8_length((struct str){p, (size_t)(j->end - p)});
            if (n == 0) {
                json_fail(j, p, "a string is not valid UTF-8");
                return NULL;
            }
            p += n;
        }
    }
    if (p >= j->end) {
        json_fail(j, j->p, "a string is not closed");
        return NULL;
    }
    return p;
}

static bool hex4(const char *p, const char *end, uint32_t *out)
{
    uint32_t v = 0;

    if (end - p < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                            : 16;
        if (d > 15)
            return false;
        v = v << 4 | d;
    }
    *out = v;
    return true;
}

/* \uXXXX, or two of them that make one character. Lone surrogates have no
 * UTF-8 form and are refused. */
static bool unicode_escape(const char **p, const char *end, uint32_t *cp)
{
    uint32_t low;

    if (!hex4(*p, end, cp))
        return false;
    *p += 4;
    if (*cp < 0xd800 || *cp > 0xdfff)
        return true;
    if (*cp > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u' ||
        !hex4(*p + 2, end, &low) || low < 0xdc00 || low > 0xdfff)
        return false;
    *p += 6;
    *cp = 0x10000 + ((*cp - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static bool unescape(struct json *j, struct str raw, struct str *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char *copy = arena_bytes(j->arena, raw.n + 1);
    const char *p = raw.p, *end = raw.p + raw.n;
    size_t n = 0;

    if (!copy)
        return json_fail(j, raw.p, "a string is too long");
    while (p < end) {
        if (*p != '\\') {
            copy[n++] = *p++;
            continue;
        }
        const char *at = p++;
        const char *known = *p ? strchr(from, *p) : NULL;
        uint32_t cp;
        if (known) {
            copy[n++] = to[known - from];
            p++;
            continue;
        }
        bool unicode = *p++ == 'u';
        if (!unicode || !unicode_escape(&p, end, &cp))
            return json_fail(j, at, "an escape that JSON does not have");
        n += utf8_encode(cp, copy + n);
    }
    *out = (struct str){copy, n};
    return true;
}

bool json_string(struct json *j, struct str *out)
{
    bool escaped;

    if (json_peek(j) != '"')
        return unexpected(j, "a string");
    const char *from = j->p + 1;
    const char *to = string_end(j, from, &escaped);
    if (!to)
        return false;
    struct str raw = {from, (size_t)(to - from)};
    if (escaped && !unescape(j, raw, &raw))
        return false;
    *out = raw;
    j->p = to + 1;
    return true;
}

static bool word(struct json *j, const char *text)
{
    size_t n = strlen(text);

    if ((size_t)(j->end - j->p) < n || memcmp(j->p, text, n) != 0)
        return unexpected(j, "a value");
    j->p += n;
    return true;
}

bool json_bool(struct json *j, bool *out)
{
    char c = json_peek(j);

    if (c != 't' && c != 'f')
        return unexpected(j, "true or false");
    if (!word(j, c == 't' ? "true" : "false"))
        return false;
    *out = c == 't';
    return true;
}

bool json_null(struct json *j)
{
    return json_peek(j) == 'n' && word(j, "null");
}

static bool number(struct json *j, enum number_result rc, const char *wanted)
{
    switch (rc) {
    case NUMBER_OK:
        return true;
    case NUMBER_SYNTAX:
        return unexpected(j, wanted);
    case NUMBER_RANGE:
        return json_fail(j, j->p, "the number is out of range, expected %s",
                         wanted);
    case NUMBER_NOT_INTEGER:
        return json_fail(j, j->p, "expected %s, got a fraction", wanted);
    }
    return false;
}

bool json_i64(struct json *j, int64_t *out)
{
    (void)json_peek(j);
    return !j->failed &&
           number(j, number_read_i64(&j->p, j->end, out), "a whole number");
}

bool json_u64(struct json *j, uint64_t *out)
{
    (void)json_peek(j);
    return !j->failed && number(j, number_read_u64(&j->p, j->end, out),
                                "a whole number, not negative");
}

bool json_f64(struct json *j, double *out)
{
    (void)json_peek(j);
    return !j->failed &&
           number(j, number_read_f64(&j->p, j->end, out), "a number");
}

static bool skip_scalar(struct json *j, char c)
{
    struct str s;
    double d;
    bool b;

    if (c == '"')
        return json_string(j, &s);
    if (c == 't' || c == 'f')
        return json_bool(j, &b);
    if (c == 'n')
        return json_null(j);
    const char *at = j->p;
    if (c == 'N' || c == 'I')
        return unexpected(j, "a value");
    enum number_result rc = number_read_f64(&j->p, j->end, &d);
    if (rc == NUMBER_RANGE) {
        /* Somebody else's number: any size is valid JSON. */
        while (j->p < j->end && *j->p && strchr("+-.0123456789eE", *j->p))
            j->p++;
        return true;
    }
    if (rc == NUMBER_OK && (*at == '-' && j->p[-1] == 'y'))
        return json_fail(j, at, "invalid JSON: -Infinity is not a value");
    return number(j, rc, "a value");
}

bool json_skip(struct json *j)
{
    /* One bit per open container: 1 for an object. */
    uint64_t kinds[JSON_MAX_DEPTH / 64 + 1] = {0};
    int base = j->depth;
    struct str key;

    for (;;) {
        char c = json_peek(j);
        if (c == '{' || c == '[') {
            if (!(c == '{' ? json_object(j) : json_array(j)))
                return false;
            unsigned level = (unsigned)j->depth;
            uint64_t bit = UINT64_C(1) << (level % 64);
            if (c == '{')
                kinds[level / 64] |= bit;
            else
                kinds[level / 64] &= ~bit;
        } else if (!skip_scalar(j, c)) {
            return false;
        }
        /* To the next value: out of every container that ends here. */
        while (j->depth > base) {
            unsigned level = (unsigned)j->depth;
            bool object = kinds[level / 64] >> (level % 64) & 1;
            if (object ? json_key(j, &key) : json_item(j))
                break;
            if (j->failed)
                return false;
        }
        if (j->depth == base)
            return !j->failed;
    }
}

bool json_span(struct json *j, struct str *out)
{
    (void)json_peek(j);
    const char *from = j->p;
    if (!json_skip(j))
        return false;
    *out = (struct str){from, (size_t)(j->p - from)};
    return true;
}

bool json_end(struct json *j)
{
    if (j->failed)
        return false;
    space(j);
    if (j->p != j->end)
        return unexpected(j, "the end of the text");
    return true;
}

void json_position(struct str text, const char *at, size_t *line,
                   size_t *column)
{
    const char *begin = text.p;

    *line = 1;
    for (const char *p = text.p; p < at; p++) {
        if (*p == '\n') {
            ++*line;
            begin = p + 1;
        }
    }
    *column = (size_t)(at - begin) + 1;
}
