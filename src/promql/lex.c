/* lex.c - see lex.h. Words inside braces are never keywords. */
#include "promql/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "codec/json.h"

static const struct {
    const char *text;
    enum keyword keyword;
} keywords[] = {
    {"by", WORD_BY},
    {"without", WORD_WITHOUT},
    {"on", WORD_ON},
    {"ignoring", WORD_IGNORING},
    {"group_left", WORD_GROUP_LEFT},
    {"group_right", WORD_GROUP_RIGHT},
    {"bool", WORD_BOOL},
    {"offset", WORD_OFFSET},
    {"start", WORD_START},
    {"end", WORD_END},
};

void lex_fail(struct lexer *x, size_t at, const char *fmt, ...)
{
    char text[400];
    size_t line, column;
    va_list args;

    if (x->failed)
        return;
    x->failed = true;
    json_position(x->text, x->text.p + at, &line, &column);
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err_record(x->err, ERR_INVALID, "%zu:%zu: parse error: %s", line, column,
               text);
}

static char look(const struct lexer *x, size_t ahead)
{
    return x->at + ahead < x->text.n ? x->text.p[x->at + ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static void skip_space(struct lexer *x)
{
    for (; x->at < x->text.n; x->at++) {
        char c = look(x, 0);
        if (c == '#')
            while (x->at + 1 < x->text.n && look(x, 1) != '\n')
                x->at++;
        else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
    }
}

/* ---- one kind of word each ---------------------------------------------- */

static void finish(const struct lexer *x, struct token *t, enum token_kind kind)
{
    t->kind = kind;
    t->text = str_slice(x->text, t->at, x->at);
}

static bool lex_end(struct lexer *x, struct token *t)
{
    if (x->braces)
        lex_fail(x, x->at, "unexpected end of input inside braces");
    else if (x->parens > 0)
        lex_fail(x, x->at, "unclosed left parenthesis");
    else if (x->brackets)
        lex_fail(x, x->at, "unclosed left bracket");
    finish(x, t, TOKEN_END);
    return !x->failed;
}

static bool lex_string(struct lexer *x, struct token *t)
{
    char quote = look(x, 0);

    for (x->at++; x->at < x->text.n && look(x, 0) != quote; x->at++) {
        if (look(x, 0) == '\n' && quote != '`')
            break;
        if (look(x, 0) == '\\' && quote != '`')
            x->at++;
    }
    if (look(x, 0) != quote) {
        lex_fail(x, t->at,
                 quote == '`' ? "unterminated raw string"
                              : "unterminated quoted string");
        return false;
    }
    x->at++;
    finish(x, t, TOKEN_STRING);
    return true;
}

/* Digits in groups: 1_000. */
static void skip_digits(struct lexer *x, bool hex)
{
    while ((hex ? is_hex(look(x, 0)) : is_digit(look(x, 0))) ||
           (look(x, 0) == '_' &&
            (hex ? is_hex(look(x, 1)) : is_digit(look(x, 1)))))
        x->at++;
}

static void skip_number(struct lexer *x)
{
    if (look(x, 0) == '0' && (look(x, 1) == 'x' || look(x, 1) == 'X') &&
        is_hex(look(x, 2))) {
        x->at += 2;
        skip_digits(x, true);
        return;
    }
    skip_digits(x, false);
    if (look(x, 0) == '.') {
        x->at++;
        skip_digits(x, false);
    }
    if (look(x, 0) == 'e' || look(x, 0) == 'E') {
        size_t sign = look(x, 1) == '+' || look(x, 1) == '-';
        if (is_digit(look(x, 1 + sign))) {
            x->at += 1 + sign;
            skip_digits(x, false);
        }
    }
}

static bool is_duration(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) && !strchr("ywdhms", s.p[i]))
            return false;
    return s.n > 1 && !is_digit(s.p[s.n - 1]);
}

static bool lex_number(struct lexer *x, struct token *t)
{
    skip_number(x);
    if (!is_letter(look(x, 0)) && !is_digit(look(x, 0))) {
        if (look(x, 0) == '.') {
            lex_fail(x, x->at, "unexpected character: '.'");
            return false;
        }
        finish(x, t, TOKEN_NUMBER);
        return true;
    }
    while (is_letter(look(x, 0)) || is_digit(look(x, 0)))
        x->at++;
    finish(x, t, TOKEN_DURATION);
    if (is_duration(t->text))
        return true;
    lex_fail(x, t->at, "bad number or duration syntax: \"" STR_FMT "\"",
             STR_ARG(t->text));
    return false;
}

