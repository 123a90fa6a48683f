/* Statements. */
#include <string.h>

#include "import/python/eval_internal.h"

static bool unpack(struct py *py, struct py_node *list, struct val *v,
                   struct scope *s)
{
    size_t n = 0, at = 0;
    bool star = false;

    for (struct py_node *t = list; t; t = t->next, n++)
        star = star || t->kind == PY_STAR;
    if (v && v->kind == VAL_UNKNOWN && !star)
        v = py_settle(py, v, WANT_LENGTH, py_int(py, (int64_t)n));
    struct val *members = py_members(py, v);
    if (!members)
        return false;
    size_t have = members->as.items.n;
    if (star ? have + 1 < n : have != n) {
        (void)py_fail(py, ERR_INVALID, "%zu values for %zu names", have, n);
        return false;
    }
    for (struct py_node *t = list; t; t = t->next) {
        if (t->kind != PY_STAR) {
            if (!py_assign(py, t, members->as.items.v[at++], s))
                return false;
            continue;
        }
        struct val *rest = py_list(py, VAL_LIST, have);
        for (size_t k = have + 1 - n; k-- > 0;)
            if (!py_append(py, rest, members->as.items.v[at++]))
                return false;
        if (!py_assign(py, t->a, rest, s))
            return false;
    }
    return true;
}

bool py_assign(struct py *py, struct py_node *target, struct val *v,
               struct scope *s)
{
    if (!v)
        return false;
    switch ((int)target->kind) {
    case PY_NAME:
        return table_set(py, &s->names, target->text, v);
    case PY_ATTR:
        return py_set_attr(py, py_eval(py, target->a, s), target->text, v);
    case PY_INDEX: {
        struct val *list = py_eval(py, target->a, s);
        return list && py_set_index(py, list, py_eval(py, target->b, s), v);
    }
    case PY_TUPLE:
    case PY_LIST:
        return unpack(py, target->a, v, s);
    default:
        (void)py_fail(py, ERR_UNSUPPORTED, "this cannot be assigned to");
        return false;
    }
}

/* x += y: in place for lists and the host's values. */
static bool augment(struct py *py, struct py_node *n, struct scope *s)
{
    struct val *old = py_eval(py, n->a, s);
    struct val *v = py_eval(py, n->b, s);

    if (old && v && n->op == OP_ADD && old->kind == VAL_LIST) {
        v = py_members(py, v);
        for (size_t i = 0; v && i < v->as.items.n; i++)
            (void)py_append(py, old, v->as.items.v[i]);
        return v != NULL && !py->failed;
    }
    if (old && v && old->kind == VAL_HOST)
        v = py->host->in_place(py, (enum py_op)n->op, old, v);
    else
        v = py_binary(py, (enum py_op)n->op, old, v);
    return py_assign(py, n->a, v, s);
}

static enum flow run_if(struct py *py, struct py_node *n, struct scope *s,
                        struct val **result)
{
    bool truth;

    if (!py_truth(py, py_eval(py, n->a, s), &truth))
        return FLOW_FAILED;
    return py_run(py, truth ? n->b : n->c, s, result);
}

static enum flow run_for(struct py *py, struct py_node *n, struct scope *s,
                         struct val **result)
{
    struct val *list = py_members(py, py_eval(py, n->b, s));

    if (!list)
        return FLOW_FAILED;
    for (size_t i = 0; i < list->as.items.n; i++) {
        if (!py_work(py, 1) || !py_assign(py, n->a, list->as.items.v[i], s))
            return FLOW_FAILED;
        enum flow flow = py_run(py, n->c, s, result);
        if (flow == FLOW_BREAK)
            return FLOW_NEXT;
        if (flow == FLOW_RETURN || flow == FLOW_FAILED)
            return flow;
    }
    return py_run(py, n->d, s, result);
}

static enum flow run_while(struct py *py, struct py_node *n, struct scope *s,
                           struct val **result)
{
    for (;;) {
        bool truth;
        if (!py_work(py, 1) || !py_truth(py, py_eval(py, n->a, s), &truth))
            return FLOW_FAILED;
        if (!truth)
            return FLOW_NEXT;
        enum flow flow = py_run(py, n->b, s, result);
        if (flow == FLOW_BREAK)
            return FLOW_NEXT;
        if (flow == FLOW_RETURN || flow == FLOW_FAILED)
            return flow;
    }
}

