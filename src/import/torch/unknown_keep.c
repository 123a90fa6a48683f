/* Unknown values from one interpretation to the next: each has memory of its
 * own, which goes with it. */
#include "import/torch/unknowns_internal.h"

enum { MAX_DEPTH = 6 };

static struct val *copy_items(struct py *py, const struct val *v, int depth)
{
    struct val *out = py_list(py, v->kind, v->as.items.n);

    for (size_t i = 0; out && i < v->as.items.n; i++) {
        struct val *m = unknown_copy(py, v->as.items.v[i], depth + 1);
        if (!m || !py_append(py, out, m))
            return NULL;
    }
    return out;
}

static struct val *copy_dict(struct py *py, const struct val *v, int depth)
{
    struct val *out = py_dict(py);

    for (size_t i = 0; out && i < v->as.dict->n; i++) {
        const struct entry *e = &v->as.dict->entries[i];
        struct val *key = e->key ? unknown_copy(py, e->key, depth + 1) : NULL;
        struct val *m = key ? unknown_copy(py, e->value, depth + 1) : NULL;
        if (e->key && (!m || !table_put(py, out->as.dict, key, m)))
            return NULL;
    }
    return out;
}

struct val *unknown_copy(struct py *py, const struct val *v, int depth)
{
    char *text;

    switch ((int)v->kind) {
    case VAL_NONE:
        return &py->none;
    case VAL_BOOL:
        return py_bool(py, v->as.boolean);
    case VAL_INT:
        return py_int(py, v->as.whole);
    case VAL_FLOAT:
        return py_float(py, v->as.number);
    case VAL_STR:
    case VAL_SPACE:
    case VAL_UNKNOWN: {
        struct val *out = py_new(py, v->kind);
        text = out ? arena_cstr(py->arena, v->as.text) : NULL;
        if (!text)
            return NULL;
        out->as.text = (struct str){text, v->as.text.n};
        return out;
    }
    case VAL_LIST:
    case VAL_TUPLE:
        return depth < MAX_DEPTH ? copy_items(py, v, depth) : NULL;
    case VAL_DICT:
        return depth < MAX_DEPTH ? copy_dict(py, v, depth) : NULL;
    default:
        return NULL;
    }
}

static void keep_options(struct unknown *u, struct py *py)
{
    size_t n = u->n_kept;

    for (size_t i = u->n_kept; i < u->n_options; i++) {
        struct val *v = unknown_copy(py, u->options[i], 0);
        if (v)
            u->options[n++] = v;
    }
    u->n_options = u->n_kept = n;
}

void unknowns_keep(struct unknowns *all, struct py *py)
{
    for (size_t i = 0; i < all->n; i++) {
        struct unknown *u = &all->list[i];
        if (i >= all->n_kept) {
            char *path = arena_cstr(py->arena, u->path);
            u->path = path ? str_from_cstr(path) : STR("?");
            u->usual = u->usual ? unknown_copy(py, u->usual, 0) : NULL;
        }
        keep_options(u, py);
        if (u->value && u->value != u->kept) {
            u->value = unknown_copy(py, u->value, 0);
            u->kept = u->value;
        }
    }
    all->n_kept = all->n;
}
