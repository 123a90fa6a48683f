/* Which dataset is which weight.
 *
 * .h5: a list of dataset names per layer of the outer model. The weights of a
 * nested model stand in one list: those that are trained first, layer by
 * layer, then the others.
 * .keras: a path per layer, made of the class in snake case and a counter.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/keras/keras_internal.h"

enum { PATH_ROOM = 512 };

static struct klayer *after(const struct klayer *root, struct klayer *l)
{
    if (l->children)
        return l->children;
    while (l != root && !l->next)
        l = l->parent;
    return l == root ? NULL : l->next;
}

/* Whether the layer has the weight that the letter stands for. */
static bool has(const struct klayer *l, char letter)
{
    switch (letter) {
    case 'b':
        return k_bool(l, "use_bias", true) && k_bool(l, "bias", true);
    case 'B':
        return k_get(l, "bias_axes") != NULL;
    case 's':
        return k_bool(l, "scale", true);
    case 'c':
        return k_bool(l, "center", true);
    case 'S':
        return k_bool(l, "use_scale", false);
    case 'A':
        return k_bool(l, "use_scale", true);
    case 'N': /* of Normalization: none if the numbers are in the config */
        return !k_get(l, "mean");
    default:
        return true;
    }
}

/* Weights named in the table of classes: the trained ones, or the others. */
static size_t count_of(const struct klayer *l, bool trained)
{
    size_t n = 0;
    bool here = true;

    for (const char *p = l->class_ ? l->class_->weights : ""; *p; p++) {
        if (*p == '|')
            here = false;
        else if (here == trained)
            n += has(l, *p);
    }
    return n;
}

static bool is_trained(const struct klayer *l)
{
    for (; l; l = l->parent)
        if (l->config && !k_bool(l, "trainable", true))
            return false;
    return true;
}

size_t keras_expected(const struct klayer *l, bool frozen_too)
{
    size_t copies =
        l->parent && str_eq(l->parent->class_name, STR("Bidirectional")) ? 2
                                                                         : 1;

    return copies * (count_of(l, true) + (frozen_too ? count_of(l, false) : 0));
}

static bool is_leaf(const struct klayer *l)
{
    return !l->children && !k_is_model(l);
}

static bool give(struct keras *k, struct klayer *l, const struct tensor *from,
                 size_t *used, size_t have, size_t n)
{
    if (n > have - *used)
        return k_fail(k, l, ERR_INVALID,
                      "the file has fewer weights than the layer needs (%zu)",
                      keras_expected(l, true));
    if (n == 0)
        return true;
    if (!l->weights)
        l->weights =
            arena_new(k->arena, struct tensor, keras_expected(l, true) + 1);
    if (!l->weights)
        return k_fail(k, l, ERR_NOMEM, "out of memory");
    memcpy(l->weights + l->n_weights, from + *used, n * sizeof(*from));
    l->n_weights += n;
    *used += n;
    return true;
}

/* How many of the list l takes in that pass: a plain layer all in the first; in
 * a nested model first those that are trained. */
static size_t share_of(const struct klayer *l, bool nested, int pass)
{
    size_t all = keras_expected(l, true), trained = keras_expected(l, false);

    if (!nested)
        return pass == 0 ? all : 0;
    if (!is_trained(l))
        return pass == 0 ? 0 : all;
    return pass == 0 ? trained : all - trained;
}

/* Hands a list of weights to the layers beneath `top`. */
static bool distribute(struct keras *k, struct klayer *top,
                       const struct tensor *from, size_t have)
{
    size_t used = 0;
    bool nested = false;

    for (struct klayer *l = top; l; l = after(top, l))
        nested = nested || k_is_model(l);
    for (int pass = 0; pass < 2; pass++)
        for (struct klayer *l = top; l; l = after(top, l))
            if (is_leaf(l) &&
                !give(k, l, from, &used, have, share_of(l, nested, pass)))
                return false;
    if (used != have)
        return k_fail(k, top, ERR_INVALID,
                      "the file has %zu weights, the layer takes %zu", have,
                      used);
    return true;
}

