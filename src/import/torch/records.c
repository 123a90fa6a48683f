/* Records of settings: an argument that the source says is a dataclass is made
 * from that class, its fields open one by one:
 *
 *     class Transformer(nn.Module):
 *         def __init__(self, params: ModelArgs): ...
 */
#include <stdio.h>

#include "import/torch/solve_internal.h"

/* Names of arguments that are records, when the source has one dataclass. */
bool solver_names_record(struct str name)
{
    static const char *const names[] = {
        "config", "cfg",     "conf",    "args", "params",
        "hps",    "hparams", "options", "opt",  "model_args"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, str_from_cstr(names[i])))
            return true;
    return false;
}

static struct klass *dataclass(const struct val *v)
{
    return v && v->kind == VAL_CLASS && v->as.klass->dataclass &&
                   !klass_named(v->as.klass, "Module")
               ? v->as.klass
               : NULL;
}

static struct klass *only_dataclass(const struct scope *globals)
{
    struct klass *only = NULL;

    for (size_t i = 0; i < globals->names.n; i++) {
        struct klass *k = globals->names.entries[i].key
                              ? dataclass(globals->names.entries[i].value)
                              : NULL;
        if (k && only)
            return NULL;
        only = k ? k : only;
    }
    return only;
}

static struct klass *class_of(const struct scope *globals,
                              const struct py_node *parameter)
{
    const struct py_node *type = parameter->b;
    struct klass *k = type && (type->kind == PY_NAME || type->kind == PY_STRING)
                          ? dataclass(table_find(&globals->names, type->text))
                          : NULL;

    return k                                      ? k
           : solver_names_record(parameter->text) ? only_dataclass(globals)
                                                  : NULL;
}

static struct str field_path(struct trace *t, struct str record,
                             struct str field)
{
    char text[160];
    int n = snprintf(text, sizeof(text), STR_FMT "." STR_FMT, STR_ARG(record),
                     STR_ARG(field));
    char *kept = n > 0 && (size_t)n < sizeof(text)
                     ? arena_cstr(t->py.arena, (struct str){text, (size_t)n})
                     : NULL;

    if (!kept)
        (void)py_fail(&t->py, ERR_LIMIT, "the name '%.60s...' is too long",
                      text);
    return kept ? str_from_cstr(kept) : (struct str){0};
}

/* A field of which something is known, or may be found. */
static bool open_field(struct trace *t, const struct klass *k,
                       struct py_node *field, struct str path,
                       struct table *fields)
{
    struct val *usual = field->b ? py_eval(&t->py, field->b, k->scope) : NULL;

    if (t->py.failed && !py_recover(&t->py))
        return false;
    if (usual && solver_is_tried(usual))
        unknown_likely(t, path, usual);
    else if (field->b && !unknown_settle(&t->py, path, WANT_KNOWN, NULL))
        return !t->py.failed; /* it stays what the class says */
    struct val *v = py_unknown(&t->py, path);
    return v && table_set(&t->py, fields, field->a->text, v);
}

static bool open_fields(struct trace *t, const struct klass *k,
                        struct str record, struct table *fields)
{
    for (size_t i = 0; i < k->n_bases; i++)
        if (!open_fields(t, k->bases[i], record, fields))
            return false;
    for (struct py_node *n = k->body; n; n = n->next) {
        if (n->kind != PY_ANNOTATED || n->a->kind != PY_NAME)
            continue;
        struct str path = field_path(t, record, n->a->text);
        if (!path.n || !open_field(t, k, n, path, fields))
            return false;
    }
    return true;
}

bool solver_fill_records(struct trace *t, const struct scope *globals,
                         const struct py_node *parameters, struct table *given)
{
    for (const struct py_node *p = parameters; p; p = p->next) {
        struct val *v = table_find(given, p->text);
        struct klass *k =
            v && v->kind == VAL_UNKNOWN &&
                    !unknown_settle(&t->py, p->text, WANT_KNOWN, NULL)
                ? class_of(globals, p)
                : NULL;
        struct table fields = {0};
        struct args a = {NULL, 0, &fields};
        if (!k)
            continue;
        if (!open_fields(t, k, p->text, &fields) ||
            !table_set(&t->py, given, p->text, py_call(&t->py, k->value, &a)))
            return false;
    }
    return !t->py.failed;
}
