/* Other people's files: what defines names is run, loops and calls are passed
 * over, and what cannot be made is an unknown value (unknown.c) or a name that
 * says why when it is used. */
#include "import/python/eval_internal.h"

enum { MAX_LOOP = 200 };

/* A name whose definition failed: using it says why. */
static bool note_failure(struct py *py, struct str name, struct scope *s)
{
    struct buf b;

    buf_init(&b, 1000);
    buf_put(&b, name);
    buf_printf(&b, " (%s)", py->err->msg);
    if (!py_recover(py)) {
        buf_fini(&b);
        return false;
    }
    struct val *text = py_from_buf(py, &b);
    struct val *v = text ? py_space(py, text->as.text) : NULL;
    return v && table_set(py, &s->names, name, v);
}

/* Names whose value could not be made stand for an unknown one. */
static bool forget(struct py *py, struct py_node *target, struct scope *s)
{
    struct py_node *t = target;

    if (t->kind == PY_TUPLE || t->kind == PY_LIST) {
        for (t = t->a; t; t = t->next)
            if (!forget(py, t, s))
                return false;
        return true;
    }
    if (t->kind == PY_STAR)
        t = t->a;
    if (t->kind != PY_NAME)
        return true;
    struct val *old = table_find(&s->names, t->text);
    bool keep = old && (old->kind == VAL_OBJECT || old->kind == VAL_CLASS ||
                        old->kind == VAL_FUNCTION);
    return keep || table_set(py, &s->names, t->text, py_unknown(py, t->text));
}

/* list.append(x) and its kin: the list. */
static struct py_node *changed_by_call(struct py_node *n)
{
    static const char *const names[] = {"append", "extend", "insert", "update",
                                        "add",    "sort",   "remove"};

    if (n->kind != PY_CALL || n->a->kind != PY_ATTR)
        return NULL;
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(n->a->text, str_from_cstr(names[i])))
            return n->a->a;
    return NULL;
}

/* What a loop that is not run would have changed. */
static bool forget_changed(struct py *py, struct py_node *list, struct scope *s,
                           int depth)
{
    for (struct py_node *n = list; n && depth < PY_MAX_NESTING; n = n->next) {
        struct py_node *changed =
            n->kind == PY_EXPR ? changed_by_call(n->a) : NULL;
        struct py_node *inner[] = {n->b, n->c, n->d};
        bool block = n->kind == PY_FOR || n->kind == PY_WHILE ||
                     n->kind == PY_IF || n->kind == PY_WITH ||
                     n->kind == PY_TRY;
        if (n->kind == PY_FOR || n->kind == PY_AUG || n->kind == PY_ANNOTATED)
            changed = n->a;
        if (changed && !forget(py, changed, s))
            return false;
        for (struct py_node *t = n->kind == PY_ASSIGN ? n->a : NULL; t;
             t = t->next)
            if (!forget(py, t, s))
                return false;
        if (n->kind == PY_TRY && !forget_changed(py, n->a, s, depth + 1))
            return false;
        for (size_t i = 0; block && i < COUNT(inner); i++)
            if (!(n->kind == PY_FOR && i == 0) &&
                !forget_changed(py, inner[i], s, depth + 1))
                return false;
    }
    return true;
}

static bool run_lenient(struct py *py, struct py_node *n, struct scope *s,
                        int depth);

static bool all_lenient(struct py *py, struct py_node *list, struct scope *s,
                        int depth)
{
    for (struct py_node *n = list; n; n = n->next)
        if (!run_lenient(py, n, s, depth))
            return false;
    return true;
}

static bool if_lenient(struct py *py, struct py_node *n, struct scope *s,
                       int depth)
{
    bool truth = false;

    if (!py_truth(py, py_eval(py, n->a, s), &truth) && !py_recover(py))
        return false;
    return all_lenient(py, truth ? n->b : n->c, s, depth);
}

static bool with_lenient(struct py *py, struct py_node *n, struct scope *s,
                         int depth)
{
    for (struct py_node *item = n->a; item; item = item->next)
        if (item->b && !forget(py, item->b, s))
            return false;
    return all_lenient(py, n->b, s, depth);
}

