/* The configuration as a tree of layers, and what it says of each. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "import/keras/keras_internal.h"

bool k_fail(struct keras *k, const struct klayer *l, enum errc code,
            const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (l)
        err_record(k->err, code, "layer '%s' (" STR_FMT "): %s", l->name,
                   STR_ARG(l->class_name), text);
    else
        err_record(k->err, code, "%s", text);
    return false;
}

const struct json_node *k_get(const struct klayer *l, const char *key)
{
    static const struct {
        const char *now, *keras1;
    } renamed[] = {{"recurrent_activation", "inner_activation"},
                   {"axis", "concat_axis"}};
    const struct json_node *v = json_get(l->config, key);

    for (size_t i = 0; !v && i < COUNT(renamed); i++)
        if (strcmp(key, renamed[i].now) == 0)
            v = json_get(l->config, renamed[i].keras1);
    return json_is(v, JSON_NULL) ? NULL : v;
}

/* Merge(mode=...) of Keras 1 is a layer of its own since. */
static struct str merge_of(const struct klayer *l, struct str class_name)
{
    static const struct {
        const char *mode, *name;
    } modes[] = {{"sum", "Add"},     {"mul", "Multiply"},
                 {"ave", "Average"}, {"max", "Maximum"},
                 {"dot", "Dot"},     {"concat", "Concatenate"}};

    for (size_t i = 0; i < COUNT(modes); i++)
        if (str_eq(class_name, STR("Merge")) &&
            json_says(json_get(l->config, "mode"), modes[i].mode))
            return str_from_cstr(modes[i].name);
    return class_name;
}

int64_t k_int(const struct klayer *l, const char *key, int64_t other)
{
    return json_i64_or(k_get(l, key), other);
}

double k_num(const struct klayer *l, const char *key, double other)
{
    const struct json_node *v = k_get(l, key);

    /* Keras 2 wrote some numbers as {"class_name": "__numpy__", ...} or
     * {"value": 0.3}. */
    if (json_is(v, JSON_OBJECT))
        v = json_get(v, "value");
    return json_f64_or(v, other);
}

bool k_bool(const struct klayer *l, const char *key, bool other)
{
    return json_bool_or(k_get(l, key), other);
}

bool k_says(const struct klayer *l, const char *key, const char *text)
{
    return json_says(k_get(l, key), text);
}

void k_ints(const struct klayer *l, const char *key, int64_t *v, size_t n,
            int64_t other)
{
    const struct json_node *from = k_get(l, key);

    for (size_t i = 0; i < n; i++)
        v[i] = json_is(from, JSON_ARRAY) ? json_i64_or(json_at(from, i), other)
                                         : json_i64_or(from, other);
}

bool k_channels_first(const struct klayer *l)
{
    /* Keras 1 said dim_ordering: th or tf. */
    return k_says(l, "data_format", "channels_first") ||
           k_says(l, "dim_ordering", "th");
}

bool k_is_model(const struct klayer *l)
{
    return str_eq(l->class_name, STR("Sequential")) ||
           str_eq(l->class_name, STR("Model")) ||
           str_eq(l->class_name, STR("Functional"));
}

/* The list of layers of a model: the config itself in Keras <= 2.2. */
static const struct json_node *layer_list(const struct klayer *l)
{
    return json_is(l->config, JSON_ARRAY) ? l->config
                                          : json_get(l->config, "layers");
}

static struct klayer *make(struct keras *k, const struct json_node *json,
                           struct klayer *parent)
{
    struct klayer *l = arena_new(k->arena, struct klayer, 1);

    if (!l) {
        (void)k_fail(k, NULL, ERR_NOMEM, "out of memory");
        return NULL;
    }
    l->json = json;
    l->config = json_get(json, "config");
    l->parent = parent;
    l->class_name = merge_of(l, json_str_or(json_get(json, "class_name"), ""));
    struct str name = json_str_or(json_get(json, "name"), "");
    if (name.n == 0)
        name = json_str_or(json_get(l->config, "name"), "");
    l->name = arena_cstr(k->arena, name);
    /* Theano turns kernels round, and Keras 1 kept them in its order. */
    bool turned = k->theano || (k->version == 1 && l->config &&
                                k_says(l, "dim_ordering", "th"));
    if (turned && l->name &&
        memmem(l->class_name.p, l->class_name.n, "Conv", 4)) {
        (void)k_fail(k, l, ERR_UNSUPPORTED,
                     "its kernels are those of Theano, which are turned round; "
                     "load the model with Keras on TensorFlow and save it "
                     "again");
        return NULL;
    }
    if (!l->config || l->class_name.n == 0 || !l->name) {
        (void)k_fail(k, NULL, ERR_INVALID,
                     "the configuration has a layer without a class");
        return NULL;
    }
    return l;
}

