/* Finding what a candidate's source leaves open (unknowns.h): markers are read
 * from shapes (attempt.c); counts, flags, words and lengths are tried one after
 * the other, and what brings the names and shapes nearer is kept. */
#include <string.h>

#include "import/torch/solve_internal.h"

enum {
    MAX_ROUNDS = 4,
    /* of one candidate, and of all */
    ONE_TRIES = 300,
    ALL_TRIES = 900,
    ONE_STEPS = 10 * 1000 * 1000,
    ALL_STEPS = 50 * 1000 * 1000,
};

/* ---- trying -------------------------------------------------------------- */

/* How far an attempt is from the weights; less is better. */
struct distance {
    size_t names, shapes;
    size_t named; /* names that agree */
    bool foreign; /* it has weights, and none of its parts is in the file */
};

static struct distance distance_of(const struct solver *s,
                                   const struct outcome *o)
{
    size_t all = s->p->weights.n;

    if (!o->made)
        return (struct distance){SIZE_MAX, SIZE_MAX, 0, false};
    return (struct distance){(o->fit.expected - o->fit.named) +
                                 (all > o->fit.named ? all - o->fit.named : 0),
                             o->fit.n_differences, o->fit.named,
                             o->fit.expected > 0 && !o->fit.related};
}

static bool nearer(struct distance a, struct distance b)
{
    return a.names != b.names ? a.names < b.names : a.shapes < b.shapes;
}

/* An attempt with what its shapes tell, until they tell nothing new. */
static bool attempt_and_read(struct solver *s, struct candidate *c,
                             struct distance *out)
{
    struct outcome o;

    for (int round = 0; round < MAX_ROUNDS; round++) {
        (void)solver_attempt(s, c, WANTS_EVIDENCE, &o);
        *out = distance_of(s, &o);
        if (o.fits)
            return true;
        if (!o.told)
            return false;
    }
    return false;
}

/* What shapes of another structure told may be wrong in this one. */
static void forget_shapes(struct solver *s, struct unknowns *all)
{
    for (size_t i = 0; i < all->n; i++) {
        struct unknown *u = &all->list[i];
        if (!u->from_shape || !u->marker)
            continue;
        u->known = u->from_shape = false;
        u->value = py_int(&s->t.py, u->marker);
    }
}

/* One unknown after the other: of its values the one that comes nearest. */
static bool try_values(struct solver *s, struct candidate *c, size_t i,
                       struct distance *best)
{
    struct unknowns *all = c->solved;
    struct unknowns *kept = arena_new(s->p->arena, struct unknowns, 1);
    struct unknowns *start = arena_new(s->p->arena, struct unknowns, 1);

    if (!kept || !start)
        return false;
    *kept = *start = *all;
    for (size_t k = 0; s->tries < s->max_tries; k++) {
        struct distance now;
        /* Options are met while others are tried: they are kept. */
        struct unknown u = all->list[i];
        *all = *start;
        memcpy(all->list[i].options, u.options, sizeof(u.options));
        all->list[i].n_options = u.n_options;
        all->list[i].n_kept = u.n_kept;
        forget_shapes(s, all);
        if (!unknown_option(&s->t, &all->list[i], k))
            break;
        if (attempt_and_read(s, c, &now))
            return true;
        if (nearer(now, *best)) {
            *best = now;
            *kept = *all;
        }
    }
    *all = *kept;
    return false;
}

static bool try_kind(struct solver *s, struct candidate *c,
                     enum unknown_kind kind, bool usual, struct distance *best)
{
    for (size_t i = 0; i < c->solved->n; i++) {
        const struct unknown *u = &c->solved->list[i];
        if (!u->known && u->value && u->kind == kind &&
            (u->usual != NULL) == usual && try_values(s, c, i, best))
            return true;
    }
    return false;
}

/* Those without a default first, and those with few values. */
static bool try_all(struct solver *s, struct candidate *c,
                    struct distance *best)
{
    static const enum unknown_kind order[] = {UNKNOWN_CHOICE, UNKNOWN_LENGTH,
                                              UNKNOWN_COUNT};

    for (int round = 0; round < MAX_ROUNDS; round++) {
        struct distance before = *best;
        for (size_t k = 0; k < 2 * COUNT(order); k++)
            if (try_kind(s, c, order[k % COUNT(order)], k >= COUNT(order),
                         best))
                return true;
        if (!nearer(*best, before))
            return false;
    }
    return false;
}

static bool same_list(struct str a, struct str b)
{
    const char *end = memrchr(a.p, '[', a.n);
    size_t n = end ? (size_t)(end - a.p) + 1 : 0;

    return n && b.n >= n && memcmp(a.p, b.p, n) == 0;
}

static bool is_counted(const struct unknown *u)
{
    return u->kind == UNKNOWN_COUNT && !u->known && u->value;
}

/* Elements of one list that only show together: width * height of a board. */
static bool try_equal(struct solver *s, struct candidate *c,
                      struct distance *best)
{
    struct unknowns *all = c->solved;
    struct distance now;

