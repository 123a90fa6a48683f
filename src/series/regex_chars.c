/* regex_chars.c - what stands for one character: escapes and classes. */
#include <string.h>

#include "base/compiler.h"
#include "base/utf8.h"
#include "series/regex_internal.h"

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static int hex_digit(char c)
{
    if (scan_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void scan_put_code(struct scan *s, uint32_t code)
{
    buf_printf(s->out, "\\x{%x}", code);
}

/* ---- escapes ------------------------------------------------------------ */

static bool read_hex(struct scan *s, uint32_t *code)
{
    size_t digits = 0;
    bool braces = scan_look(s, 0) == '{';

    *code = 0;
    s->at += braces;
    while (hex_digit(scan_look(s, 0)) >= 0 && *code <= 0x10ffff &&
           (braces || digits < 2)) {
        *code = *code * 16 + (uint32_t)hex_digit(scan_look(s, 0));
        s->at++;
        digits++;
    }
    if (braces && scan_look(s, 0) == '}')
        s->at++;
    else if (braces)
        return false;
    return *code <= 0x10ffff && digits > 0 && (braces || digits == 2);
}

/* \123 and \0: an octal number. \1 alone would be a reference back. */
static bool read_octal(struct scan *s, uint32_t *code)
{
    char first = scan_look(s, 0);

    if (first != '0' && !is_octal(scan_look(s, 1)))
        return false;
    *code = 0;
    for (int i = 0; i < 3 && is_octal(scan_look(s, 0)); i++, s->at++)
        *code = *code * 8 + (uint32_t)(scan_look(s, 0) - '0');
    return true;
}

/* \pN, \p{Greek}, \P{^Greek}: copied, if it looks like one. */
static enum errc read_property(struct scan *s, size_t start)
{
    s->at++;
    if (scan_look(s, 0) == '{') {
        while (scan_more(s) && scan_look(s, 0) != '}')
            s->at++;
        if (!scan_more(s))
            return scan_wrong(s, "invalid character class range",
                              scan_from(s, start));
    }
    if (scan_more(s))
        s->at++;
    buf_put(s->out, scan_from(s, start));
    return ERR_OK;
}

/* Classes that PCRE2 has too, but with a vertical tab in \s. */
static bool put_class_letter(struct scan *s, char c, bool inside)
{
    if (c == 'd' || c == 'D' || c == 'w' || c == 'W')
        buf_printf(s->out, "\\%c", c);
    else if (c == 's')
        buf_puts(s->out, inside ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]");
    else if (c == 'S')
        buf_puts(s->out, inside ? "\\x00-\\x08\\x0b\\x0e-\\x1f\\x21-\\x{10ffff}"
                                : "[^\\t\\n\\f\\r ]");
    else
        return false;
    s->at++;
    return true;
}

/* A single character behind a backslash. */
static enum errc read_character(struct scan *s, size_t start, uint32_t *code)
{
    static const char letters[] = "aftnrv", codes[] = "\a\f\t\n\r\v";
    char c = scan_look(s, 0);
    const char *at = c ? strchr(letters, c) : NULL;
    bool ok = true;

    if (at) {
        *code = (unsigned char)codes[at - letters];
        s->at++;
    } else if (c == 'x') {
        s->at++;
        ok = read_hex(s, code);
    } else if (is_octal(c)) {
        ok = read_octal(s, code);
        s->at += !ok;
    } else if (c > ' ' && c < 0x7f && !scan_is_digit(c) && hex_digit(c) < 0 &&
               !(c >= 'g' && c <= 'z') && !(c >= 'G' && c <= 'Z')) {
        *code = (unsigned char)c;
        s->at++;
    } else {
        ok = false;
        s->at += scan_more(s);
    }
    return ok ? ERR_OK
              : scan_wrong(s, "invalid escape sequence", scan_from(s, start));
}

/* Behind \Q everything stands for itself, up to \E or the end. */
static void read_quoted(struct scan *s)
{
    s->at++;
    while (scan_more(s) &&
           !(scan_look(s, 0) == '\\' && scan_look(s, 1) == 'E')) {
        size_t n = utf8_length(str_slice(s->in, s->at, s->in.n));
        if (n == 1)
            scan_put_code(s, (unsigned char)scan_look(s, 0));
        else
            buf_put(s->out, str_slice(s->in, s->at, s->at + n));
        s->at += n;
    }
    s->at += scan_more(s) ? 2 : 0;
}

enum errc scan_escape(struct scan *s)
{
    size_t start = s->at++;
    uint32_t code;
    char c = scan_look(s, 0);

    s->repeatable = true;
    if (!scan_more(s))
        return scan_wrong_whole(s, "trailing backslash at end of expression");
    if (c == 'Q') {
        read_quoted(s);
        return ERR_OK;
    }
    if (c == 'A' || c == 'b' || c == 'B' || c == 'z') {
        buf_printf(s->out, "\\%c", c);
        s->at++;
        return ERR_OK;
    }
    if (c == 'p' || c == 'P')
        return read_property(s, start);
    if (put_class_letter(s, c, false))
        return ERR_OK;
    enum errc rc = read_character(s, start, &code);
    if (!rc)
        scan_put_code(s, code);
    return rc;
}

/* ---- classes ------------------------------------------------------------ */

static bool read_posix(struct scan *s)
{
    static const char *const names[] = {
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph",
        "lower", "print", "punct", "space", "upper", "word",  "xdigit"};
    bool negated = scan_look(s, 2) == '^';
    struct str rest = str_slice(s->in, s->at + 2 + negated, s->in.n);

    for (size_t i = 0; i < COUNT(names); i++) {
        struct str name = str_from_cstr(names[i]);
        if (str_starts(rest, name) && rest.n >= name.n + 2 &&
            rest.p[name.n] == ':' && rest.p[name.n + 1] == ']') {
            buf_printf(s->out, "[:%s%s:]", negated ? "^" : "", names[i]);
            s->at += 2 + negated + name.n + 2;
            return true;
        }
    }
    return false;
}

/* One character of a class, escaped or not. */
static enum errc read_bound(struct scan *s, uint32_t *code)
{
    size_t start = s->at, n;

    if (scan_look(s, 0) == '\\') {
        s->at++;
        return read_character(s, start, code);
    }
    n = utf8_length(str_slice(s->in, s->at, s->in.n));
    *code = (unsigned char)scan_look(s, 0);
    if (n > 1)
        *code &= 0xffu >> (n + 1);
    for (size_t i = 1; i < n; i++)
        *code = *code << 6 | ((unsigned char)scan_look(s, i) & 0x3f);
    s->at += n;
    return ERR_OK;
}

static enum errc read_range(struct scan *s)
{
    size_t start = s->at;
    uint32_t low, high;
    enum errc rc = read_bound(s, &low);

    if (rc)
        return rc;
    scan_put_code(s, low);
    if (scan_look(s, 0) != '-' || scan_look(s, 1) == ']' ||
        scan_look(s, 1) == '\0')
        return ERR_OK;
    s->at++;
    rc = read_bound(s, &high);
    if (rc)
        return rc;
    if (high < low)
        return scan_wrong(s, "invalid character class range",
                          scan_from(s, start));
    buf_putc(s->out, '-');
    scan_put_code(s, high);
    return ERR_OK;
}

static enum errc read_class_item(struct scan *s)
{
    size_t start = s->at;

    if (scan_look(s, 0) == '[' && scan_look(s, 1) == ':' && read_posix(s))
        return ERR_OK;
    if (scan_look(s, 0) == '[' && scan_look(s, 1) == ':') {
        s->at += 2;
        return scan_wrong(s, "invalid character class range",
                          scan_from(s, start));
    }
    if (scan_look(s, 0) == '\\' &&
        (scan_look(s, 1) == 'p' || scan_look(s, 1) == 'P')) {
        s->at++;
        return read_property(s, start);
    }
    if (scan_look(s, 0) == '\\') {
        s->at++;
        if (put_class_letter(s, scan_look(s, 0), true))
            return ERR_OK;
        s->at--;
    }
    return read_range(s);
}

enum errc scan_class(struct scan *s)
{
    size_t start = s->at++;
    bool first = true;

    buf_putc(s->out, '[');
    if (scan_look(s, 0) == '^') {
        buf_putc(s->out, '^');
        s->at++;
    }
    for (; scan_more(s) && (first || scan_look(s, 0) != ']'); first = false) {
        enum errc rc = read_class_item(s);
        if (rc)
            return rc;
    }
    if (!scan_more(s))
        return scan_wrong(s, "missing closing ]", scan_from(s, start));
    buf_putc(s->out, ']');
    s->at++;
    s->repeatable = true;
    return ERR_OK;
}
