/* Models: which layer is called with what, in what order. */
#include <string.h>

#include "import/keras/keras_internal.h"

enum { MAX_CALLS = 4096, REFERENCE_DEPTH = 8 };

/* A tensor named in a configuration: layer, call, which of its values. */
struct reference {
    struct str layer;
    size_t call, value;
};

struct references {
    struct reference *list;
    size_t n, cap;
};

static bool add_reference(struct keras *k, struct references *r,
                          const struct json_node *name,
                          const struct json_node *call,
                          const struct json_node *value)
{
    if (r->n == r->cap)
        return k_fail(k, NULL, ERR_LIMIT, "a layer has too many inputs");
    r->list[r->n++] =
        (struct reference){json_str_or(name, ""), (size_t)json_i64_or(call, 0),
                           (size_t)json_i64_or(value, 0)};
    return true;
}

/* ["dense", 0, 0] or ["dense", 0, 0, {...}] */
static bool is_triple(const struct json_node *v)
{
    return json_is(json_at(v, 0), JSON_STRING) &&
           json_is(json_at(v, 1), JSON_NUMBER) &&
           json_is(json_at(v, 2), JSON_NUMBER);
}

/* The tensors named anywhere in v, in order. */
static bool collect(struct keras *k, const struct json_node *v, int depth,
                    struct references *r)
{
    if (depth > REFERENCE_DEPTH)
        return k_fail(k, NULL, ERR_LIMIT,
                      "the connections of a layer are nested too deeply");
    if (is_triple(v)) {
        if (!add_reference(k, r, json_at(v, 0), json_at(v, 1), json_at(v, 2)))
            return false;
        const struct json_node *kwargs = json_at(v, 3);
        return !kwargs || collect(k, kwargs, depth + 1, r);
    }
    const struct json_node *history =
        json_get(json_get(v, "config"), "keras_history");
    if (history)
        return add_reference(k, r, json_at(history, 0), json_at(history, 1),
                             json_at(history, 2));
    if (!json_is(v, JSON_ARRAY) && !json_is(v, JSON_OBJECT))
        return true;
    for (const struct json_node *item = v->first; item; item = item->next)
        if (!collect(k, item, depth + 1, r))
            return false;
    return true;
}

static struct klayer *find_layer(const struct klayer *model, struct str name)
{
    for (struct klayer *l = model->children; l; l = l->next)
        if (str_eq(str_from_cstr(l->name), name))
            return l;
    return NULL;
}

/* The value, or NULL while it is not computed. Old files count the calls of a
 * nested model from its own making on: beyond the last means the last. */
static struct kvalue *resolve(const struct klayer *model,
                              const struct reference *r, bool *exists)
{
    struct klayer *l = find_layer(model, r->layer);

    *exists = l != NULL;
    if (!l || l->n_calls == 0)
        return NULL;
    const struct json_node *nodes = json_get(l->json, "inbound_nodes");
    size_t all = json_is(nodes, JSON_ARRAY) && nodes->n ? nodes->n : 1;
    size_t call = r->call < all ? r->call : all - 1;
    if (call >= l->n_calls || !l->calls[call] || r->value >= l->n_values[call])
        return NULL;
    return &l->calls[call][r->value];
}

static bool remember(struct keras *k, struct klayer *l, size_t call,
                     const struct kcall *c)
{
    if (!l->calls) {
        const struct json_node *nodes = json_get(l->json, "inbound_nodes");
        l->n_calls = json_is(nodes, JSON_ARRAY) && nodes->n ? nodes->n : 1;
        if (l->n_calls > MAX_CALLS)
            return k_fail(k, l, ERR_LIMIT, "it is called too often");
        l->calls = arena_new(k->arena, struct kvalue *, l->n_calls);
        l->n_values = arena_new(k->arena, size_t, l->n_calls);
    }
    struct kvalue *copy = arena_new(k->arena, struct kvalue, c->n_out + 1);
    if (!l->calls || !l->n_values || !copy)
        return k_fail(k, l, ERR_NOMEM, "out of memory");
    memcpy(copy, c->out, c->n_out * sizeof(*copy));
    l->calls[call] = copy;
    l->n_values[call] = c->n_out;
    return true;
}