/* Names of what only training does. */
static bool trains(const struct py_node *n, int depth)
{
    static const char *const words[] = {"backward", "zero_grad", "step"};

    for (; n; n = n->next) {
        const struct py_node *const inner[] = {n->a, n->b, n->c, n->d};
        for (size_t i = 0; n->kind == PY_ATTR && i < COUNT(words); i++)
            if (str_eq(n->text, str_from_cstr(words[i])))
                return true;
        for (size_t i = 0; i < COUNT(inner) && depth < PY_MAX_NESTING; i++)
            if (trains(inner[i], depth + 1))
                return true;
    }
    return depth >= PY_MAX_NESTING;
}

/* A loop over a short list that is known: layers are put together. */
static bool loop_lenient(struct py *py, struct py_node *n, struct scope *s)
{
    struct val *result = NULL, *list;
    struct py_node one = *n;

    one.next = NULL;
    if (n->kind == PY_FOR && !trains(n->c, 0)) {
        list = py_eval(py, n->b, s);
        if (list && (list->kind == VAL_LIST || list->kind == VAL_TUPLE) &&
            list->as.items.n <= MAX_LOOP &&
            py_run(py, &one, s, &result) != FLOW_FAILED)
            return true;
        py->calls = 0;
        if (!py_recover(py))
            return false;
    }
    return forget_changed(py, &one, s, 0);
}

/* A statement that is not run by itself: only what it changes matters. */
static bool passed_over(struct py *py, struct py_node *n, struct scope *s)
{
    static const char *const changing[] = {
        "append",     "extend", "insert",       "update",
        "add_module", "apply",  "add_argument", "set_defaults"};
    struct val *result = NULL;
    struct py_node one = *n;

    if (n->kind == PY_FOR || n->kind == PY_WHILE)
        return loop_lenient(py, n, s);
    one.next = NULL;
    if (n->kind == PY_DEL)
        return py_run(py, &one, s, &result) != FLOW_FAILED || py_recover(py);
    if (n->kind != PY_EXPR || n->a->kind != PY_CALL || n->a->a->kind != PY_ATTR)
        return true;
    for (size_t i = 0; i < COUNT(changing); i++)
        if (str_eq(n->a->a->text, str_from_cstr(changing[i]))) {
            one.next = NULL;
            return py_run(py, &one, s, &result) != FLOW_FAILED ||
                   py_recover(py);
        }
    return true;
}

static bool run_lenient(struct py *py, struct py_node *n, struct scope *s,
                        int depth)
{
    struct val *result = NULL;
    struct py_node one = *n;
    enum flow flow;

    if (depth > 20)
        return true;
    if (n->kind == PY_IF)
        return if_lenient(py, n, s, depth + 1);
    if (n->kind == PY_WITH)
        return with_lenient(py, n, s, depth + 1);
    if (n->kind == PY_EXPR || n->kind == PY_FOR || n->kind == PY_WHILE ||
        n->kind == PY_BROKEN || n->kind == PY_ASSERT || n->kind == PY_RAISE ||
        n->kind == PY_DEL || n->kind == PY_RETURN)
        return passed_over(py, n, s);
    one.next = NULL;
    flow = py_run(py, &one, s, &result);
    if (flow != FLOW_FAILED)
        return true;
    py->calls = 0;
    if (n->kind == PY_DEF || n->kind == PY_CLASS)
        return note_failure(py, n->text, s);
    if (!py_recover(py))
        return false;
    if (n->kind == PY_AUG)
        return forget(py, n->a, s);
    for (struct py_node *t = n->kind == PY_ASSIGN ? n->a : NULL; t; t = t->next)
        if (!forget(py, t, s))
            return false;
    return true;
}

bool py_load_parsed(struct py *py, struct py_node *list, struct scope *globals,
                    enum py_load how)
{
    struct val *result = NULL;

    if (how == PY_STRICT)
        return py_run(py, list, globals, &result) != FLOW_FAILED;
    py->lenient = true;
    return table_set(py, &globals->names, STR("__name__"),
                     py_str(py, STR("__main__"))) &&
           all_lenient(py, list, globals, 0);
}

bool py_load(struct py *py, struct str text, struct scope *globals,
             enum py_load how)
{
    struct py_node *list;

    if (py_parse(text, py->arena, &list, py->err)) {
        py->failed = true;
        return false;
    }
    return py_load_parsed(py, list, globals, how);
}