/* The part before the first dot, without the dots of a relative import. */
static struct str first_part(struct str path)
{
    return str_cut(&path, '.');
}

/* Modules that mean something here, or whose parts are asked for by name. What
 * another one holds is not known: a config.py that was not given. */
static struct val *module_named(struct py *py, struct str path)
{
    static const char *const known[] = {"torch",
                                        "torchvision",
                                        "torchaudio",
                                        "numpy",
                                        "math",
                                        "typing",
                                        "collections",
                                        "functools",
                                        "itertools",
                                        "copy",
                                        "warnings",
                                        "logging",
                                        "os",
                                        "sys",
                                        "random",
                                        "einops",
                                        "timm",
                                        "transformers",
                                        "lightning",
                                        "argparse",
                                        "enum",
                                        "abc",
                                        "re",
                                        "time",
                                        "dataclasses",
                                        "easydict",
                                        "operator",
                                        "contextlib",
                                        "types",
                                        "string",
                                        "inspect",
                                        "scipy",
                                        "pytorch_lightning",
                                        "typing_extensions"};
    struct str root = first_part(path);

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(root, str_from_cstr(known[i])))
            return py_space(py, path);
    return py->lenient ? py_unknown(py, path) : py_space(py, path);
}

static enum flow run_import(struct py *py, struct py_node *n, struct scope *s)
{
    for (struct py_node *a = n->a; a; a = a->next) {
        struct str path = a->other.n ? a->text : first_part(a->text);
        struct val *v = module_named(py, path);
        if (!v || !table_set(py, &s->names, a->other.n ? a->other : path, v))
            return FLOW_FAILED;
    }
    return FLOW_NEXT;
}

static enum flow run_from(struct py *py, struct py_node *n, struct scope *s)
{
    struct str module = n->text;

    while (module.n && module.p[0] == '.')
        module = str_slice(module, 1, module.n);
    if (!n->a && py->n_stars < COUNT(py->stars))
        py->stars[py->n_stars++] = module;
    for (struct py_node *a = n->a; a; a = a->next) {
        struct str name = a->other.n ? a->other : a->text;
        struct val *space = module_named(py, module);
        struct val *v = space ? py_attr(py, space, a->text) : NULL;
        if (!v)
            return FLOW_FAILED;
        /* Other files of the person's own stand in the same scope. */
        struct val *known = table_find(&s->names, a->text);
        if ((v->kind == VAL_SPACE || v->kind == VAL_UNKNOWN) && known)
            v = known;
        if (!table_set(py, &s->names, name, v))
            return FLOW_FAILED;
    }
    return FLOW_NEXT;
}

static enum flow run_raise(struct py *py, struct py_node *n, struct scope *s)
{
    struct val *v = n->a ? py_eval(py, n->a, s) : NULL;
    struct val *text;
    struct buf b;

    if (py->failed)
        return FLOW_FAILED;
    buf_init(&b, 2000);
    if (v && v->kind == VAL_OBJECT) {
        text = table_find(v->as.object.attrs, STR("args"));
        py_show(&b, v);
        buf_puts(&b, ": ");
        v = text;
    }
    if (v)
        py_show(&b, v);
    (void)py_fail(py, ERR_INVALID, "the model's code raises %.*s",
                  b.n < 200 ? (int)b.n : 200, b.p ? b.p : "an error");
    buf_fini(&b);
    return FLOW_FAILED;
}

static enum flow run_try(struct py *py, struct py_node *n, struct scope *s,
                         struct val **result)
{
    enum flow flow = py_run(py, n->a, s, result);

    if (flow == FLOW_FAILED && n->b) {
        if (!py_recover(py))
            return FLOW_FAILED;
        flow = py_run(py, n->b->b, s, result);
    } else if (flow == FLOW_NEXT) {
        flow = py_run(py, n->c, s, result);
    }
    if (flow != FLOW_FAILED) {
        enum flow last = py_run(py, n->d, s, result);
        return last == FLOW_NEXT ? flow : last;
    }
    return flow;
}

static enum flow run_with(struct py *py, struct py_node *n, struct scope *s,
                          struct val **result)
{
    for (struct py_node *item = n->a; item; item = item->next)
        if (item->b && !py_assign(py, item->b, py_eval(py, item->a, s), s))
            return FLOW_FAILED;
    return py_run(py, n->b, s, result);
}