static enum dtype type_of_input(const struct klayer *l)
{
    const struct json_node *v = k_get(l, "dtype");
    static const struct {
        const char *name;
        enum dtype type;
    } types[] = {{"int32", DTYPE_I32}, {"int64", DTYPE_I64},
                 {"uint8", DTYPE_U8},  {"bool", DTYPE_BOOL},
                 {"int16", DTYPE_I16}, {"int8", DTYPE_I8}};

    for (size_t i = 0; i < COUNT(types); i++)
        if (json_says(v, types[i].name))
            return types[i].type;
    return DTYPE_F32; /* also where the policy is mixed or half precision */
}

static bool shape_from(const struct json_node *v, bool with_batch,
                       struct shape *out)
{
    if (!json_is(v, JSON_ARRAY) || v->n + 1 > SHAPE_MAX_RANK)
        return false;
    *out = (struct shape){.rank = 0};
    if (!with_batch)
        out->dim[out->rank++] = -1;
    for (const struct json_node *d = v->first; d; d = d->next)
        out->dim[out->rank++] = json_i64_or(d, -1);
    if (out->rank > 0)
        out->dim[0] = -1; /* a batch of any size, whatever it was saved with */
    return out->rank > 0;
}

bool keras_input_shape(struct keras *k, struct klayer *l, struct kvalue *out)
{
    static const char *const keys[] = {"batch_input_shape", "batch_shape",
                                       "build_input_shape"};
    const struct json_node *build = json_get(l->json, "build_config");

    (void)k;
    *out = (struct kvalue){.type = type_of_input(l)};
    for (size_t i = 0; i < COUNT(keys); i++) {
        const struct json_node *v = k_get(l, keys[i]);
        if (shape_from(v, true, &out->shape))
            return true;
    }
    return shape_from(k_get(l, "input_shape"), false, &out->shape) ||
           shape_from(k_get(l, "shape"), false, &out->shape) ||
           shape_from(json_get(build, "input_shape"), true, &out->shape);
}

static bool run_model(struct keras *k, struct klayer *model, struct kcall *c);

bool keras_call(struct keras *k, struct klayer *l, struct kcall *c)
{
    c->n_out = 0;
    if (k_is_model(l))
        return run_model(k, l, c);
    if (!l->class_->build)
        return k_fail(k, l, ERR_UNSUPPORTED, "it cannot be called");
    if (c->n_in == 0)
        return k_fail(k, l, ERR_INVALID, "it has no input");
    if (!l->class_->build(k, l, c))
        return k->err->msg[0] ? false
                              : k_fail(k, l, ERR_INVALID,
                                       "the input has a rank that the layer "
                                       "does not take");
    return true;
}

static bool is_input(const struct klayer *l)
{
    return str_eq(l->class_name, STR("InputLayer"));
}

static bool run_sequential(struct keras *k, struct klayer *model,
                           struct kcall *c)
{
    struct kvalue values[2][K_MAX_VALUES];
    struct kcall now = {.in = c->in, .n_in = c->n_in};
    int turn = 0;

    for (struct klayer *l = model->children; l; l = l->next) {
        if (is_input(l))
            continue;
        now.out = values[turn];
        if (!keras_call(k, l, &now))
            return false;
        now = (struct kcall){.in = values[turn], .n_in = now.n_out};
        turn = !turn;
    }
    c->n_out = now.n_in;
    memcpy(c->out, now.in, now.n_in * sizeof(*now.in));
    return true;
}