static bool read_dataset(struct keras *k, const struct klayer *l,
                         uint64_t group, struct str path, struct tensor *out)
{
    uint64_t at;
    struct h5_array a;
    enum errc rc = h5_find(&k->h5, group, path, &at, k->err);

    if (!rc)
        rc = h5_dataset(&k->h5, at, &a, k->err);
    if (rc) {
        (void)err_wrap(k->err, rc, "layer '%s'", l->name);
        return false;
    }
    *out = (struct tensor){a.type, a.shape, a.count, (void *)(uintptr_t)a.data};
    k->out->report.parameters += a.count;
    return true;
}

/* "layer_names" may be cut into layer_names0, layer_names1, ... */
static enum errc list_attribute(struct keras *k, uint64_t object,
                                const char *name, struct str **out, size_t *n)
{
    struct err err = {0};
    enum errc rc = h5_strings(&k->h5, object, name, out, n, &err);
    struct str *all = NULL;
    size_t have = 0;

    if (rc != ERR_NOT_FOUND) {
        if (rc)
            *k->err = err;
        return rc;
    }
    for (int part = 0; part < 1000; part++) {
        char numbered[64];
        struct str *more;
        size_t count;
        (void)snprintf(numbered, sizeof(numbered), "%s%d", name, part);
        if (h5_strings(&k->h5, object, numbered, &more, &count, &err))
            break;
        struct str *joined = arena_new(k->arena, struct str, have + count + 1);
        if (!joined)
            return err_set(k->err, ERR_NOMEM, "out of memory");
        if (have)
            memcpy(joined, all, have * sizeof(*all));
        memcpy(joined + have, more, count * sizeof(*more));
        all = joined;
        have += count;
    }
    if (!all) {
        *k->err = err;
        return rc;
    }
    *out = all;
    *n = have;
    return ERR_OK;
}

/* Matrices or biases of several gates side by side. */
static bool side_by_side(struct keras *k, struct klayer *l,
                         const struct tensor *const *gate, size_t n,
                         struct tensor *out)
{
    const struct shape *s = &gate[0]->shape;
    size_t columns = (size_t)s->dim[s->rank - 1] * dtype_size(gate[0]->type);
    size_t rows =
        columns ? gate[0]->count * dtype_size(gate[0]->type) / columns : 0;

    for (size_t i = 0; i < n; i++)
        if (s->rank < 1 || !shape_eq(&gate[i]->shape, s) ||
            gate[i]->type != gate[0]->type)
            return k_fail(k, l, ERR_INVALID, "the weights of its gates differ");
    char *data = arena_bytes(k->arena, rows * columns * n + 1);
    if (!data)
        return k_fail(k, l, ERR_NOMEM, "out of memory");
    *out = *gate[0];
    out->shape.dim[s->rank - 1] *= (int64_t)n;
    out->count *= n;
    out->data = data;
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i++, data += columns)
            memcpy(data, (const char *)gate[i]->data + r * columns, columns);
    return true;
}

/* Keras 1 kept W, U and b of every gate: i c f o of LSTM, z r h of GRU. */
static bool join_gates(struct keras *k, struct klayer *l, struct tensor *list,
                       size_t *n)
{
    static const size_t lstm[] = {0, 2, 1, 3}, gru[] = {0, 1, 2};
    bool is_lstm = str_eq(l->class_name, STR("LSTM")) && *n == 12;
    bool is_gru = str_eq(l->class_name, STR("GRU")) && *n == 9;
    size_t gates = is_lstm ? 4 : 3;
    struct tensor joined[3];

    if (!is_lstm && !is_gru)
        return true;
    for (size_t part = 0; part < 3; part++) {
        const struct tensor *gate[4];
        for (size_t i = 0; i < gates; i++)
            gate[i] = &list[3 * (is_lstm ? lstm[i] : gru[i]) + part];
        if (!side_by_side(k, l, gate, gates, &joined[part]))
            return false;
    }
    memcpy(list, joined, sizeof(joined));
    *n = 3;
    return true;
}

