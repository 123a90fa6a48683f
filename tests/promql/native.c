#include "promql/native.h"

void native_init(struct native_names *n)
{
    *n = (struct native_names){0};
    buf_init(&n->names, 1 << 20);
}

void native_fini(struct native_names *n)
{
    buf_fini(&n->names);
}

void native_clear(struct native_names *n)
{
    buf_clear(&n->names);
    n->classic = false;
}

void native_add(struct native_names *n, struct labels l)
{
    struct str name = labels_get(l, LABEL_NAME);

    if (n->classic && str_ends(name, STR("_bucket")))
        name = str_slice(name, 0, name.n - 7);
    buf_putc(&n->names, '\n');
    buf_put(&n->names, name);
}

static bool selects(const struct native_names *n, const struct selector *s)
{
    struct str names = buf_str(&n->names);
    bool any = false;

    (void)str_cut(&names, '\n'); /* what is in front of the first */
    while (names.p) {
        struct str name = str_cut(&names, '\n');
        bool fits = true;
        for (size_t i = 0; i < s->n; i++)
            if (str_eq(s->m[i].name, LABEL_NAME))
                fits = fits && matcher_test(&s->m[i], name) == REGEX_YES;
        any = any || fits;
    }
    return any;
}

static bool looks_at(const struct native_names *n, const struct node *x)
{
    bool any = false;

    switch (x->kind) {
    case NODE_SELECTOR:
        return selects(n, &x->u.selector);
    case NODE_MATRIX:
    case NODE_SUBQUERY:
        return looks_at(n, x->u.ranged.of);
    case NODE_CALL:
        for (size_t i = 0; i < x->u.call.n; i++)
            any = any || looks_at(n, x->u.call.args[i]);
        return any;
    case NODE_AGGREGATE:
        return looks_at(n, x->u.aggregate.of) ||
               (x->u.aggregate.param && looks_at(n, x->u.aggregate.param));
    case NODE_BINARY:
        return looks_at(n, x->u.binary.left) || looks_at(n, x->u.binary.right);
    case NODE_UNARY:
    case NODE_PAREN:
        return looks_at(n, x->u.inner.of);
    case NODE_NUMBER:
    case NODE_STRING:
        break;
    }
    return false;
}

bool native_needed(const struct native_names *n, struct str query)
{
    struct promql_expr *x;

    if (n->names.n == 0 || promql_parse(query, &x, NULL))
        return false;
    bool needed = looks_at(n, x->root);
    promql_free(x);
    return needed;
}
