/* template_parser.h - a template while it is read. */
#ifndef ALERT_TEMPLATE_PARSER_H
#define ALERT_TEMPLATE_PARSER_H

#include "alert/template_internal.h"

enum { MAX_DEPTH = 50, MAX_VARIABLES = 100 };

struct parser {
    struct str in;
    size_t at;
    bool trims; /* the text ahead loses its spaces */
    struct arena *arena;
    struct err *err;
    unsigned depth;
    struct str variables[MAX_VARIABLES]; /* that may be named here */
    size_t n_variables, n_known;         /* those that every template has */
    const char *const *fields; /* names that the dot at the start has */
    struct template_set *set;  /* NULL: no define, no template */
};

/* "line:column: what", as the error; at counts from the start of the text. */
enum errc parser_fail(struct parser *p, size_t at, enum errc code,
                      const char *fmt, ...) PRINTF_LIKE(4, 5);
enum errc parser_no_memory(struct parser *p);

#define fail(p, at, ...) parser_fail((p), (at), ERR_INVALID, __VA_ARGS__)

/* ---- words -------------------------------------------------------------- */

static inline char look(const struct parser *p, size_t ahead)
{
    return p->at + ahead < p->in.n ? p->in.p[p->at + ahead] : '\0';
}

static inline bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

static inline void skip_spaces(struct parser *p)
{
    while (is_space(look(p, 0)))
        p->at++;
}

static inline struct str take_word(struct parser *p)
{
    size_t start = p->at;

    while (is_word(look(p, 0)))
        p->at++;
    return str_slice(p->in, start, p->at);
}

/* True at }} or -}}. */
static inline bool at_end(const struct parser *p)
{
    return (look(p, 0) == '}' && look(p, 1) == '}') ||
           (look(p, 0) == '-' && look(p, 1) == '}' && look(p, 2) == '}');
}

/* }} or -}}. */
MUST_CHECK enum errc parser_end(struct parser *p);

/* Commands up to what ends them; with declares also $v := before them. */
MUST_CHECK enum errc parser_pipe(struct parser *p, bool declares,
                                 struct pipe **out);

#endif
