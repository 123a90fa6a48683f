/* Values that are not known: what stands in a file that is not here, what was
 * read from data, the argument of a constructor. An unknown has a name, which
 * grows as it is looked into ("config", "config.n_embd", "sizes[0]"), and
 * becomes a value where one is needed; the host says which (`settle`), so that
 * it can try several. */
#include <stdio.h>
#include <string.h>

#include "import/python/eval_internal.h"

enum { MAX_PATH = 160 };

struct val *py_unknown(struct py *py, struct str path)
{
    struct val *out = py_new(py, VAL_UNKNOWN);

    if (out)
        out->as.text = path;
    return out;
}

struct val *py_settle(struct py *py, struct val *v, enum py_want want,
                      struct val *hint)
{
    if (!v || v->kind != VAL_UNKNOWN)
        return v;
    if (!py->host->settle)
        return py_fail(py, ERR_NOT_FOUND, "the name '" STR_FMT "' is not known",
                       STR_ARG(v->as.text));
    return py->host->settle(py, v->as.text, want, hint);
}

struct val *py_known(struct py *py, const struct val *v)
{
    return py->host->settle ? py->host->settle(py, v->as.text, WANT_KNOWN, NULL)
                            : NULL;
}

static bool path_of(struct py *py, const struct val *v, const char *format,
                    struct str inner, struct val *out)
{
    char text[MAX_PATH + 8];
    int n = snprintf(text, sizeof(text), format, STR_ARG(v->as.text),
                     STR_ARG(inner));
    char *kept = n < 0 || n > MAX_PATH
                     ? NULL
                     : arena_cstr(py->arena, (struct str){text, (size_t)n});

    if (!kept) {
        (void)py_fail(py, ERR_LIMIT, "'%.60s...' is not known", text);
        return false;
    }
    *out = (struct val){.kind = VAL_UNKNOWN, .as.text = str_from_cstr(kept)};
    return true;
}

/* What is at that place of it: known, or a longer name. */
static struct val *part(struct py *py, const struct val *v, const char *format,
                        struct str inner)
{
    struct val path;

    if (!path_of(py, v, format, inner, &path))
        return NULL;
    struct val *known = py_known(py, &path);
    return known || py->failed ? known : py_unknown(py, path.as.text);
}

struct val *py_unknown_attr(struct py *py, struct val *v, struct str name)
{
    struct val *known = py_known(py, v);

    if (known || py->failed)
        return known ? py_attr_or_null(py, known, name) : NULL;
    return part(py, v, STR_FMT "." STR_FMT, name);
}

static struct val *array_part(struct py *py, struct val *v, struct val *at)
{
    struct buf b;

    buf_init(&b, MAX_PATH);
    py_show(&b, at);
    struct val *out =
        part(py, v, STR_FMT "[" STR_FMT "]",
             b.failed || !b.p ? STR("...") : (struct str){b.p, b.n});
    buf_fini(&b);
    return out;
}

struct val *py_unknown_index(struct py *py, struct val *v, struct val *at)
{
    char number[24];
    struct val *known = py_known(py, v);

    if (known || py->failed)
        return known ? py_index(py, known, at) : NULL;
    if (at->kind == VAL_STR)
        return part(py, v, STR_FMT "." STR_FMT, at->as.text);
    if (at->kind == VAL_UNKNOWN)
        return part(py, v, STR_FMT "[" STR_FMT "]", at->as.text);
    if (at->kind == VAL_TUPLE && !at->as.items.n)
        return v; /* numpy.load(path)[()] */
    if (at->kind == VAL_TUPLE)
        return array_part(py, v, at); /* x[:, 1:] of an array */
    if (at->kind != VAL_INT)
        return py_index(py, py_settle(py, v, WANT_LENGTH, NULL), at);
    (void)snprintf(number, sizeof(number), "%lld", (long long)at->as.whole);
    return part(py, v, STR_FMT "[" STR_FMT "]", str_from_cstr(number));
}

struct val *py_unknown_len(struct py *py, struct val *v)
{
    struct val *known = py_known(py, v);

    if (known)
        return py_call1(py, table_find(&py->builtins->names, STR("len")),
                        known);
    return py->failed ? NULL : part(py, v, "len(" STR_FMT ")" STR_FMT, STR(""));
}

/* Whether a record has a key, or a list a number, is a flag of its own: "'pool'
 * in config". */