/* A name registered by somebody else's code is not Keras' own class. */
static bool is_custom(const struct klayer *l)
{
    struct str module = json_str_or(json_get(l->json, "module"), "");
    const struct json_node *registered = json_get(l->json, "registered_name");

    if (module.n && !str_starts(module, STR("keras")) &&
        !str_starts(module, STR("tf_keras")) &&
        !str_eq(module, STR("builtins")))
        return true;
    return json_is(registered, JSON_STRING) &&
           memchr(registered->text.p, '>', registered->text.n) &&
           !str_starts(registered->text, STR("keras"));
}

static bool classify(struct keras *k, struct klayer *l)
{
    import_saw(k->out, l->class_name);
    if (k_is_model(l))
        return true;
    l->class_ = keras_class(l->class_name);
    if (str_eq(l->class_name, STR("Lambda")))
        return k_fail(k, l, ERR_UNSUPPORTED,
                      "it holds Python bytecode, which is not executed here; "
                      "replace the Lambda by layers, or export the model to "
                      "ONNX with tf2onnx");
    if (!l->class_ || is_custom(l))
        return k_fail(k, l, ERR_UNSUPPORTED,
                      "%s; export the model to ONNX with tf2onnx "
                      "(python -m tf2onnx.convert --keras model.h5 --output "
                      "model.onnx)",
                      is_custom(l) ? "it is a class of somebody's own code"
                                   : "this class is not known");
    return true;
}

/* The layer inside of a wrapper. */
static const struct json_node *wrapped(const struct klayer *l)
{
    if (str_eq(l->class_name, STR("Bidirectional")) ||
        str_eq(l->class_name, STR("TimeDistributed")))
        return json_get(l->config, "layer");
    return NULL;
}

static bool add_children(struct keras *k, struct klayer *l, size_t *count)
{
    const struct json_node *inner = wrapped(l);
    const struct json_node *list = k_is_model(l) ? layer_list(l) : NULL;
    struct klayer **tail = &l->children;

    if (k_is_model(l) && !json_is(list, JSON_ARRAY))
        return k_fail(k, l, ERR_INVALID, "the configuration has no layers");
    for (const struct json_node *v = inner  ? inner
                                     : list ? list->first
                                            : NULL;
         v; v = inner ? NULL : v->next) {
        if (++*count > K_MAX_LAYERS)
            return k_fail(k, l, ERR_LIMIT, "the model has too many layers");
        *tail = make(k, v, l);
        if (!*tail || !classify(k, *tail))
            return false;
        tail = &(*tail)->next;
    }
    return true;
}

/* Every layer, a parent before its children: no recursion on the input. */
static struct klayer *following(const struct klayer *root, struct klayer *l)
{
    if (l->children)
        return l->children;
    while (l != root && !l->next)
        l = l->parent;
    return l == root ? NULL : l->next;
}

bool keras_tree(struct keras *k, const struct json_node *model)
{
    size_t count = 0;

    k->root = make(k, model, NULL);
    if (!k->root)
        return false;
    if (!k_is_model(k->root))
        return k_fail(k, k->root, ERR_UNSUPPORTED,
                      "the model is a class of somebody's own code; only "
                      "Sequential and functional models say how their layers "
                      "are connected. Export it to ONNX with tf2onnx");
    for (struct klayer *l = k->root; l; l = following(k->root, l)) {
        int depth = 0;
        for (const struct klayer *p = l; p; p = p->parent)
            depth++;
        if (depth > K_MAX_DEPTH)
            return k_fail(k, l, ERR_LIMIT, "models are nested too deeply");
        if (!add_children(k, l, &count))
            return false;
    }
    return true;
}
