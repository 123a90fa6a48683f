#include <string.h>

#include "import/python/ast.h"

enum { MAX_INDENTS = 100, MAX_TOKENS = 4 << 20 };

struct lexer {
    const char *p, *end;
    int line, parens;
    int indents[MAX_INDENTS];
    int n_indents;
    struct arena *arena;
    struct py_token *tokens;
    size_t n, cap;
    struct err *err;
    bool failed;
};

static void complain(struct lexer *l, enum errc code, const char *what)
{
    if (!l->failed)
        err_record(l->err, code, "line %d: %s", l->line, what);
    l->failed = true;
}

static void emit(struct lexer *l, enum py_token_kind kind, const char *from)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 256;
        struct py_token *grown =
            cap > MAX_TOKENS ? NULL : arena_new(l->arena, struct py_token, cap);
        if (!grown) {
            complain(l, ERR_LIMIT, "the source is too long");
            return;
        }
        if (l->n)
            memcpy(grown, l->tokens, l->n * sizeof(*grown));
        l->tokens = grown;
        l->cap = cap;
    }
    l->tokens[l->n++] =
        (struct py_token){kind, {from, (size_t)(l->p - from)}, l->line};
}

static bool name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_line(struct lexer *l)
{
    while (l->p < l->end && *l->p != '\n')
        l->p++;
}

/* INDENT and DEDENT for the column at which a logical line begins. */
static void indentation(struct lexer *l, int column)
{
    if (column > l->indents[l->n_indents - 1]) {
        if (l->n_indents == MAX_INDENTS) {
            complain(l, ERR_LIMIT, "the source is nested too deeply");
            return;
        }
        l->indents[l->n_indents++] = column;
        emit(l, TOKEN_INDENT, l->p);
    }
    while (column < l->indents[l->n_indents - 1]) {
        l->n_indents--;
        emit(l, TOKEN_DEDENT, l->p);
    }
}

/* At the beginning of a line: blank and comment lines do not count, nor do
 * the commands of notebooks. */
static void line_start(struct lexer *l)
{
    int column = 0;

    for (; l->p < l->end; l->p++) {
        if (*l->p == '\t')
            column += 8 - column % 8;
        else if (*l->p == ' ')
            column++;
        else if (*l->p != '\f')
            break;
    }
    if (l->p < l->end && (*l->p == '!' || *l->p == '%' || *l->p == '?'))
        skip_line(l);
    if (l->p < l->end && *l->p != '\n' && *l->p != '\r' && *l->p != '#')
        indentation(l, column);
}

static void lex_name(struct lexer *l)
{
    const char *from = l->p;

    while (l->p < l->end && (name_start(*l->p) || digit(*l->p)))
        l->p++;
    emit(l, TOKEN_NAME, from);
}

static void lex_number(struct lexer *l)
{
    const char *from = l->p;
    bool hex = l->end - l->p > 1 && l->p[0] == '0' &&
               strchr("xXoObB", l->p[1]) != NULL;

    while (l->p < l->end) {
        char c = *l->p;
        bool exponent = !hex && (c == 'e' || c == 'E') && l->end - l->p > 1 &&
                        (digit(l->p[1]) || l->p[1] == '-' || l->p[1] == '+');
        if (exponent)
            l->p++;
        else if (!digit(c) && !name_start(c) && (c != '.' || hex))
            break;
        l->p++;
    }
    emit(l, TOKEN_NUMBER, from);
}

/* The quote is at l->p; from: where the prefix begins. */
static void lex_string(struct lexer *l, const char *from)
{
    char quote = *l->p;
    bool triple = l->end - l->p >= 3 && l->p[1] == quote && l->p[2] == quote;
    int line = l->line;

    l->p += triple ? 3 : 1;
    for (; l->p < l->end; l->p++) {
        if (*l->p == '\\' && l->end - l->p > 1) {
            l->p++;
            l->line += *l->p == '\n';
        } else if (*l->p == '\n') {
            if (!triple)
                break;
            l->line++;
        } else if (*l->p == quote &&
                   (!triple || (l->end - l->p >= 3 && l->p[1] == quote &&
                                l->p[2] == quote))) {
            l->p += triple ? 3 : 1;
            emit(l, TOKEN_STRING, from);
            return;
        }
    }
    l->line = line;
    complain(l, ERR_INVALID, "a string has no end");
}

