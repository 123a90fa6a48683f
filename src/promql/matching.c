/* matching.c - operators between two vectors: who meets whom.
 *
 * Series with the same matching labels are a match. At each moment one side of
 * it (both, one to one) may have one element only. */
#include <string.h>

#include "promql/binary.h"

bool match_labels(struct eval *e, const struct matching *m, struct labels l,
                  struct labels *out)
{
    *out = labels_grouped(e->q->arena, l, m->labels, m->n_labels, m->on);
    return out->v || eval_no_memory(e->q);
}

bool binary_drops_name(const struct query *q, const struct binary *b)
{
    bool keeps = b->op == OP_ATAN2 && q->how->prometheus2;

    return (operator_kind(b->op) == OP_ARITHMETIC && !keeps) || b->returns_bool;
}

/* A row in the list of its match. */
struct member {
    struct row *row;
    struct member *next;
};

struct match {
    struct member *many, *one, *last_many, *last_one;
};

struct matcher_state {
    struct eval *e;
    const struct binary *b;
    struct rows many, one; /* one: of which there may be one only */
    bool *met;             /* moments at which both sides have elements */
    struct rows keys;      /* by matching labels */
    struct match *matches; /* beside keys.v */
    size_t cap;
    struct rows out;
};

/* ---- finding the matches ------------------------------------------------ */

static bool add_member(struct matcher_state *s, struct row *row, bool one)
{
    struct arena *a = s->e->q->arena;
    struct member *m = arena_new(a, struct member, 1);
    struct labels key;

    if (!m || !match_labels(s->e, &s->b->matching, row->labels, &key))
        return eval_no_memory(s->e->q);
    struct row *at = rows_find(&s->keys, key, NULL);
    if (!at)
        return false;
    if (!eval_grow(s->e->q, &s->matches, s->keys.n - 1, &s->cap,
                   sizeof(*s->matches)))
        return false;
    struct match *match = &s->matches[at - s->keys.v];
    struct member **first = one ? &match->one : &match->many;
    struct member **last = one ? &match->last_one : &match->last_many;
    m->row = row;
    if (*last)
        (*last)->next = m;
    else
        *first = m;
    *last = m;
    return true;
}

static void note_moments(const struct rows *r, bool *there, size_t n)
{
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < n; k++)
            there[k] = there[k] || has_value(r->v[i].v[k]);
}

/* Where one side is empty nothing is compared, and nothing is wrong. */
static bool find_moments(struct matcher_state *s)
{
    size_t n = s->e->n;
    bool *many = arena_new(s->e->q->arena, bool, n);

    s->met = arena_new(s->e->q->arena, bool, n);
    if (!many || !s->met)
        return eval_no_memory(s->e->q);
    note_moments(&s->many, many, n);
    note_moments(&s->one, s->met, n);
    for (size_t k = 0; k < n; k++)
        s->met[k] = s->met[k] && many[k];
    return true;
}

/* ---- errors ------------------------------------------------------------- */

static bool fail_duplicate(struct matcher_state *s, struct labels key,
                           const struct row *a, const struct row *b)
{
    struct buf text;

    buf_init(&text, 2000);
    buf_puts(&text, "found duplicate series for the match group ");
    labels_print(&text, key);
    buf_printf(&text, " on the %s hand-side of the operation: [",
               s->b->matching.card == ONE_TO_MANY ? "left" : "right");
    labels_print(&text, b->labels);
    buf_puts(&text, ", ");
    labels_print(&text, a->labels);
    buf_puts(&text, "];many-to-many matching not allowed: matching labels must "
                    "be unique on one side");
    eval_fail(s->e->q, ERR_INVALID, STR_FMT, STR_ARG(buf_str(&text)));
    buf_fini(&text);
    return false;
}

/* ---- one match ---------------------------------------------------------- */

/* The labels of what comes out of a pair. */
static bool pair_labels(struct matcher_state *s, const struct row *many,
                        const struct row *one, struct labels *out)
{
    const struct matching *m = &s->b->matching;
    struct arena *a = s->e->q->arena;
    struct labels l = many->labels;
    struct labels_builder b;

    bool drops = binary_drops_name(s->e->q, s->b) &&
                 !(s->b->returns_bool && s->e->q->how->late_names);
    if (m->card == ONE_TO_ONE && m->given)
        l = labels_pick(a, l, m->labels, m->n_labels, m->on);
    if (drops && l.v)
        l = labels_unnamed(a, l);
    if (!l.v)
        return eval_no_memory(s->e->q);
    if (!m->n_include) {
        *out = l;
        return true;
    }
    labels_build(&b, a, l);
    for (size_t i = 0; i < m->n_include; i++)
        labels_set(&b, m->include[i], labels_get(one->labels, m->include[i]));
    return labels_built(&b, out) || eval_no_memory(s->e->q);
}

