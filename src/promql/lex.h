/* lex.h - the words of PromQL. */
#ifndef PROMQL_LEX_H
#define PROMQL_LEX_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "promql/operators.h"

enum token_kind {
    TOKEN_END,
    TOKEN_IDENTIFIER,
    TOKEN_NUMBER,
    TOKEN_DURATION,
    TOKEN_STRING,
    TOKEN_OPERATOR,  /* of two sides */
    TOKEN_AGGREGATE, /* sum, topk ... */
    TOKEN_KEYWORD,   /* by, on, offset ... : token.keyword */
    TOKEN_MARK,      /* ( ) { } [ ] , : @ = =~ !~ : token.mark */
};

enum keyword {
    WORD_NONE,
    WORD_BY,
    WORD_WITHOUT,
    WORD_ON,
    WORD_IGNORING,
    WORD_GROUP_LEFT,
    WORD_GROUP_RIGHT,
    WORD_BOOL,
    WORD_OFFSET,
    WORD_START,
    WORD_END,
};

enum { MARK_REGEX = 'r', MARK_NOT_REGEX = 'n' }; /* =~ and !~ */

struct token {
    enum token_kind kind;
    enum keyword keyword;
    enum operator op;
    char mark;
    struct str text; /* as written */
    size_t at;
};

struct lexer {
    struct str text;
    size_t at;
    int parens;
    bool braces, brackets;
    struct err *err; /* written once */
    bool failed;
};

/* False: a mistake, which err tells. */
bool lex_next(struct lexer *x, struct token *out);

/* Records "line:column: parse error: ..." unless something is recorded. */
void lex_fail(struct lexer *x, size_t at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* identifier "up", <op:+>, number "4": a token in an error's words. */
void token_describe(const struct token *t, struct buf *out);

/* The text of a string token without its quotes and escapes, appended. False:
 * an escape that does not exist; *at is its byte in the token. */
bool string_unquote(struct str quoted, struct buf *out, size_t *at);

#endif