static bool lex_word(struct lexer *x, struct token *t)
{
    while (is_letter(look(x, 0)) || is_digit(look(x, 0)) ||
           (look(x, 0) == ':' && !x->braces))
        x->at++;
    finish(x, t, TOKEN_IDENTIFIER);
    if (x->braces)
        return true;
    t->op = operator_of_word(t->text);
    if (t->op) {
        t->kind = operator_kind(t->op) == OP_AGGREGATE ? TOKEN_AGGREGATE
                                                       : TOKEN_OPERATOR;
        return true;
    }
    for (size_t i = 0; i < COUNT(keywords); i++) {
        if (str_eq_nocase(t->text, str_from_cstr(keywords[i].text))) {
            t->kind = TOKEN_KEYWORD;
            t->keyword = keywords[i].keyword;
            return true;
        }
    }
    if (str_eq_nocase(t->text, STR("inf")) ||
        str_eq_nocase(t->text, STR("nan")))
        t->kind = TOKEN_NUMBER;
    return true;
}

/* ---- marks and operators ------------------------------------------------ */

static bool lex_bracket(struct lexer *x, struct token *t, char c)
{
    switch (c) {
    case '(':
        x->parens++;
        break;
    case ')':
        if (--x->parens < 0)
            lex_fail(x, t->at, "unexpected right parenthesis ')'");
        break;
    case '{':
        x->braces = true;
        break;
    case '}':
        if (!x->braces)
            lex_fail(x, t->at, "unexpected character: '}'");
        x->braces = false;
        break;
    case '[':
        if (x->brackets)
            lex_fail(x, t->at, "unexpected character: '['");
        x->brackets = true;
        break;
    default:
        if (!x->brackets)
            lex_fail(x, t->at, "unexpected right bracket ']'");
        x->brackets = false;
    }
    return !x->failed;
}

/* What begins with = or !, where =~ and !~ are marks of matchers. */
static bool lex_equal(struct lexer *x, struct token *t, char c)
{
    char next = look(x, 1);

    if (next == '~' && x->braces) {
        t->mark = c == '=' ? MARK_REGEX : MARK_NOT_REGEX;
        x->at += 2;
        finish(x, t, TOKEN_MARK);
        return true;
    }
    if (next == '=' && (c == '!' || !x->braces)) {
        t->op = c == '=' ? OP_EQUAL : OP_NOT_EQUAL;
        x->at += 2;
        finish(x, t, TOKEN_OPERATOR);
        return true;
    }
    if (c == '!' || next == '~') {
        int n = (int)utf8_length(str_slice(x->text, x->at + 1, x->text.n));
        const char *p = x->text.p + x->at + 1;
        if (x->at + 1 >= x->text.n)
            lex_fail(x, x->at + 1, "unexpected end of input%s after '%c'",
                     x->braces ? " inside braces" : "", c);
        else
            lex_fail(x, x->at + 1, "unexpected character after '%c'%s: '%.*s'",
                     c, x->braces ? " inside braces" : "", n, p);
        return false;
    }
    x->at++;
    t->mark = '=';
    finish(x, t, TOKEN_MARK);
    return true;
}

static enum operator operator_of_sign(struct lexer *x)
{
    static const char signs[] = "+-*/%^";
    static const enum operator ops[] = {OP_ADD,    OP_SUBTRACT, OP_MULTIPLY,
                                        OP_DIVIDE, OP_MODULO,   OP_POWER};
    char c = look(x, 0);
    const char *at = c ? strchr(signs, c) : NULL;

    if (at) {
        x->at++;
        return ops[at - signs];
    }
    if (c != '<' && c != '>')
        return NO_OPERATOR;
    bool equal = look(x, 1) == '=';
    x->at += 1 + equal;
    if (c == '<')
        return equal ? OP_LESS_EQUAL : OP_LESS;
    return equal ? OP_MORE_EQUAL : OP_MORE;
}

static bool lex_sign(struct lexer *x, struct token *t)
{
    char c = look(x, 0);

    if (strchr("(){}[]", c)) {
        x->at++;
        t->mark = c;
        finish(x, t, TOKEN_MARK);
        return lex_bracket(x, t, c);
    }
    if (c == '=' || c == '!')
        return lex_equal(x, t, c);
    if (c == ',' || (c == '@' && !x->braces) || (c == ':' && x->brackets)) {
        x->at++;
        t->mark = c;
        finish(x, t, TOKEN_MARK);
        return true;
    }
    if (!x->braces) {
        t->op = operator_of_sign(x);
        if (t->op) {
            finish(x, t, TOKEN_OPERATOR);
            return true;
        }
    }
    size_t n = utf8_length(str_slice(x->text, x->at, x->text.n));
    lex_fail(x, x->at, "unexpected character%s: '" STR_FMT "'",
             x->braces ? " inside braces" : "",
             STR_ARG(str_slice(x->text, x->at, x->at + (n ? n : 1))));
    return false;
}