/* One call of a layer of a functional model. *done: it could be made. */
static bool try_call(struct keras *k, struct klayer *model, struct klayer *l,
                     const struct json_node *node, size_t call, bool *done)
{
    struct reference list[K_MAX_VALUES];
    struct references refs = {list, 0, K_MAX_VALUES};
    struct kvalue in[K_MAX_VALUES], out[K_MAX_VALUES];
    struct kcall c = {.in = in, .out = out};

    if (!collect(k, node, 0, &refs))
        return false;
    for (size_t i = 0; i < refs.n; i++) {
        bool exists;
        const struct kvalue *v = resolve(model, &list[i], &exists);
        if (!exists)
            return k_fail(k, l, ERR_INVALID,
                          "it takes input from a layer '" STR_FMT
                          "' that does not exist",
                          STR_ARG(list[i].layer));
        if (!v)
            return true;
        in[c.n_in++] = *v;
    }
    c.kwargs = json_get(node, "kwargs");
    if (!c.kwargs && json_is(json_at(node, 0), JSON_ARRAY))
        c.kwargs = json_at(json_at(node, 0), 3);
    *done = true;
    return keras_call(k, l, &c) && remember(k, l, call, &c);
}

/* Calls whatever has all its input, until nothing is left. Layers stand nearly
 * in that order in the file. */
static bool run_layers(struct keras *k, struct klayer *model)
{
    bool progress = true, waiting = true;

    while (progress && waiting) {
        progress = waiting = false;
        for (struct klayer *l = model->children; l; l = l->next) {
            const struct json_node *nodes = json_get(l->json, "inbound_nodes");
            size_t call = 0;
            if (!json_is(nodes, JSON_ARRAY))
                continue;
            for (const struct json_node *n = nodes->first; n;
                 n = n->next, call++) {
                bool done = false;
                if (l->calls && call < l->n_calls && l->calls[call])
                    continue;
                if (!try_call(k, model, l, n, call, &done))
                    return false;
                progress = progress || done;
                waiting = waiting || !done;
            }
        }
    }
    return true;
}

/* Forgets the calls of an earlier use: a nested model may be shared. */
static void forget(struct klayer *model)
{
    for (struct klayer *l = model->children; l; l = l->next) {
        l->calls = NULL;
        l->n_calls = 0;
    }
}

static bool run_functional(struct keras *k, struct klayer *model,
                           struct kcall *c)
{
    struct reference list[K_MAX_VALUES];
    struct references refs = {list, 0, K_MAX_VALUES};

    forget(model);
    if (!collect(k, json_get(model->config, "input_layers"), 0, &refs))
        return false;
    if (refs.n != c->n_in)
        return k_fail(k, model, ERR_INVALID,
                      "it has %zu inputs and is called with %zu", refs.n,
                      c->n_in);
    for (size_t i = 0; i < refs.n; i++) {
        struct klayer *l = find_layer(model, list[i].layer);
        struct kvalue value = c->in[i];
        struct kcall given = {.out = &value, .n_out = 1};
        if (!l || !remember(k, l, 0, &given))
            return k->err->msg[0] ? false
                                  : k_fail(k, model, ERR_INVALID,
                                           "an input layer does not exist");
    }
    if (!run_layers(k, model))
        return false;
    refs.n = 0;
    if (!collect(k, json_get(model->config, "output_layers"), 0, &refs))
        return false;
    for (size_t i = 0; i < refs.n; i++) {
        bool exists;
        const struct kvalue *v = resolve(model, &list[i], &exists);
        if (!v)
            return k_fail(k, model, ERR_INVALID,
                          "the output '" STR_FMT "' cannot be computed",
                          STR_ARG(list[i].layer));
        c->out[c->n_out++] = *v;
    }
    return true;
}

static bool run_model(struct keras *k, struct klayer *model, struct kcall *c)
{
    return str_eq(model->class_name, STR("Sequential"))
               ? run_sequential(k, model, c)
               : run_functional(k, model, c);
}