/* One layer of the outer model from its group. */
static bool from_list(struct keras *k, struct klayer *l, uint64_t groups)
{
    uint64_t group;
    struct str *names;
    size_t n;
    struct err err = {0};
    enum errc rc =
        h5_find(&k->h5, groups, str_from_cstr(l->name), &group, &err);

    if (rc && rc != ERR_NOT_FOUND) {
        *k->err = err;
        return false;
    }
    if (!rc)
        rc = list_attribute(k, group, "weight_names", &names, &n);
    if (rc && rc != ERR_NOT_FOUND)
        return false;
    if (rc) { /* a layer without weights may have no group */
        *k->err = (struct err){0};
        n = 0;
    }
    struct tensor *list = arena_new(k->arena, struct tensor, n + 1);
    if (!list)
        return k_fail(k, l, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        if (!read_dataset(k, l, group, names[i], &list[i]))
            return false;
    /* What is no parameter of the model: the state of random generators. */
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!memmem(names[i].p, names[i].n, "seed_generator", 14))
            list[kept++] = list[i];
    return join_gates(k, l, list, &kept) && distribute(k, l, list, kept);
}

static bool all_from_lists(struct keras *k)
{
    uint64_t groups = k->h5.root, inner;
    struct err none = {0};

    if (!h5_find(&k->h5, groups, STR("model_weights"), &inner, &none))
        groups = inner;
    for (struct klayer *l = k->root->children; l; l = l->next)
        if (!from_list(k, l, groups))
            return false;
    return true;
}

/* Keras' to_snake_case(): "Conv2DTranspose" -> "conv2d_transpose". */
static void snake_case(struct str in, char *out, size_t size)
{
    char step[128];
    size_t n = 0, m = 0;

    for (size_t i = 0; i < in.n && n + 3 < sizeof(step); i++) {
        step[n++] = in.p[i];
        if (i + 2 < in.n && isupper((unsigned char)in.p[i + 1]) &&
            islower((unsigned char)in.p[i + 2])) {
            step[n++] = '_';
            step[n++] = in.p[++i];
            while (i + 1 < in.n && islower((unsigned char)in.p[i + 1]) &&
                   n + 3 < sizeof(step))
                step[n++] = in.p[++i];
        }
    }
    for (size_t i = 0; i < n && m + 3 < size; i++) {
        out[m++] = (char)tolower((unsigned char)step[i]);
        if (i + 1 < n && islower((unsigned char)step[i]) &&
            isupper((unsigned char)step[i + 1])) {
            out[m++] = '_';
            out[m++] = (char)tolower((unsigned char)step[++i]);
        }
    }
    out[m] = '\0';
}

static bool exists(struct keras *k, const char *path)
{
    uint64_t at;
    struct err none = {0};

    return h5_find(&k->h5, k->h5.root, str_from_cstr(path), &at, &none) ==
           ERR_OK;
}

/* The weights at path/vars/0, 1, ... appended to the layer's. */
static bool take_vars(struct keras *k, struct klayer *l, const char *path)
{
    size_t most = keras_expected(l, true);

    if (!l->weights)
        l->weights = arena_new(k->arena, struct tensor, most + 1);
    if (!l->weights)
        return k_fail(k, l, ERR_NOMEM, "out of memory");
    for (int i = 0; l->n_weights < most; i++) {
        char full[PATH_ROOM];
        if (snprintf(full, sizeof(full), "%s/vars/%d", path, i) >=
                (int)sizeof(full) ||
            !exists(k, full))
            break;
        if (!read_dataset(k, l, k->h5.root, str_from_cstr(full),
                          &l->weights[l->n_weights]))
            return false;
        l->n_weights++;
    }
    return true;
}

/* Where the variables of a layer at `path` are: in itself, or in its cell or
 * its parts. */
