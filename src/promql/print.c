/* print.c - a tree as text on one line, as Prometheus prints it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codec/go_float.h"
#include "promql/function.h"
#include "promql/print.h"
#include "series/duration.h"

static void put_name(const struct str *name, struct buf *out)
{
    if (label_name_is_plain(*name))
        buf_put(out, *name);
    else
        label_quote(out, *name);
}

static void put_names(const struct str *names, size_t n, struct buf *out)
{
    buf_putc(out, '(');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_puts(out, ", ");
        put_name(&names[i], out);
    }
    buf_putc(out, ')');
}

static void put_moment(const struct moment *m, struct buf *out)
{
    if (m->at == AT_TIME)
        buf_printf(
            out, " @ %s%lld.%03lld", m->at_time < 0 ? "-" : "",
            (long long)(m->at_time < 0 ? -m->at_time : m->at_time) / 1000,
            (long long)(m->at_time < 0 ? -m->at_time : m->at_time) % 1000);
    else if (m->at)
        buf_puts(out, m->at == AT_START ? " @ start()" : " @ end()");
    if (m->offset) {
        buf_puts(out, " offset ");
        duration_print(out, m->offset);
    }
}

/* {"a metric", job="x"} */
static bool is_quoted_metric(const struct matcher *m)
{
    return str_eq(m->name, LABEL_NAME) && m->op == MATCH_EQUAL &&
           !metric_name_is_plain(m->value);
}

static void put_matcher(const struct matcher *m, struct buf *out)
{
    if (!is_quoted_metric(m)) {
        put_name(&m->name, out);
        buf_puts(out, match_op_text(m->op));
    }
    label_quote(out, m->value);
}

static int by_text(const void *a, const void *b)
{
    struct buf x, y;

    if (is_quoted_metric(a) != is_quoted_metric(b))
        return is_quoted_metric(a) ? -1 : 1;
    buf_init(&x, PROMQL_MAX_BYTES);
    buf_init(&y, PROMQL_MAX_BYTES);
    put_matcher(a, &x);
    put_matcher(b, &y);
    int order = str_compare(buf_str(&x), buf_str(&y));
    buf_fini(&x);
    buf_fini(&y);
    return order;
}

/* In the order of their text, as Prometheus writes them. */
static void put_matchers(const struct selector *s, struct buf *out)
{
    size_t named = s->name.n ? 1 : 0;
    size_t n = s->n - named;

    buf_put(out, s->name);
    if (!n)
        return;
    struct matcher *m = calloc(n, sizeof *m);
    if (!m) {
        out->failed = true;
        return;
    }
    memcpy(m, s->m + named, n * sizeof *m);
    qsort(m, n, sizeof *m, by_text);
    buf_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(out, ',');
        put_matcher(&m[i], out);
    }
    buf_putc(out, '}');
    free(m);
}

static void put_range(const struct node *n, struct buf *out)
{
    const struct ranged *r = &n->u.ranged;

    if (n->kind == NODE_MATRIX) {
        put_matchers(&r->of->u.selector, out);
    } else {
        promql_print(r->of, out);
    }
    print_range(n, out);
}

void print_range(const struct node *n, struct buf *out)
{
    const struct ranged *r = &n->u.ranged;

    buf_putc(out, '[');
    duration_print(out, r->range);
    if (n->kind == NODE_SUBQUERY) {
        buf_putc(out, ':');
        if (r->step)
            duration_print(out, r->step);
    }
    buf_putc(out, ']');
    put_moment(&r->moment, out);
}

static void put_call(const struct call *c, struct buf *out)
{
    buf_printf(out, "%s(", c->function->name);
    for (size_t i = 0; i < c->n; i++) {
        if (i)
            buf_puts(out, ", ");
        promql_print(c->args[i], out);
    }
    buf_putc(out, ')');
}

void print_aggregator(const struct aggregate *a, struct buf *out)
{
    buf_puts(out, operator_text(a->op));
    if (a->without || a->n) {
        buf_puts(out, a->without ? " without " : " by ");
        put_names(a->labels, a->n, out);
        buf_putc(out, ' ');
    }
}

static void put_aggregate(const struct aggregate *a, struct buf *out)
{
    print_aggregator(a, out);
    buf_putc(out, '(');
    if (a->param) {
        promql_print(a->param, out);
        buf_puts(out, ", ");
    }
    promql_print(a->of, out);
    buf_putc(out, ')');
}

void print_operator(const struct binary *b, struct buf *out)
{
    const struct matching *m = &b->matching;

    buf_printf(out, "%s%s", operator_text(b->op),
               b->returns_bool ? " bool" : "");
    if (m->given && (m->on || m->n_labels)) {
        buf_puts(out, m->on ? " on " : " ignoring ");
        put_names(m->labels, m->n_labels, out);
    }
    if (m->card == MANY_TO_ONE || m->card == ONE_TO_MANY) {
        buf_puts(out,
                 m->card == MANY_TO_ONE ? " group_left " : " group_right ");
        put_names(m->include, m->n_include, out);
    }
}

static void put_binary(const struct binary *b, struct buf *out)
{
    promql_print(b->left, out);
    buf_putc(out, ' ');
    print_operator(b, out);
    buf_putc(out, ' ');
    promql_print(b->right, out);
}

void promql_print(const struct node *n, struct buf *out)
{
    char text[GO_FLOAT_MAX];

    if (out->failed)
        return; /* what is deep takes long */
    switch (n->kind) {
    case NODE_NUMBER:
        buf_put(out, (struct str){text, go_float(text, 'f', n->u.number)});
        break;
    case NODE_STRING:
        label_quote(out, n->u.text);
        break;
    case NODE_SELECTOR:
        put_matchers(&n->u.selector, out);
        put_moment(&n->u.selector.moment, out);
        break;
    case NODE_MATRIX:
    case NODE_SUBQUERY:
        put_range(n, out);
        break;
    case NODE_CALL:
        put_call(&n->u.call, out);
        break;
    case NODE_AGGREGATE:
        put_aggregate(&n->u.aggregate, out);
        break;
    case NODE_BINARY:
        put_binary(&n->u.binary, out);
        break;
    case NODE_UNARY:
        buf_putc(out, n->u.inner.minus ? '-' : '+');
        promql_print(n->u.inner.of, out);
        break;
    case NODE_PAREN:
        buf_putc(out, '(');
        promql_print(n->u.inner.of, out);
        buf_putc(out, ')');
        break;
    }
}
