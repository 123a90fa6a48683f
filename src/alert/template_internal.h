/* template_internal.h - a template as a tree, and values while it runs. */
#ifndef ALERT_TEMPLATE_INTERNAL_H
#define ALERT_TEMPLATE_INTERNAL_H

#include "alert/template_value.h"

/* ---- the tree ----------------------------------------------------------- */

enum term_kind {
    TERM_DOT,
    TERM_VARIABLE, /* name */
    TERM_NIL,
    TERM_BOOL,
    TERM_INT,
    TERM_FLOAT,
    TERM_TEXT,
    TERM_CALL, /* function, args */
    TERM_PIPE, /* in parentheses: pipe */
};

struct template_function;
struct pipe;

struct term {
    enum term_kind kind;
    unsigned line, column;
    struct str name; /* of a variable; a text */
    int64_t i;
    double f;
    const struct template_function *function;
    const struct pipe *pipe;
    struct str *fields; /* .a.b behind it */
    size_t n_fields;
};

/* A term with arguments: the first one is a call, or it is alone. */
struct command {
    struct term *terms;
    size_t n, cap;
    struct command *next; /* gets the value of this one as last argument */
};

struct pipe {
    struct str variable[2]; /* $i, $v := ; empty: none */
    bool assigns;           /* = and not := */
    struct command *first;
};

enum piece_kind {
    PIECE_TEXT,
    PIECE_PIPE,
    PIECE_IF,
    PIECE_RANGE,
    PIECE_WITH,
    PIECE_CALL /* {{ template "text" pipe }} */
};

struct piece {
    enum piece_kind kind;
    struct str text;
    const struct pipe *pipe;
    struct piece *body, *otherwise;
    struct piece *next;
};

struct template
{
    struct piece *first;
};

struct template_named {
    const struct template_named *next; /* older; the newest of a name counts */
    struct str name;
    struct template body;
};

/* NULL: there is none of that name. */
const struct template_named *template_find(const struct template_set *set,
                                           struct str name);

/* ---- functions ---------------------------------------------------------- */

struct template_function {
    const char *name;
    size_t min, max; /* arguments */
    enum errc (*call)(struct run *r, const struct value *args, size_t n,
                      struct value *out);
};

/* NULL: there is no such function. */
const struct template_function *template_function(struct str name);

/* "1:5: executing ...: what", with the place of what is computed. */
enum errc template_fail(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

bool value_is_true(const struct value *v);
const char *value_type(const struct value *v);

/* How many items a value has; false: it is no list. */
bool value_count(const struct value *of, size_t *n);

/* One of them, with its key: a number, or a label's name. */
void value_item(const struct value *of, size_t i, struct value *key,
                struct value *item);

/* As fmt.Print does. */
void value_print(struct buf *out, const struct value *v);

/* The text of a value in the arena. */
MUST_CHECK enum errc value_text(struct run *r, const struct value *v,
                                struct str *out);

/* A text value of what is in b, which is released. */
enum errc value_from_buf(struct run *r, struct buf *b, struct value *out);

/* ---- template_print.c --------------------------------------------------- */

enum errc template_printf(struct run *r, const struct value *args, size_t n,
                          struct value *out);
void humanize(struct buf *out, double v);
void humanize1024(struct buf *out, double v);
void humanize_duration(struct buf *out, double v);

#endif
