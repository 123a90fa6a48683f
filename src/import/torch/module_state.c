/* What of a module a run could depend on, as one number: two constructions that
 * give the same number compute the same. */
#include <string.h>

#include "import/torch/solve_internal.h"

enum { MAX_DEPTH = 24, MAX_VALUES = 200000 };

struct walk {
    uint64_t sum;
    size_t n;
};

static void mix(struct walk *w, const void *p, size_t n)
{
    const unsigned char *c = p;

    for (size_t i = 0; i < n; i++)
        w->sum = (w->sum ^ c[i]) * UINT64_C(1099511628211);
}

/* What a parameter holds before it has its weights is of no account. */
static void mix_tensor(struct walk *w, const struct ten *x, bool parameter)
{
    size_t size = dtype_size(x->type) * (size_t)ten_count(x);

    mix(w, &x->type, sizeof(x->type));
    mix(w, x->shape.dim, (size_t)x->shape.rank * sizeof(x->shape.dim[0]));
    if (x->data && !x->meta && !parameter && size < 1 << 20)
        mix(w, x->data, size);
}

static void visit(struct walk *w, const struct val *v, int depth);

static void mix_table(struct walk *w, const struct table *t, int depth)
{
    for (size_t i = 0; t && i < t->n; i++) {
        if (!t->entries[i].key)
            continue;
        visit(w, t->entries[i].key, depth + 1);
        visit(w, t->entries[i].value, depth + 1);
    }
}

static void visit(struct walk *w, const struct val *v, int depth)
{
    mix(w, &v->kind, sizeof(v->kind));
    if (depth > MAX_DEPTH || w->n++ > MAX_VALUES)
        return;
    switch (v->kind) {
    case VAL_BOOL:
        mix(w, &v->as.boolean, sizeof(v->as.boolean));
        break;
    case VAL_INT:
    case VAL_FLOAT:
        mix(w, &v->as.whole, sizeof(v->as.whole));
        break;
    case VAL_STR:
    case VAL_SPACE:
    case VAL_UNKNOWN:
        mix(w, v->as.text.p, v->as.text.n);
        break;
    case VAL_LIST:
    case VAL_TUPLE:
    case VAL_SET:
    case VAL_SLICE:
        for (size_t i = 0; i < v->as.items.n; i++)
            visit(w, v->as.items.v[i], depth + 1);
        break;
    case VAL_DICT:
        mix_table(w, v->as.dict, depth);
        break;
    case VAL_FUNCTION:
        mix(w, &v->as.function->body, sizeof(v->as.function->body));
        break;
    case VAL_CLASS:
        mix(w, v->as.klass->name.p, v->as.klass->name.n);
        break;
    case VAL_OBJECT:
        mix(w, v->as.object.klass->name.p, v->as.object.klass->name.n);
        mix_table(w, v->as.object.attrs, depth);
        break;
    case VAL_HOST:
        mix_tensor(w, ten_of(v), v->mark == 'p');
        break;
    case VAL_NONE:
    case VAL_ELLIPSIS:
    case VAL_BOUND:
    case VAL_BUILTIN:
    case VAL_SUPER:
    case VAL_PROPERTY:
    case VAL_STATIC:
    case VAL_CLASSMETHOD:
        break;
    }
}

uint64_t module_state(const struct val *module)
{
    struct walk w = {.sum = UINT64_C(14695981039346656037)};

    visit(&w, module, 0);
    return w.sum;
}