/* The input of a Sequential model: said by it, by its first layer, or by the
 * weights of that layer. */
static bool sequential_input(struct keras *k, struct klayer *root,
                             struct kvalue *in)
{
    struct klayer *first = root->children;

    if (!first)
        return k_fail(k, root, ERR_INVALID, "the model has no layers");
    bool found = keras_input_shape(k, first, in) ||
                 (k_is_model(first) && first->children &&
                  keras_input_shape(k, first->children, in)) ||
                 keras_input_shape(k, root, in);
    if (!found && str_eq(first->class_name, STR("Dense")) && first->n_weights &&
        first->weights[0].shape.rank == 2) {
        in->shape = (struct shape){2, {-1, first->weights[0].shape.dim[0]}};
        found = true;
    }
    if (!found)
        return k_fail(k, first, ERR_INVALID,
                      "the model does not say the shape of its input; build "
                      "it before saving, or begin it with an Input layer");
    if (is_input(first)) {
        in->name = first->name;
        return true;
    }
    struct buf name;
    buf_init(&name, 4096);
    buf_puts(&name, first->name);
    buf_puts(&name, "_input");
    in->name = arena_cstr(k->arena, buf_str(&name));
    buf_fini(&name);
    return in->name ? true : k_fail(k, NULL, ERR_NOMEM, "out of memory");
}

static bool functional_inputs(struct keras *k, struct klayer *root,
                              struct kvalue *in, size_t *n)
{
    struct reference list[K_MAX_VALUES];
    struct references refs = {list, 0, K_MAX_VALUES};

    if (!collect(k, json_get(root->config, "input_layers"), 0, &refs))
        return false;
    for (size_t i = 0; i < refs.n; i++) {
        struct klayer *l = find_layer(root, list[i].layer);
        if (!l || !keras_input_shape(k, l, &in[i]))
            return k_fail(k, l ? l : root, ERR_INVALID,
                          "an input has no shape");
        in[i].name = l->name;
    }
    *n = refs.n;
    return true;
}

/* Names of the outputs: their layers', once each. */
static const char *output_name(struct keras *k, size_t i)
{
    struct klayer *l = NULL;

    if (str_eq(k->root->class_name, STR("Sequential"))) {
        for (l = k->root->children; l && l->next; l = l->next)
            ;
        return l->name;
    }
    struct reference list[K_MAX_VALUES];
    struct references refs = {list, 0, K_MAX_VALUES};
    if (!collect(k, json_get(k->root->config, "output_layers"), 0, &refs))
        return "";
    size_t same = 0;
    for (size_t j = 0; j < i; j++)
        same += str_eq(list[j].layer, list[i].layer);
    for (const struct graph_io *io = k->g->inputs; io; io = io->next)
        same += str_eq(str_from_cstr(io->name), list[i].layer);
    const char *name = arena_cstr(k->arena, list[i].layer);
    return same && name ? graph_name(k->g, name) : name;
}

bool keras_run(struct keras *k)
{
    struct kvalue in[K_MAX_VALUES], out[K_MAX_VALUES];
    struct kcall c = {.in = in, .out = out};
    bool sequential = str_eq(k->root->class_name, STR("Sequential"));

    c.n_in = 1;
    if (!(sequential ? sequential_input(k, k->root, in)
                     : functional_inputs(k, k->root, in, &c.n_in)))
        return false;
    for (size_t i = 0; i < c.n_in; i++)
        graph_input(k->g, in[i].name, in[i].type, &in[i].shape);
    if (!keras_call(k, k->root, &c))
        return false;
    for (size_t i = 0; i < c.n_out; i++) {
        const char *name = output_name(k, i);
        if (!name || !name[0])
            return k_fail(k, k->root, ERR_INVALID, "an output has no name");
        graph_output(k->g, name, out[i].name, out[i].type, &out[i].shape);
    }
    return true;
}