bool lex_next(struct lexer *x, struct token *out)
{
    if (x->failed)
        return false;
    skip_space(x);
    *out = (struct token){.at = x->at};
    char c = look(x, 0);
    if (x->at >= x->text.n)
        return lex_end(x, out);
    if (c == '"' || c == '\'' || c == '`')
        return lex_string(x, out);
    if (is_digit(c) || (c == '.' && is_digit(look(x, 1))))
        return lex_number(x, out);
    if (is_letter(c) || (c == ':' && !x->braces && !x->brackets))
        return lex_word(x, out);
    return lex_sign(x, out);
}

/* ---- words about words -------------------------------------------------- */

void token_describe(const struct token *t, struct buf *out)
{
    static const char *const kinds[] = {
        [TOKEN_IDENTIFIER] = "identifier ",
        [TOKEN_NUMBER] = "number ",
        [TOKEN_DURATION] = "duration ",
        [TOKEN_STRING] = "string ",
    };

    switch (t->kind) {
    case TOKEN_END:
        buf_puts(out, "end of input");
        return;
    case TOKEN_OPERATOR:
        buf_printf(out, "<op:" STR_FMT ">", STR_ARG(t->text));
        return;
    case TOKEN_AGGREGATE:
        buf_printf(out, "<aggr:" STR_FMT ">", STR_ARG(t->text));
        return;
    case TOKEN_KEYWORD:
        buf_printf(out, "<" STR_FMT ">", STR_ARG(t->text));
        return;
    case TOKEN_MARK:
        if (t->mark == '=' || t->mark == MARK_REGEX ||
            t->mark == MARK_NOT_REGEX)
            buf_printf(out, "<op:" STR_FMT ">", STR_ARG(t->text));
        else
            buf_put_quoted(out, t->text);
        return;
    case TOKEN_IDENTIFIER:
    case TOKEN_NUMBER:
    case TOKEN_DURATION:
    case TOKEN_STRING:
        buf_puts(out, kinds[t->kind]);
        if (t->text.n > 10 && t->kind != TOKEN_IDENTIFIER) {
            buf_put_quoted(out, str_slice(t->text, 0, 10));
            buf_puts(out, "...");
        } else {
            buf_put_quoted(out, t->text);
        }
    }
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    return c >= 'a' ? c - 'a' + 10 : c - 'A' + 10;
}

/* \x41 \u4e2d \U0001f600: `digits` of them behind the letter. */
static bool unquote_code(struct str s, size_t *i, size_t digits,
                         struct buf *out)
{
    uint32_t code = 0;
    char text[4];

    if (*i + digits > s.n)
        return false;
    for (size_t k = 0; k < digits; k++, (*i)++) {
        if (!is_hex(s.p[*i]))
            return false;
        code = code << 4 | (uint32_t)hex_value(s.p[*i]);
    }
    if (digits == 2) {
        buf_putc(out, (char)code);
        return true;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return false;
    buf_put(out, (struct str){text, utf8_encode(code, text)});
    return true;
}

/* Three octal digits. */
static bool unquote_octal(struct str s, size_t *i, struct buf *out)
{
    unsigned code = 0;

    if (*i + 3 > s.n)
        return false;
    for (size_t k = 0; k < 3; k++, (*i)++) {
        if (s.p[*i] < '0' || s.p[*i] > '7')
            return false;
        code = code * 8 + (unsigned)(s.p[*i] - '0');
    }
    buf_putc(out, (char)code);
    return code < 256;
}

static bool unquote_escape(struct str s, size_t *i, char quote, struct buf *out)
{
    static const char letters[] = "abfnrtv\\", codes[] = "\a\b\f\n\r\t\v\\";
    char c = *i < s.n ? s.p[*i] : '\0';
    const char *at = c ? strchr(letters, c) : NULL;

    if (c >= '0' && c <= '7')
        return unquote_octal(s, i, out);
    (*i)++;
    if (at)
        buf_putc(out, codes[at - letters]);
    else if (c == quote)
        buf_putc(out, c);
    else if (c == 'x' || c == 'u' || c == 'U')
        return unquote_code(s, i, c == 'x' ? 2 : c == 'u' ? 4 : 8, out);
    else
        return false;
    return true;
}

bool string_unquote(struct str quoted, struct buf *out, size_t *at)
{
    char quote = quoted.p[0];
    struct str s = str_slice(quoted, 1, quoted.n - 1);

    for (size_t i = 0; i < s.n;) {
        if (s.p[i] != '\\' || quote == '`') {
            buf_putc(out, s.p[i++]);
            continue;
        }
        *at = i + 1;
        i++;
        if (!unquote_escape(s, &i, quote, out))
            return false;
    }
    return true;
}