struct val *py_unknown_holds(struct py *py, struct val *v,
                             const struct val *member)
{
    struct val *known = py_known(py, v), *has;
    char text[MAX_PATH + 8];

    if (known || py->failed ||
        (member->kind != VAL_STR && member->kind != VAL_INT))
        return py->failed ? NULL : known ? known : v;
    has = member->kind == VAL_STR ? py_unknown_attr(py, v, member->as.text) : v;
    if (!has || has->kind != VAL_UNKNOWN)
        return has ? &py->yes : NULL;
    int n = member->kind == VAL_STR
                ? snprintf(text, sizeof(text), "'" STR_FMT "' in " STR_FMT,
                           STR_ARG(member->as.text), STR_ARG(v->as.text))
                : snprintf(text, sizeof(text), "'%lld' in " STR_FMT,
                           (long long)member->as.whole, STR_ARG(v->as.text));
    char *kept = n < 0 || n > MAX_PATH
                     ? NULL
                     : arena_cstr(py->arena, (struct str){text, (size_t)n});
    return kept ? py_settle(py, py_unknown(py, str_from_cstr(kept)), WANT_TRUTH,
                            NULL)
                : py_fail(py, ERR_LIMIT, "'%.60s...' is not known", text);
}

/* config.get("hidden", 64): what is known, else what the source says. */
static struct val *get(struct py *py, struct str path, const struct args *a)
{
    struct val owner = {.kind = VAL_UNKNOWN, .as.text = path};
    struct val *v = py_unknown_attr(py, &owner, a->pos[0]->as.text);

    return v && v->kind == VAL_UNKNOWN && a->n > 1 ? a->pos[1] : v;
}

/* x.size() is x.shape, and x.size(0) is x.shape[0]. */
static struct val *size_of(struct py *py, struct str path, const struct args *a)
{
    struct val owner = {.kind = VAL_UNKNOWN,
                        .as.text = str_slice(path, 0, path.n - 5)};
    struct val *shape = py_unknown_attr(py, &owner, STR("shape"));

    return shape && a->n ? py_index(py, shape, a->pos[0]) : shape;
}

struct val *py_unknown_call(struct py *py, struct val *v, const struct args *a)
{
    static const struct str getters[] = {STR_INIT(".get"), STR_INIT(".pop")};
    struct str path = v->as.text;

    for (size_t i = 0; i < COUNT(getters); i++)
        if (str_ends(path, getters[i]) && a->n && a->pos[0]->kind == VAL_STR)
            return get(py, str_slice(path, 0, path.n - getters[i].n), a);
    if (str_ends(path, STR(".size")) && a->n < 2)
        return size_of(py, path, a);
    struct val *known = py_settle(py, v, WANT_CALL, NULL);
    if (!known || known->kind != VAL_UNKNOWN)
        return known ? py_call(py, known, a) : NULL;
    return part(py, v, STR_FMT "(" STR_FMT ")", STR(""));
}

bool py_unknown_set(struct py *py, struct val *v, struct str name,
                    struct val *value)
{
    struct val at;

    if (!path_of(py, v, STR_FMT "." STR_FMT, name, &at))
        return false;
    if (value->kind != VAL_UNKNOWN && py->host->settle)
        (void)py->host->settle(py, at.as.text, WANT_IS, value);
    return !py->failed;
}

/* An argument of an operator, which needs numbers, and of lists of them. */
static struct val *settled(struct py *py, struct val *v, int depth)
{
    bool open = false;

    if (v->kind == VAL_UNKNOWN)
        v = py_settle(py, v, WANT_NUMBER, NULL);
    if (!v ||
        (v->kind != VAL_LIST && v->kind != VAL_TUPLE && v->kind != VAL_SLICE) ||
        depth > 3)
        return v;
    for (size_t i = 0; i < v->as.items.n; i++) {
        enum val_kind k = v->as.items.v[i]->kind;
        open = open || k == VAL_UNKNOWN || k == VAL_LIST || k == VAL_TUPLE ||
               k == VAL_SLICE;
    }
    if (!open)
        return v;
    struct val *out = py_list(py, v->kind, v->as.items.n);
    for (size_t i = 0; out && i < v->as.items.n; i++)
        if (!py_append(py, out, settled(py, v->as.items.v[i], depth + 1)))
            return NULL;
    return out;
}

struct val *py_settle_deep(struct py *py, struct val *v)
{
    return py->lenient ? settled(py, v, 0) : v;
}

bool py_settle_args(struct py *py, const struct args *a, struct args *out)
{
    *out = *a;
    if (!py->lenient)
        return true;
    out->pos = arena_new(py->arena, struct val *, a->n + 1);
    if (!out->pos)
        return py_fail(py, ERR_NOMEM, "out of memory") != NULL;
    for (size_t i = 0; i < a->n; i++)
        if (!(out->pos[i] = settled(py, a->pos[i], 0)))
            return false;
    if (!a->kw || !a->kw->live)
        return true;
    struct val *kw = py_dict(py);
    for (size_t i = 0; kw && i < a->kw->n; i++)
        if (a->kw->entries[i].key &&
            !table_put(py, kw->as.dict, a->kw->entries[i].key,
                       settled(py, a->kw->entries[i].value, 0)))
            return false;
    out->kw = kw ? kw->as.dict : NULL;
    return kw != NULL;
}