static bool leaf_by_path(struct keras *k, struct klayer *l, const char *path)
{
    static const char *const parts[] = {"",
                                        "/cell",
                                        "/query_dense",
                                        "/_query_dense",
                                        "/key_dense",
                                        "/_key_dense",
                                        "/value_dense",
                                        "/_value_dense",
                                        "/output_dense",
                                        "/_output_dense"};
    bool both =
        l->parent && str_eq(l->parent->class_name, STR("Bidirectional"));
    size_t want = keras_expected(l, true);

    for (int side = 0; side < (both ? 2 : 1); side++)
        for (size_t i = 0; i < COUNT(parts); i++) {
            char full[PATH_ROOM];
            (void)snprintf(full, sizeof(full), "%.400s%s%s", path,
                           !both       ? ""
                           : side == 0 ? "/forward_layer"
                                       : "/backward_layer",
                           parts[i]);
            if (exists(k, full) && !take_vars(k, l, full))
                return false;
        }
    if (l->n_weights != want)
        return k_fail(k, l, ERR_INVALID,
                      "the file has %zu weights at '%s', the layer takes %zu",
                      l->n_weights, path, want);
    return true;
}

/* How many layers of the same class, counted as `weighted` says, are in front
 * of l among its siblings. */
static size_t rank_of(const struct klayer *l, bool weighted)
{
    size_t n = 0;

    for (const struct klayer *s = l->parent->children; s != l; s = s->next)
        if (str_eq(s->class_name, l->class_name) &&
            (!weighted || !is_leaf(s) || keras_expected(s, true)))
            n++;
    return n;
}

static bool path_of(struct keras *k, const struct klayer *l, const char *above,
                    char *out)
{
    char snake[130];
    size_t k_all = rank_of(l, false), k_weighted = rank_of(l, true);
    const struct {
        const char *folder;
        size_t number;
    } tries[] = {{"layers", k_all},
                 {"_layer_checkpoint_dependencies", 2 * k_weighted},
                 {"_layer_checkpoint_dependencies", k_weighted},
                 {"_layer_checkpoint_dependencies", k_all}};

    snake_case(l->class_name, snake, sizeof(snake));
    for (size_t i = 0; i < COUNT(tries); i++) {
        char number[24] = "";
        if (tries[i].number)
            (void)snprintf(number, sizeof(number), "_%zu", tries[i].number);
        (void)snprintf(out, PATH_ROOM, "%.200s%s%s/%s%s", above,
                       *above ? "/" : "", tries[i].folder, snake, number);
        if (exists(k, out))
            return true;
    }
    return false;
}

/* Paths of the layers on the way from the root: one per depth. */
static bool all_by_path(struct keras *k)
{
    char paths[K_MAX_DEPTH + 2][PATH_ROOM];

    paths[0][0] = '\0';
    for (struct klayer *l = after(k->root, k->root); l; l = after(k->root, l)) {
        int depth = 0;
        for (const struct klayer *p = l; p->parent; p = p->parent)
            depth++;
        char *path = paths[depth];
        if (k_is_model(l->parent)) {
            if (!path_of(k, l, paths[depth - 1], path))
                path[0] = '\0';
        } else {
            /* In a wrapper: Bidirectional has its two sides, others "layer". */
            bool sides = str_eq(l->parent->class_name, STR("Bidirectional"));
            char above[PATH_ROOM];
            memcpy(above, paths[depth - 1], sizeof(above));
            (void)snprintf(path, PATH_ROOM, "%.400s%s", above,
                           sides ? "" : "/layer");
        }
        if (!is_leaf(l) || keras_expected(l, true) == 0)
            continue;
        if (!path[0])
            return k_fail(k, l, ERR_INVALID, "its weights are not in the file");
        if (!leaf_by_path(k, l, path))
            return false;
    }
    return true;
}

bool keras_weights(struct keras *k)
{
    return k->by_path ? all_by_path(k) : all_from_lists(k);
}

const struct tensor *k_weight(struct keras *k, const struct klayer *l, size_t i,
                              int rank)
{
    const struct tensor *t = i < l->n_weights ? &l->weights[i] : NULL;

    if (t && t->shape.rank == rank && dtype_is_float(t->type))
        return t;
    (void)k_fail(k, l, ERR_INVALID,
                 "weight %zu is missing or has not the rank %d", i, rank);
    return NULL;
}
