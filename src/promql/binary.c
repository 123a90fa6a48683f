/* binary.c - operators between a vector and a scalar, and the sets.
 *
 * https://prometheus.io/docs/prometheus/latest/querying/operators/ */
#include "promql/binary.h"

#include <math.h>
#include <string.h>

static double add(double a, double b)
{
    return a + b;
}

static double subtract(double a, double b)
{
    return a - b;
}

static double multiply(double a, double b)
{
    return a * b;
}

static double divide(double a, double b)
{
    return a / b;
}

static bool holds(enum operator op, double a, double b)
{
    if (op == OP_EQUAL)
        return a == b;
    if (op == OP_NOT_EQUAL)
        return a != b;
    if (op == OP_LESS)
        return a < b;
    if (op == OP_LESS_EQUAL)
        return a <= b;
    return op == OP_MORE ? a > b : a >= b;
}

double operator_apply(enum operator op, bool returns_bool, double a, double b)
{
    static double (*const arithmetic[])(double, double) = {
        [OP_ADD] = add,           [OP_SUBTRACT] = subtract,
        [OP_MULTIPLY] = multiply, [OP_DIVIDE] = divide,
        [OP_MODULO] = fmod,       [OP_ATAN2] = atan2,
        [OP_POWER] = pow,
    };

    if (operator_kind(op) == OP_ARITHMETIC)
        return sample_plain(arithmetic[op](a, b));
    bool yes = holds(op, a, b);
    if (returns_bool)
        return yes ? 1 : 0;
    return yes ? a : NO_VALUE;
}

/* ---- a vector and a scalar ---------------------------------------------- */

struct scaler {
    struct sink sink;
    struct eval *e;
    struct sink *out;
    const struct binary *b;
    bool scalar_left;
    const double *scalar;
};

static double scale(const struct scaler *s, double v, double scalar)
{
    double a = s->scalar_left ? scalar : v, b = s->scalar_left ? v : scalar;
    double result = operator_apply(s->b->op, s->b->returns_bool, a, b);

    /* A comparison lets the vector's value through, on whichever side. */
    if (operator_kind(s->b->op) == OP_COMPARE && !s->b->returns_bool)
        return has_value(result) ? v : NO_VALUE;
    return result;
}

static bool push_scaled(struct sink *sink, struct row *row)
{
    struct scaler *s = (struct scaler *)sink;
    bool any = false;

    for (size_t i = 0; i < s->e->n; i++) {
        if (has_value(row->v[i]))
            row->v[i] = scale(s, row->v[i], s->scalar[i]);
        any = any || has_value(row->v[i]);
    }
    if (!any)
        return true;
    if (binary_drops_name(s->e->q, s->b) && !eval_unname(s->e, row))
        return false;
    return s->out->push(s->out, row);
}

static bool eval_scaled(struct eval *e, const struct node *n, struct sink *out)
{
    const struct binary *b = &n->u.binary;
    bool left = b->left->type == PROMQL_SCALAR;
    const struct node *of = left ? b->right : b->left;
    double *scalar = eval_values(e);
    struct rows rows;
    struct scaler s = {{push_scaled}, e, out, b, left, scalar};

    if (!scalar || !eval_scalar(e, left ? b->left : b->right, scalar))
        return false;
    if (!binary_drops_name(e->q, b))
        return eval_vector(e, of, &s.sink);
    s.out = rows_unnamed(&rows, e, of, out);
    return eval_vector(e, of, &s.sink) && rows_push(&rows, out);
}

/* ---- sets --------------------------------------------------------------- */

/* Moments at which an element with these matching labels is there: 1. */
static bool note_presence(struct eval *e, const struct binary *b,
                          const struct rows *from, struct rows *out)
{
    struct labels key;

    rows_init(out, e);
    for (size_t i = 0; i < from->n; i++) {
        if (!match_labels(e, &b->matching, from->v[i].labels, &key))
            return false;
        struct row *row = rows_find(out, key, NULL);
        if (!row)
            return false;
        for (size_t k = 0; k < e->n; k++)
            if (has_value(from->v[i].v[k]))
                row->v[k] = 1;
    }
    return true;
}

/* Keeps of each row what is (or is not) there on the other side. */
static bool push_masked(struct eval *e, const struct binary *b,
                        struct rows *from, struct rows *presence, bool there,
                        struct sink *out)
{
    struct labels key;

    for (size_t i = 0; i < from->n; i++) {
        struct row *row = &from->v[i];
        bool any = false;
        if (!match_labels(e, &b->matching, row->labels, &key))
            return false;
        const struct row *other = rows_find(presence, key, NULL);
        if (!other)
            return false;
        for (size_t k = 0; k < e->n; k++) {
            if (has_value(other->v[k]) != there)
                row->v[k] = NO_VALUE;
            any = any || has_value(row->v[k]);
        }
        if (any && !out->push(out, row))
            return false;
    }
    return true;
}

static bool eval_sets(struct eval *e, const struct node *n, struct sink *out)
{
    const struct binary *b = &n->u.binary;
    struct rows left, right, presence;

    if (!rows_take(&left, e, b->left) || !rows_take(&right, e, b->right))
        return false;
    if (b->op == OP_AND || b->op == OP_UNLESS)
        return note_presence(e, b, &right, &presence) &&
               push_masked(e, b, &left, &presence, b->op == OP_AND, out);
    return note_presence(e, b, &left, &presence) && rows_push(&left, out) &&
           push_masked(e, b, &right, &presence, false, out);
}

bool eval_binary(struct eval *e, const struct node *n, struct sink *out)
{
    const struct binary *b = &n->u.binary;

    if (b->left->type == PROMQL_SCALAR || b->right->type == PROMQL_SCALAR)
        return eval_scaled(e, n, out);
    if (operator_kind(b->op) == OP_SET)
        return eval_sets(e, n, out);
    return eval_matched(e, n, out);
}
