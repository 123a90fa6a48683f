/* What a pickle of PyTorch holds, as values of the evaluator. */
#include <string.h>

#include "import/torch/program.h"

enum { MAX_DEPTH = 60 };

struct maker {
    struct trace *t;
    struct py *py;
    struct program *p;
    struct klass *(*klass)(struct trace *t, struct str name);
    int depth;
};

static struct val *make(struct maker *m, const struct pickle *v);

static struct val *items(struct maker *m, const struct pickle *v,
                         enum val_kind kind)
{
    struct val *out = py_list(m->py, kind, v ? v->n : 0);

    for (size_t i = 0; out && v && i < v->n; i++)
        if (!py_append(m->py, out, make(m, v->items[i])))
            return NULL;
    return out;
}

/* Keys and values one after the other. */
static struct val *dict(struct maker *m, const struct pickle *v)
{
    struct val *out = py_dict(m->py);

    for (size_t i = 0; out && i + 1 < v->n; i += 2)
        if (!table_put(m->py, out->as.dict, make(m, v->items[i]),
                       make(m, v->items[i + 1])))
            return NULL;
    return out;
}

static struct val *tensor(struct maker *m, const struct pickle *v, uint8_t mark)
{
    struct tensor t;

    if (torch_tensor(m->p->file, v, &t)) {
        m->py->failed = true;
        return NULL;
    }
    struct val *out = ten_value(m->t, ten_constant(m->t, &t));
    if (out)
        out->mark = mark;
    return out;
}

static struct val *name_of(struct maker *m, struct str path)
{
    struct val *v = m->py->host->name(m->py, path);

    if (v || m->py->failed)
        return v;
    if (m->klass && str_starts(path, STR("__torch__"))) {
        struct klass *k = m->klass(m->t, path);
        return k ? k->value : NULL;
    }
    return py_space(m->py, path);
}

static struct val *called(struct maker *m, const struct pickle *v)
{
    struct str name = pickle_name(v);
    const struct pickle *first = pickle_at(v->args, 0);
    static const char *const lists[] = {"torch.jit._pickle.build_intlist",
                                        "torch.jit._pickle.build_tensorlist",
                                        "torch.jit._pickle.build_doublelist",
                                        "torch.jit._pickle.build_boollist"};

    if (str_eq(name, STR("collections.OrderedDict")) ||
        str_eq(name, STR("collections.defaultdict")) ||
        str_eq(name, STR("collections.Counter"))) {
        if (v->n || !first || first->kind != PICKLE_LIST)
            return dict(m, v);
        struct val *out = py_dict(m->py); /* OrderedDict([(key, value) ...]) */
        for (size_t i = 0; out && i < first->n; i++)
            if (!table_put(m->py, out->as.dict,
                           make(m, pickle_at(first->items[i], 0)),
                           make(m, pickle_at(first->items[i], 1))))
                return NULL;
        return out;
    }
    for (size_t i = 0; i < COUNT(lists); i++)
        if (str_eq(name, str_from_cstr(lists[i])))
            return items(m, first, VAL_LIST);
    if (str_eq(name, STR("torch.Size")))
        return items(m, first, VAL_TUPLE);
    if (str_eq(name, STR("torch.jit._pickle.restore_type_tag")))
        return make(m, first);
    if (str_eq(name, STR("builtins.set")) ||
        str_eq(name, STR("builtins.frozenset")) ||
        str_eq(name, STR("__builtin__.set")))
        return items(m, first, VAL_SET);
    if (str_eq(name, STR("torch.device")))
        return py_space(m->py, STR("cpu"));
    return &m->py->none; /* numbers of numpy and other company */
}