static bool string_ahead(struct lexer *l)
{
    const char *p = l->p;

    while (p < l->end && p - l->p < 3 && strchr("rRbBuUfF", *p) && *p)
        p++;
    if (p == l->end || (*p != '"' && *p != '\''))
        return false;
    const char *from = l->p;
    l->p = p;
    lex_string(l, from);
    return true;
}

static void lex_operator(struct lexer *l)
{
    static const char *const longer[] = {
        "**=", "//=", ">>=", "<<=", "...", "**", "//", ">>",
        "<<",  "<=",  ">=",  "==",  "!=",  "->", "+=", "-=",
        "*=",  "/=",  "%=",  "&=",  "|=",  "^=", "@=", ":="};
    const char *from = l->p;
    size_t left = (size_t)(l->end - l->p), n = 1;

    for (size_t i = 0; i < COUNT(longer); i++)
        if (strlen(longer[i]) > n && strlen(longer[i]) <= left &&
            memcmp(l->p, longer[i], strlen(longer[i])) == 0)
            n = strlen(longer[i]);
    if (n == 1 &&
        (*l->p == '\0' || !strchr("+-*/%@&|^~<>=()[]{},:.;", *l->p))) {
        complain(l, ERR_INVALID, "a character that Python does not know");
        return;
    }
    if (strchr("([{", *l->p))
        l->parens++;
    if (strchr(")]}", *l->p) && l->parens)
        l->parens--;
    l->p += n;
    emit(l, TOKEN_OP, from);
}

static void newline(struct lexer *l)
{
    bool useful = l->n && l->tokens[l->n - 1].kind != TOKEN_NEWLINE &&
                  l->tokens[l->n - 1].kind != TOKEN_INDENT &&
                  l->tokens[l->n - 1].kind != TOKEN_DEDENT;

    if (l->parens == 0 && useful)
        emit(l, TOKEN_NEWLINE, l->p);
    l->p++;
    l->line++;
    if (l->parens == 0)
        line_start(l);
}

static void lex_one(struct lexer *l)
{
    char c = *l->p;

    if (c == '\n') {
        newline(l);
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
        l->p++;
    } else if (c == '#') {
        skip_line(l);
    } else if (c == '\\' && l->end - l->p > 1 &&
               (l->p[1] == '\n' || l->p[1] == '\r')) {
        l->p += l->p[1] == '\r' && l->end - l->p > 2 ? 3 : 2;
        l->line++;
    } else if (string_ahead(l)) {
        return;
    } else if (name_start(c)) {
        lex_name(l);
    } else if (digit(c) || (c == '.' && l->end - l->p > 1 && digit(l->p[1]))) {
        lex_number(l);
    } else {
        lex_operator(l);
    }
}

enum errc py_lex(struct str text, struct arena *arena, struct py_token **out,
                 size_t *n, struct err *err)
{
    text = text.n ? text : STR(""); /* NULL is no place to count from */
    struct lexer l = {.p = text.p,
                      .end = text.p + text.n,
                      .line = 1,
                      .n_indents = 1,
                      .arena = arena,
                      .err = err};

    if (text.n > PY_MAX_TEXT)
        return err_set(err, ERR_LIMIT, "the source is too long");
    if (str_starts(text, STR("\xef\xbb\xbf")))
        l.p += 3;
    line_start(&l);
    while (l.p < l.end && !l.failed)
        lex_one(&l);
    emit(&l, TOKEN_NEWLINE, l.p);
    while (l.n_indents-- > 1)
        emit(&l, TOKEN_DEDENT, l.p);
    emit(&l, TOKEN_END, l.p);
    if (l.failed)
        return err && err->code ? err->code : ERR_INVALID;
    *out = l.tokens;
    *n = l.n;
    return ERR_OK;
}