static enum flow run_assert(struct py *py, struct py_node *n, struct scope *s)
{
    bool truth;

    /* One about the data cannot be told, and changes nothing. */
    if (!py_truth(py, py_eval(py, n->a, s), &truth))
        return py->lenient && py_recover(py) ? FLOW_NEXT : FLOW_FAILED;
    if (truth || py->lax)
        return FLOW_NEXT;
    struct val *v = n->b ? py_eval(py, n->b, s) : NULL;
    struct buf b;
    buf_init(&b, 2000);
    if (v)
        py_show(&b, v);
    (void)py_fail(py, ERR_INVALID,
                  "an assertion of the model's code fails%s%.*s",
                  b.n ? ": " : "", b.n < 200 ? (int)b.n : 200, b.p ? b.p : "");
    buf_fini(&b);
    return FLOW_FAILED;
}

/* del list[2], del list[-1:] */
static bool delete_members(struct py *py, struct val *list, struct val *at)
{
    int64_t n = (int64_t)list->as.items.n, r[3] = {0, 0, 1};
    size_t kept = 0;

    if (at->kind == VAL_SLICE) {
        if (!py_slice_range(py, at, n, r))
            return false;
    } else if (py_to_int(at, &r[0])) {
        r[0] += r[0] < 0 ? n : 0;
        r[1] = r[0] + 1;
    }
    for (int64_t i = 0; i < n; i++) {
        bool out = r[2] > 0 ? i >= r[0] && i < r[1] && (i - r[0]) % r[2] == 0
                            : i <= r[0] && i > r[1] && (r[0] - i) % -r[2] == 0;
        if (!out)
            list->as.items.v[kept++] = list->as.items.v[i];
    }
    list->as.items.n = kept;
    return true;
}

static bool delete (struct py *py, struct py_node *target, struct scope *s)
{
    struct val *name, *v;

    if (target->kind == PY_NAME || target->kind == PY_ATTR) {
        name = py_str(py, target->text);
        v = target->kind == PY_ATTR ? py_eval(py, target->a, s) : NULL;
        if (name && v && v->kind == VAL_OBJECT)
            (void)table_remove(v->as.object.attrs, name);
        else if (name && target->kind == PY_NAME)
            (void)table_remove(&s->names, name);
    } else if (target->kind == PY_INDEX) {
        v = py_eval(py, target->a, s);
        name = py_eval(py, target->b, s);
        if (v && name && v->kind == VAL_DICT)
            (void)table_remove(v->as.dict, name);
        else if (v && name && v->kind == VAL_LIST)
            return delete_members(py, v, name);
        struct val *method = v && name && v->kind == VAL_OBJECT
                                 ? py_attr(py, v, STR("__delitem__"))
                                 : NULL;
        if (method)
            (void)py_call1(py, method, name);
    }
    return !py->failed;
}

static enum flow did(bool ok)
{
    return ok ? FLOW_NEXT : FLOW_FAILED;
}

static enum flow assign_all(struct py *py, struct py_node *n, struct scope *s)
{
    struct val *v = py_eval(py, n->b, s);

    for (struct py_node *t = n->a; t; t = t->next)
        if (!py_assign(py, t, v, s))
            return FLOW_FAILED;
    return FLOW_NEXT;
}

/* A call of something that is not known, whose result nobody takes: logging,
 * initialisation, checks. What it would have changed shows when names and
 * shapes are compared with the weights. */
static bool is_aside(struct py *py, struct py_node *n, struct scope *s)
{
    if (n->kind != PY_CALL || n->a->kind == PY_CALL ||
        (n->a->kind == PY_NAME && str_eq(n->a->text, STR("super"))))
        return false;
    if (n->a->kind != PY_NAME && n->a->kind != PY_ATTR)
        return false;
    struct py_node *root = n->a;
    while (root->kind == PY_ATTR)
        root = root->a;
    if (root->kind != PY_NAME)
        return false;
    struct val *callee = py_eval(py, n->a, s);
    return callee && (callee->kind == VAL_SPACE || callee->kind == VAL_UNKNOWN);
}