static bool is_bookkeeping(struct str key)
{
    static const char *const names[] = {
        "hook",     "_non_persistent", "_is_full_backward",
        "_version", "_backend",        "_compiled_call"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (memmem(key.p, key.n, names[i], strlen(names[i])))
            return true;
    return false;
}

/* The members of _parameters, _buffers, _modules become attributes. */
static bool flatten(struct maker *m, struct table *attrs,
                    const struct pickle *dict_, uint8_t mark)
{
    for (size_t i = 0; dict_ && i + 1 < dict_->n; i += 2) {
        const struct pickle *key = dict_->items[i], *v = dict_->items[i + 1];
        struct val *made;
        if (!pickle_is(key, PICKLE_STR))
            continue;
        made = mark && torch_is_tensor(v) ? tensor(m, v, mark) : make(m, v);
        if (!table_set(m->py, attrs, key->text, made))
            return false;
    }
    return true;
}

static bool attributes(struct maker *m, struct table *attrs,
                       const struct pickle *state, bool module)
{
    static const struct {
        const char *name;
        uint8_t mark;
    } groups[] = {{"_parameters", 'p'}, {"_buffers", 'b'}, {"_modules", 0}};

    for (size_t i = 0; state && i + 1 < state->n; i += 2) {
        const struct pickle *key = state->items[i];
        bool group = false;
        if (!pickle_is(key, PICKLE_STR) || is_bookkeeping(key->text))
            continue;
        for (size_t k = 0; module && k < COUNT(groups); k++)
            group = group || str_eq(key->text, str_from_cstr(groups[k].name));
        if (group || str_eq(key->text, STR("training")))
            continue;
        if (!table_set(m->py, attrs, key->text, make(m, state->items[i + 1])))
            return false;
    }
    for (size_t k = 0; module && k < COUNT(groups); k++)
        if (!flatten(m, attrs, pickle_get(state, groups[k].name),
                     groups[k].mark))
            return false;
    return table_set(m->py, attrs, STR("training"), &m->py->no);
}

static struct val *object(struct maker *m, const struct pickle *v)
{
    struct str name = pickle_name(v);
    struct klass *k = m->klass(m->t, name);
    struct val *out = k ? py_object(m->py, k) : NULL;
    const struct pickle *state = v->state;

    if (!out)
        return NULL;
    ((struct pickle *)(uintptr_t)v)->made = out; /* parts may refer to it */
    ((struct pickle *)(uintptr_t)v)->made_for = m->p->runs;
    if (state && state->kind == PICKLE_TUPLE) /* (dict, slots) */
        state = pickle_at(state, 0);
    bool module = state && pickle_get(state, "_modules");
    return attributes(m, out->as.object.attrs, state, module) ? out : NULL;
}

static struct val *fresh(struct maker *m, const struct pickle *v)
{
    if (torch_is_tensor(v))
        return tensor(m, v, 'p');
    switch (v->kind) {
    case PICKLE_NONE:
        return &m->py->none;
    case PICKLE_BOOL:
        return py_bool(m->py, v->boolean);
    case PICKLE_INT:
        return py_int(m->py, v->whole);
    case PICKLE_FLOAT:
        return py_float(m->py, v->number);
    case PICKLE_STR:
    case PICKLE_BYTES:
        return py_str(m->py, v->text);
    case PICKLE_LIST:
        return items(m, v, VAL_LIST);
    case PICKLE_TUPLE:
        return items(m, v, VAL_TUPLE);
    case PICKLE_SET:
        return items(m, v, VAL_SET);
    case PICKLE_DICT:
        return dict(m, v);
    case PICKLE_GLOBAL:
        return name_of(m, v->text);
    case PICKLE_CALL:
        return called(m, v);
    case PICKLE_OBJECT:
        return object(m, v);
    case PICKLE_BIG:
    case PICKLE_PERSISTENT:
        break;
    }
    return &m->py->none;
}

static struct val *make(struct maker *m, const struct pickle *v)
{
    struct pickle *note = (struct pickle *)(uintptr_t)v;

    if (!v)
        return &m->py->none;
    if (v->made && v->made_for == m->p->runs)
        return v->made;
    if (m->depth >= MAX_DEPTH || !py_work(m->py, 1 + v->n))
        return py_fail(m->py, ERR_LIMIT, "the objects are nested too deeply");
    m->depth++;
    struct val *out = fresh(m, v);
    m->depth--;
    note->made = out;
    note->made_for = m->p->runs;
    return out;
}

struct val *module_value(struct trace *t, struct program *p,
                         const struct pickle *v,
                         struct klass *(*klass)(struct trace *t,
                                                struct str name))
{
    struct maker m = {.t = t, .py = &t->py, .p = p, .klass = klass};

    return make(&m, v);
}

struct walk {
    struct py *py;
    bool (*each)(void *ctx, struct str name, struct val *tensor);
    void *ctx;
    int depth;
};

static bool walk(struct walk *w, struct val *module, struct str prefix)
{
    const struct table *t = module->as.object.attrs;

    if (++w->depth > MAX_DEPTH)
        return py_fail(w->py, ERR_LIMIT, "modules are nested too deeply") !=
               NULL;
    for (size_t i = 0; i < t->n; i++) {
        struct val *v = t->entries[i].value;
        bool child = v && v->kind == VAL_OBJECT &&
                     klass_named(v->as.object.klass, "Module");
        bool mine =
            v && v->kind == VAL_HOST && (v->mark == 'p' || v->mark == 'b');
        struct buf b;
        if (!t->entries[i].key || (!child && !mine) || !py_work(w->py, 1))
            continue;
        buf_init(&b, 4096);
        buf_put(&b, prefix);
        buf_puts(&b, prefix.n ? "." : "");
        py_show(&b, t->entries[i].key);
        char *name = arena_cstr(w->py->arena, buf_str(&b));
        struct str full = {name, b.n};
        bool ok = !b.failed && name;
        buf_fini(&b);
        if (!ok || !(child ? walk(w, v, full) : w->each(w->ctx, full, v)))
            return false;
    }
    w->depth--;
    return !w->py->failed;
}

bool module_walk(struct py *py, struct val *module,
                 bool (*each)(void *ctx, struct str name, struct val *tensor),
                 void *ctx)
{
    struct walk w = {py, each, ctx, 0};

    return module->kind != VAL_OBJECT || walk(&w, module, STR(""));
}