static double apply(const struct matcher_state *s, double many, double one)
{
    bool swapped = s->b->matching.card == ONE_TO_MANY;

    return operator_apply(s->b->op, s->b->returns_bool, swapped ? one : many,
                          swapped ? many : one);
}

static bool put_result(struct matcher_state *s, const struct row *many,
                       const struct row *one, size_t i, double v,
                       struct row **row)
{
    struct labels l;

    if (!*row) {
        if (!pair_labels(s, many, one, &l))
            return false;
        *row = rows_find(&s->out, l, NULL);
        if (!*row)
            return false;
        (*row)->unnamed =
            many->unnamed || (s->b->returns_bool && s->e->q->how->late_names);
    }
    if (has_value((*row)->v[i]))
        return eval_fail(s->e->q, ERR_INVALID,
                         s->b->matching.card == ONE_TO_ONE
                             ? "vector cannot contain metrics with the same "
                               "labelset"
                             : "multiple matches for labels: grouping labels "
                               "must ensure unique matches");
    (*row)->v[i] = v;
    return true;
}

/* One row of the many side against one of the one side. taken: moments at
 * which the one side's element has met another already (one to one). */
static bool pair(struct matcher_state *s, const struct row *many,
                 const struct row *one, bool *taken)
{
    struct row *row = NULL;

    for (size_t i = 0; i < s->e->n; i++) {
        if (!has_value(many->v[i]) || !has_value(one->v[i]))
            continue;
        double v = apply(s, many->v[i], one->v[i]);
        if (!has_value(v))
            continue;
        if (taken && taken[i])
            return eval_fail(
                s->e->q, ERR_INVALID,
                "multiple matches for labels: many-to-one matching "
                "must be explicit (group_left/group_right)");
        if (taken)
            taken[i] = true;
        if (!put_result(s, many, one, i, v, &row))
            return false;
    }
    return true;
}

/* The one side must have one element at each moment that matters. */
static bool check_one(struct matcher_state *s, struct labels key,
                      const struct match *m)
{
    if (!m->one || !m->one->next)
        return true;
    for (size_t i = 0; i < s->e->n; i++) {
        const struct row *first = NULL;
        for (const struct member *o = m->one; o && s->met[i]; o = o->next) {
            if (!has_value(o->row->v[i]))
                continue;
            if (first)
                return fail_duplicate(s, key, first, o->row);
            first = o->row;
        }
    }
    return true;
}

static bool match_all(struct matcher_state *s, const struct match *m,
                      bool *taken)
{
    if (taken)
        memset(taken, 0, s->e->n * sizeof(*taken));
    for (const struct member *many = m->many; many; many = many->next)
        for (const struct member *one = m->one; one; one = one->next)
            if (!pair(s, many->row, one->row, taken))
                return false;
    return eval_goes_on(s->e->q);
}

static bool match_sides(struct matcher_state *s, struct sink *out)
{
    bool one_to_one = s->b->matching.card == ONE_TO_ONE;
    bool *taken = one_to_one ? arena_new(s->e->q->arena, bool, s->e->n) : NULL;

    if (one_to_one && !taken)
        return eval_no_memory(s->e->q);
    for (size_t i = 0; i < s->many.n; i++)
        if (!add_member(s, &s->many.v[i], false))
            return false;
    for (size_t i = 0; i < s->one.n; i++)
        if (!add_member(s, &s->one.v[i], true))
            return false;
    rows_init(&s->out, s->e);
    for (size_t i = 0; i < s->keys.n; i++)
        if (!check_one(s, s->keys.v[i].labels, &s->matches[i]) ||
            !match_all(s, &s->matches[i], taken))
            return false;
    return rows_push(&s->out, out);
}

bool eval_matched(struct eval *e, const struct node *n, struct sink *out)
{
    struct matcher_state s = {.e = e, .b = &n->u.binary};
    bool swapped = s.b->matching.card == ONE_TO_MANY;

    rows_init(&s.keys, e);
    return rows_take(swapped ? &s.one : &s.many, e, s.b->left) &&
           rows_take(swapped ? &s.many : &s.one, e, s.b->right) &&
           find_moments(&s) && match_sides(&s, out);
}