/* def and class. Methods keep their own selves: super() must find them. */
static bool define(struct py *py, struct py_node *n, struct scope *s)
{
    struct val *v =
        n->kind == PY_DEF ? py_define(py, n, s) : py_define_class(py, n, s);

    if (v && !table_set(py, &s->names, n->text, v))
        return false;
    if (v && n->c && py->lenient && !py->in_library && !s->is_class)
        v = py_decorated(py, n->c, v, s);
    return table_set(py, &s->names, n->text, v);
}

/* A call that fills in weights, which the file has: where it fails, what it
 * would have done is of no account. */
static bool initialises(const struct py_node *n)
{
    static const char *const words[] = {
        "_init",       "init_weight",     "initialize",  "initialise",
        "init_param",  "weights_init",    "weight_init", "reset_parameters",
        "load_weight", "load_pretrained", "load_from"};
    struct str name =
        n->kind == PY_CALL && (n->a->kind == PY_ATTR || n->a->kind == PY_NAME)
            ? n->a->text
            : (struct str){0};

    if (!name.n || str_eq(name, STR("__init__")))
        return false;
    for (size_t i = 0; i < COUNT(words); i++)
        if (memmem(name.p, name.n, words[i], strlen(words[i])))
            return true;
    return false;
}

static bool run_call(struct py *py, struct py_node *n, struct scope *s)
{
    if (py_eval(py, n, s))
        return true;
    return py->constructing && !py->in_library && initialises(n) &&
           py_recover(py);
}

static enum flow run_one(struct py *py, struct py_node *n, struct scope *s,
                         struct val **result)
{
    switch ((int)n->kind) {
    case PY_EXPR:
        return did(n->a->kind == PY_STRING || is_aside(py, n->a, s) ||
                   (!py->failed && run_call(py, n->a, s)));
    case PY_ASSIGN:
        return assign_all(py, n, s);
    case PY_AUG:
        return did(augment(py, n, s));
    case PY_ANNOTATED:
        return did(!n->b || py_assign(py, n->a, py_eval(py, n->b, s), s));
    case PY_IF:
        return run_if(py, n, s, result);
    case PY_FOR:
        return run_for(py, n, s, result);
    case PY_WHILE:
        return run_while(py, n, s, result);
    case PY_DEF:
    case PY_CLASS:
        return did(define(py, n, s));
    case PY_RETURN:
        *result = n->a ? py_eval(py, n->a, s) : &py->none;
        return *result ? FLOW_RETURN : FLOW_FAILED;
    case PY_PASS:
    case PY_GLOBAL:
        return FLOW_NEXT;
    case PY_BREAK:
        return FLOW_BREAK;
    case PY_CONTINUE:
        return FLOW_CONTINUE;
    case PY_IMPORT:
        return run_import(py, n, s);
    case PY_FROM:
        return run_from(py, n, s);
    case PY_RAISE:
        return run_raise(py, n, s);
    case PY_TRY:
        return run_try(py, n, s, result);
    case PY_WITH:
        return run_with(py, n, s, result);
    case PY_ASSERT:
        return run_assert(py, n, s);
    case PY_DEL:
        for (struct py_node *t = n->a; t; t = t->next)
            if (!delete (py, t, s))
                return FLOW_FAILED;
        return FLOW_NEXT;
    default:
        (void)py_fail(py, ERR_UNSUPPORTED, "not understood: " STR_FMT,
                      STR_ARG(n->text));
        return FLOW_FAILED;
    }
}

enum flow py_run(struct py *py, struct py_node *list, struct scope *s,
                 struct val **result)
{
    for (struct py_node *n = list; n; n = n->next) {
        if (!py_work(py, 1))
            return FLOW_FAILED;
        if (!py->in_library)
            py->line = n->line;
        enum flow flow = run_one(py, n, s, result);
        if (flow != FLOW_NEXT)
            return flow;
    }
    return FLOW_NEXT;
}

bool py_init(struct py *py, const struct py_host *host, struct arena *arena,
             uint64_t steps, struct err *err)
{
    *py = (struct py){.arena = arena,
                      .host = host,
                      .err = err,
                      .max_steps = steps,
                      .none = {.kind = VAL_NONE},
                      .yes = {.kind = VAL_BOOL, .as.boolean = true},
                      .no = {.kind = VAL_BOOL},
                      .ellipsis = {.kind = VAL_ELLIPSIS}};
    py->builtins = py_scope(py, NULL);
    return py->builtins && py_add_builtins(py);
}
