/* template_value.h - values while a template runs, for who makes some. */
#ifndef ALERT_TEMPLATE_VALUE_H
#define ALERT_TEMPLATE_VALUE_H

#include "alert/template.h"

enum value_kind {
    VALUE_NIL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_TEXT,
    VALUE_LABELS,
    VALUE_SAMPLE, /* one of a vector */
    VALUE_VECTOR,
    VALUE_DATA,   /* the dot at the start */
    VALUE_PAIRS,  /* what args() makes: arg0, arg1 ... */
    VALUE_OBJECT, /* of a type that somebody else made */
    VALUE_TEXTS   /* a list of them */
};

struct value {
    enum value_kind kind;
    bool b;
    int64_t i;
    double f;
    struct str text;
    struct labels labels;
    const struct promql_series *v; /* a sample, or n of them */
    const struct value *pairs;
    const struct template_type *type;
    const void *object;
    const struct str *texts;
    size_t n;
};

/* A text that is not there is an empty one. */
static inline struct value value_of_text(struct str s)
{
    return (struct value){.kind = VALUE_TEXT, .text = s.p ? s : STR("")};
}

static inline struct value value_of_int(int64_t v)
{
    return (struct value){.kind = VALUE_INT, .i = v};
}

static inline struct value value_of_float(double v)
{
    return (struct value){.kind = VALUE_FLOAT, .f = v};
}

struct run {
    const struct template_data *data;
    struct arena arena;
    struct err *err;
    struct buf *out;
    unsigned line, column; /* of what is being computed */
};

struct template_type {
    const char *name; /* for messages */
    /* False: it has no such field. What is made lies in the run's arena. */
    bool (*field)(struct run *r, const void *self, struct str name,
                  struct value *out);
    size_t (*count)(const void *self); /* NULL: it is no list */
    void (*item)(const void *self, size_t i, struct value *out);
    /* What has arguments; false: not with these. NULL: there is nothing. */
    bool (*method)(struct run *r, const void *self, struct str name,
                   const struct value *args, size_t n, struct value *out);
    void (*print)(struct buf *out, const void *self); /* NULL: <name> */
};

/* A moment, in ms since 1970, with Go's methods for it. False: out of memory.
 */
bool template_time(struct run *r, int64_t ms, struct value *out);

#endif