    for (size_t i = 0; i < all->n; i++) {
        struct unknown *u = &all->list[i];
        bool alone = true;
        for (size_t k = i + 1; k < all->n; k++)
            alone = alone && !(is_counted(&all->list[k]) &&
                               same_list(u->path, all->list[k].path));
        if (!is_counted(u) || alone)
            continue;
        struct val *before = u->value;
        /* first what the input has */
        for (int at = 1; at < MAX_COUNT + all->input.rank; at++) {
            int64_t v = at < all->input.rank ? all->input.dim[at]
                                             : at - all->input.rank + 1;
            for (size_t k = i; k < all->n; k++)
                if (is_counted(&all->list[k]) &&
                    same_list(u->path, all->list[k].path))
                    all->list[k].value = py_int(&s->t.py, v);
            if (attempt_and_read(s, c, &now))
                return true;
            if (nearer(now, *best)) {
                *best = now;
                before = u->value;
            }
        }
        for (size_t k = i; k < all->n; k++)
            if (is_counted(&all->list[k]) &&
                same_list(u->path, all->list[k].path))
                all->list[k].value = before;
    }
    return false;
}

/* Numbers that no shape showed: as they usually are, or small. */
static bool unmark(struct solver *s, struct unknowns *all)
{
    bool any = false;

    for (size_t i = 0; i < all->n; i++) {
        struct unknown *u = &all->list[i];
        if (u->kind != UNKNOWN_NUMBER || u->known || !u->marker)
            continue;
        any = true;
        u->marker = 0;
        u->kind = UNKNOWN_COUNT;
        u->value = u->usual ? u->usual : py_int(&s->t.py, 1);
    }
    return any;
}

/* Where the constructor objects to strange numbers: a marker for one argument
 * at a time, the others as they usually are. */
static void one_by_one(struct solver *s, struct candidate *c)
{
    struct unknowns *all = c->solved;
    int64_t marks[MAX_UNKNOWNS];
    size_t n = all->n;
    struct outcome o;

    for (size_t i = 0; i < n; i++) {
        marks[i] = all->list[i].marker;
        if (!marks[i] || all->list[i].known)
            continue;
        all->list[i].marker = 0;
        all->list[i].value =
            all->list[i].usual ? all->list[i].usual : py_int(&s->t.py, 1);
    }
    for (size_t i = 0; i < n; i++) {
        struct unknown *u = &all->list[i];
        struct val *usual = u->value;
        if (!marks[i] || u->known || u->kind != UNKNOWN_NUMBER)
            continue;
        u->marker = marks[i];
        u->value = py_int(&s->t.py, marks[i]);
        (void)solver_attempt(s, c, WANTS_EVIDENCE, &o);
        u->marker = 0;
        if (u->known)
            continue;
        u->value = usual;
        u->kind = UNKNOWN_COUNT;
    }
}

/* ---- solving ------------------------------------------------------------- */

static struct table *copy_table(struct solver *s, const struct table *from)
{
    struct table *out = arena_new(s->p->arena, struct table, 1);

    return out && table_merge(&s->t.py, out, from) ? out : NULL;
}

static bool begin(struct solver *s, struct candidate *c,
                  const struct candidate *base, enum openness open, bool tell)
{
    *c = *base;
    c->given = copy_table(s, base->given);
    c->solved = unknowns_again(&s->t, s->t.unknowns);
    s->t.unknowns = c->solved;
    if (!c->given || !c->solved)
        return false;
    if (tell && !solver_tell_arguments(s, c))
        return false;
    bool arguments = open != OPEN_NONE && !c->site.call && !c->body;
    return !arguments || solver_open_arguments(s, c, open);
}

/* Something is open, and it is not only another model's part. */
static bool is_promising(const struct unknowns *all,
                         const struct distance *best)
{
    bool varies = false;

    for (size_t i = 0; i < all->n; i++)
        varies = varies || (!all->list[i].known && all->list[i].value &&
                            all->list[i].kind != UNKNOWN_NUMBER);
    return all->n > 0 && !best->foreign &&
           (varies || best->names == SIZE_MAX || best->named > 0);
}

static bool solve(struct solver *s, const struct candidate *base,
                  enum openness open, bool tell)
{
    struct candidate c;
    struct distance best;

    if (!begin(s, &c, base, open, tell))
        return false;
    /* One that can be tried for ever must not keep the others from it. */
    s->max_tries =
        s->tries + ONE_TRIES < ALL_TRIES ? s->tries + ONE_TRIES : ALL_TRIES;
    s->max_steps =
        s->steps + ONE_STEPS < ALL_STEPS ? s->steps + ONE_STEPS : ALL_STEPS;
    s->lax = open != OPEN_NONE || c.site.call || c.body;
    bool fits = attempt_and_read(s, &c, &best);
    if (!fits && unknown_doubt(&s->t))
        fits = attempt_and_read(s, &c, &best);
    if (!fits && best.names == SIZE_MAX && c.solved->n > 1) {
        one_by_one(s, &c);
        fits = attempt_and_read(s, &c, &best);
    }
    if (!fits && !is_promising(c.solved, &best))
        return false;
    fits = fits || try_all(s, &c, &best);
    if (!fits && unmark(s, c.solved))
        fits = attempt_and_read(s, &c, &best) || try_all(s, &c, &best) ||
               try_equal(s, &c, &best);
    s->tries = 0;
    s->max_tries = ONE_TRIES;
    s->max_steps = s->steps + ONE_STEPS;
    return fits && solver_settled(s, &c);
}

/* What the checkpoint says of an argument stands before its default. */
bool solver_solve(struct solver *s, const struct candidate *base,
                  enum openness open)
{
    bool arguments = !base->site.call && !base->body;

    return (arguments && solve(s, base, open, true)) ||
           solve(s, base, open, false);
}
