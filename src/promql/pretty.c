/* pretty.c - a tree as text on several lines: what is longer than a line is
 * split at its operator or its parentheses, and the parts are moved to the
 * right. As Prometheus' format_query does it. */
#include "promql/function.h"
#include "promql/print.h"

enum { LINE_MAX_CHARS = 100 };

static void put(const struct node *n, unsigned level, struct buf *out);

static void indent(unsigned level, struct buf *out)
{
    for (unsigned i = 0; i < level; i++)
        buf_puts(out, "  ");
}

static bool is_long(const struct node *n)
{
    struct buf b;

    buf_init(&b, LINE_MAX_CHARS);
    promql_print(n, &b);
    bool is = b.failed;
    buf_fini(&b);
    return is;
}

static void put_arguments(struct node *const *args, size_t n, unsigned level,
                          struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i ? ",\n" : "");
        put(args[i], level, out);
    }
}

/* Behind what stands before the parenthesis. */
static void put_within(struct node *const *args, size_t n, unsigned level,
                       struct buf *out)
{
    buf_puts(out, "(\n");
    put_arguments(args, n, level + 1, out);
    buf_putc(out, '\n');
    indent(level, out);
    buf_putc(out, ')');
}

static void put_aggregate(const struct aggregate *a, unsigned level,
                          struct buf *out)
{
    struct node *args[] = {a->param, a->of};

    print_aggregator(a, out);
    put_within(a->param ? args : args + 1, a->param ? 2 : 1, level, out);
}

static void put_binary(const struct binary *b, unsigned level, struct buf *out)
{
    put(b->left, level + 1, out);
    buf_putc(out, '\n');
    indent(level, out);
    print_operator(b, out);
    buf_putc(out, '\n');
    put(b->right, level + 1, out);
}

/* The sign stands where the indent of what it belongs to would end. */
static void put_unary(const struct node *n, unsigned level, struct buf *out)
{
    struct buf inner;

    buf_init(&inner, out->max);
    put(n->u.inner.of, level, &inner);
    indent(level, out);
    buf_putc(out, n->u.inner.minus ? '-' : '+');
    size_t skip = 0;
    while (skip < inner.n && inner.p[skip] == ' ')
        skip++;
    buf_put(out, str_slice(buf_str(&inner), skip, inner.n));
    out->failed = out->failed || inner.failed;
    buf_fini(&inner);
}

static void put_split(const struct node *n, unsigned level, struct buf *out)
{
    switch (n->kind) {
    case NODE_CALL:
        indent(level, out);
        buf_puts(out, n->u.call.function->name);
        put_within(n->u.call.args, n->u.call.n, level, out);
        return;
    case NODE_AGGREGATE:
        indent(level, out);
        put_aggregate(&n->u.aggregate, level, out);
        return;
    case NODE_BINARY:
        put_binary(&n->u.binary, level, out);
        return;
    case NODE_PAREN:
        indent(level, out);
        put_within(&n->u.inner.of, 1, level, out);
        return;
    case NODE_SUBQUERY:
        put(n->u.ranged.of, level, out);
        print_range(n, out);
        return;
    case NODE_UNARY:
        put_unary(n, level, out);
        return;
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_SELECTOR:
    case NODE_MATRIX: /* in one piece, however long */
        indent(level, out);
        promql_print(n, out);
        return;
    }
}

static void put(const struct node *n, unsigned level, struct buf *out)
{
    if (n->kind == NODE_UNARY || is_long(n)) {
        put_split(n, level, out);
        return;
    }
    indent(level, out);
    promql_print(n, out);
}

void promql_pretty(const struct node *n, struct buf *out)
{
    put(n, 0, out);
}
