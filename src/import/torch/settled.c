/* Do the weights say it all? Where another value fits as well and makes another
 * model, a person is asked: a guess would be a wrong answer. */
#include <stdio.h>
#include <string.h>

#include "import/torch/solve_internal.h"

static bool ask(struct solver *s, const struct candidate *c, struct str path)
{
    const char *in = path.n ? memmem(path.p, path.n, "' in ", 5) : NULL;
    int n = (int)(path.n < 40 ? path.n : 40);

    if (in) { /* "'pool' in config": the record is what is asked for */
        struct str record = str_slice(path, (size_t)(in - path.p) + 5, path.n);
        (void)snprintf(s->open_question, sizeof(s->open_question),
                       "%.*s fits, but whether %.*s is not shown by the "
                       "weights: give --init '{\"%.*s\": {...}}'",
                       (int)(c->name.n < 60 ? c->name.n : 60), c->name.p, n,
                       path.p, (int)(record.n < 40 ? record.n : 40), record.p);
        return false;
    }

    (void)snprintf(s->open_question, sizeof(s->open_question),
                   "%.*s fits, but its argument '%.*s' is not shown by the "
                   "weights: give --init '{\"%.*s\": ...}'",
                   (int)(c->name.n < 60 ? c->name.n : 60), c->name.p, n, path.p,
                   n, path.p);
    return false;
}

/* Does another value fit as well, and is what it makes another? A difference
 * that only shows in the call is found there (unknown_settle). */
static bool is_free(struct solver *s, struct candidate *c, struct unknown *u)
{
    struct unknown kept = *u;
    struct outcome o;
    bool other = false;
    int64_t v;

    (void)solver_attempt(s, c, WANTS_STATE, &o);
    uint64_t state = o.state;
    bool number = py_to_int(u->value, &v) && u->kind != UNKNOWN_CHOICE;
    size_t n = number ? 2 : u->kind == UNKNOWN_CHOICE ? kept.n_options : 0;
    for (size_t i = 0; i < n && !other; i++) {
        u->value = !number  ? kept.options[i]
                   : i == 0 ? py_int(&s->t.py, v + 1)
                            : py_int(&s->t.py, v * 2 + 2);
        if (!number && py_equal(kept.options[i], kept.value))
            continue;
        if (!solver_attempt(s, c, WANTS_STATE, &o))
            continue;
        kept.doubtful = true;
        kept.alike[i] = !number;
        other = o.state != state;
    }
    *u = kept;
    return other;
}

static bool was_counted(const struct unknown *u, int64_t *v)
{
    return u->kind == UNKNOWN_COUNT && !u->known && u->value &&
           py_to_int(u->value, v) && *v > 0 &&
           !(u->usual && py_equal(u->usual, u->value));
}

/* 4 blocks of 2 layers have the weights of 2 blocks of 4. Two counts that are
 * not the usual ones: does another pair with the same product fit? */
static bool is_free_pair(struct solver *s, struct candidate *c,
                         struct unknown *u, struct unknown *w)
{
    struct val *kept[2] = {u->value, w->value};
    struct outcome o;
    bool other = false;
    int64_t a, b;

    if (!was_counted(u, &a) || !was_counted(w, &b))
        return false;
    (void)solver_attempt(s, c, WANTS_STATE, &o);
    uint64_t state = o.state;
    for (int64_t v = 1; v <= a * b && v <= MAX_COUNT && !other; v++) {
        if (a * b % v || v == a)
            continue;
        u->value = py_int(&s->t.py, v);
        w->value = py_int(&s->t.py, a * b / v);
        other = solver_attempt(s, c, WANTS_STATE, &o) && o.state != state;
    }
    u->value = kept[0];
    w->value = kept[1];
    return other;
}

/* Numbers that nothing shows may still have to please an assertion. */
static bool fits_strictly(struct solver *s, struct candidate *c,
                          const bool *of_no_account)
{
    static const int64_t values[] = {1, 32, 224, 7, 16, 8, 512};
    struct outcome o;

    s->lax = false;
    for (size_t i = 0; i < COUNT(values); i++) {
        bool any = false;
        for (size_t k = 0; k < c->solved->n; k++)
            if (of_no_account[k]) {
                c->solved->list[k].value = py_int(&s->t.py, values[i]);
                any = true;
            }
        if (solver_attempt(s, c, 0, &o))
            return true;
        if (!any)
            return false;
    }
    return false;
}

/* What must be given, and of which other values would fit as well: the weights
 * do not say what it was, and a guess would be a wrong answer. */
bool solver_settled(struct solver *s, struct candidate *c)
{
    struct unknowns *all = c->solved;
    bool of_no_account[MAX_UNKNOWNS] = {false};

    for (size_t i = 0; i < all->n; i++) {
        struct unknown *u = &all->list[i];
        if (u->known || !u->value || u->kind == UNKNOWN_LENGTH)
            continue;
        if (u->usual) {
            u->value = u->kind == UNKNOWN_NUMBER ? u->usual : u->value;
            continue;
        }
        if (!unknown_is_idle(u->path) && is_free(s, c, u)) {
            solver_note_handed(s, c, u->path);
            return ask(s, c, u->path);
        }
        of_no_account[i] = u->kind == UNKNOWN_NUMBER;
    }
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = i + 1; k < all->n; k++)
            if (is_free_pair(s, c, &all->list[i], &all->list[k]))
                return ask(s, c, all->list[i].path);
    return fits_strictly(s, c, of_no_account);
}
