#include "promql/functions.h"

#include <math.h>

bool function_pi(struct eval *e, const struct node *n, double *out)
{
    (void)n;
    for (size_t i = 0; i < e->n; i++)
        out[i] = M_PI;
    return true;
}

bool function_time(struct eval *e, const struct node *n, double *out)
{
    (void)n;
    for (size_t i = 0; i < e->n; i++)
        out[i] = (double)eval_time(e, i) / 1000;
    return true;
}

/* The only element's value; NaN where there is none or more than one. */
struct only {
    struct sink sink;
    size_t n;
    double *out;
    double *seen; /* elements so far, by moment */
};

static bool take_only(struct sink *sink, struct row *row)
{
    struct only *o = (struct only *)sink;

    for (size_t i = 0; i < o->n; i++) {
        if (!has_value(row->v[i]))
            continue;
        o->out[i] = o->seen[i] > 0 ? sample_nan() : row->v[i];
        o->seen[i] = 1;
    }
    return true;
}

bool function_scalar(struct eval *e, const struct node *n, double *out)
{
    struct only o = {{take_only}, e->n, out, eval_values(e)};

    if (!o.seen)
        return false;
    for (size_t i = 0; i < e->n; i++) {
        out[i] = sample_nan();
        o.seen[i] = 0;
    }
    return eval_vector(e, n->u.call.args[0], &o.sink);
}
