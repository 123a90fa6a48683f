/* Values as texts: str(), format(), messages. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/number.h"
#include "import/python/eval_internal.h"

enum { MAX_SHOW = 1 << 16 };

const char *py_kind_name(const struct val *v)
{
    static const char *const names[] = {
        [VAL_NONE] = "NoneType",
        [VAL_BOOL] = "bool",
        [VAL_INT] = "int",
        [VAL_FLOAT] = "float",
        [VAL_STR] = "str",
        [VAL_LIST] = "list",
        [VAL_TUPLE] = "tuple",
        [VAL_SET] = "set",
        [VAL_DICT] = "dict",
        [VAL_SLICE] = "slice",
        [VAL_ELLIPSIS] = "ellipsis",
        [VAL_FUNCTION] = "function",
        [VAL_BOUND] = "method",
        [VAL_BUILTIN] = "builtin",
        [VAL_CLASS] = "class",
        [VAL_OBJECT] = "object",
        [VAL_SPACE] = "module",
        [VAL_UNKNOWN] = "unknown value",
        [VAL_SUPER] = "super",
        [VAL_PROPERTY] = "property",
        [VAL_STATIC] = "staticmethod",
        [VAL_CLASSMETHOD] = "classmethod",
        [VAL_HOST] = "Tensor",
    };
    return names[v->kind];
}

static void show_float(struct buf *b, double v)
{
    char text[NUMBER_TEXT_MAX];

    if (isnan(v))
        buf_puts(b, "nan");
    else if (isinf(v))
        buf_puts(b, v < 0 ? "-inf" : "inf");
    else
        buf_put(b, (struct str){text, number_write_f64(text, v)});
}

static void show_in(struct buf *b, const struct val *v, int depth);

static void show_items(struct buf *b, const struct val *v, int depth)
{
    const char *const around = v->kind == VAL_LIST    ? "[]"
                               : v->kind == VAL_TUPLE ? "()"
                                                      : "{}";
    buf_putc(b, around[0]);
    for (size_t i = 0; i < v->as.items.n && b->n < MAX_SHOW; i++) {
        buf_puts(b, i ? ", " : "");
        show_in(b, v->as.items.v[i], depth);
    }
    if (v->kind == VAL_TUPLE && v->as.items.n == 1)
        buf_putc(b, ',');
    buf_putc(b, around[1]);
}

static void show_dict(struct buf *b, const struct table *t, int depth)
{
    bool first = true;

    buf_putc(b, '{');
    for (size_t i = 0; i < t->n && b->n < MAX_SHOW; i++) {
        if (!t->entries[i].key)
            continue;
        buf_puts(b, first ? "" : ", ");
        first = false;
        show_in(b, t->entries[i].key, depth);
        buf_puts(b, ": ");
        show_in(b, t->entries[i].value, depth);
    }
    buf_putc(b, '}');
}

static void show_in(struct buf *b, const struct val *v, int depth)
{
    if (depth > 20 || b->n > MAX_SHOW) {
        buf_puts(b, "...");
    } else if (v->kind == VAL_STR) {
        buf_putc(b, '\'');
        buf_put(b, v->as.text);
        buf_putc(b, '\'');
    } else if (v->kind == VAL_LIST || v->kind == VAL_TUPLE ||
               v->kind == VAL_SET) {
        show_items(b, v, depth + 1);
    } else if (v->kind == VAL_DICT) {
        show_dict(b, v->as.dict, depth + 1);
    } else {
        py_show(b, v);
    }
}

void py_show(struct buf *b, const struct val *v)
{
    switch (v->kind) {
    case VAL_NONE:
        buf_puts(b, "None");
        return;
    case VAL_BOOL:
        buf_puts(b, v->as.boolean ? "True" : "False");
        return;
    case VAL_INT:
        buf_put_i64(b, v->as.whole);
        return;
    case VAL_FLOAT:
        show_float(b, v->as.number);
        return;
    case VAL_STR:
    case VAL_SPACE:
    case VAL_UNKNOWN:
        buf_put(b, v->as.text);
        return;
    case VAL_LIST:
    case VAL_TUPLE:
    case VAL_SET:
    case VAL_DICT:
        show_in(b, v, 0);
        return;
    case VAL_CLASS:
        buf_put(b, v->as.klass->name);
        return;
    case VAL_OBJECT:
        buf_put(b, v->as.object.klass->name);
        return;
    case VAL_FUNCTION:
        buf_put(b, v->as.function->name);
        return;
    case VAL_SLICE:
    case VAL_ELLIPSIS:
    case VAL_BOUND:
    case VAL_BUILTIN:
    case VAL_SUPER:
    case VAL_PROPERTY:
    case VAL_STATIC:
    case VAL_CLASSMETHOD:
    case VAL_HOST:
        buf_printf(b, "<%s>", py_kind_name(v));
    }
}

struct val *py_from_buf(struct py *py, struct buf *b)
{
    char *copy = b->failed ? NULL : arena_cstr(py->arena, buf_str(b));
    size_t n = b->n;

    buf_fini(b);
    if (!copy)
        return py_fail(py, ERR_LIMIT, "a text is too long");
    return py_str(py, (struct str){copy, n});
}

struct val *py_shown(struct py *py, struct val *v)
{
    struct val *now =
        v && v->kind == VAL_UNKNOWN ? py_settle(py, v, WANT_TEXT, NULL) : NULL;

    return py->failed ? NULL : now ? now : v;
}

struct val *py_to_str(struct py *py, struct val *v)
{
    struct buf b;

    v = py_shown(py, v);
    if (!v)
        return NULL;

    if (v->kind == VAL_STR)
        return v;
    buf_init(&b, MAX_SHOW * 4);
    py_show(&b, v);
    return py_from_buf(py, &b);
}

/* "[0][width][.precision][type]" of format(); enough for names of layers. */
void py_format(struct buf *b, const struct val *v, struct str spec)
{
    char shape[16] = "%", out[96];
    double f;
    int64_t i;
    char type = spec.n ? spec.p[spec.n - 1] : '\0';

    if (spec.n > 0 && spec.n < 8 && py_to_int(v, &i) &&
        (type == 'd' || (type >= '0' && type <= '9'))) {
        bool zero = spec.p[0] == '0';
        int width = atoi(spec.p);
        (void)snprintf(out, sizeof(out), zero ? "%0*lld" : "%*lld",
                       width > 60 ? 60 : width, (long long)i);
        buf_puts(b, out);
    } else if (spec.n > 0 && spec.n < 8 && py_to_float(v, &f) &&
               (type == 'f' || type == 'e' || type == 'g')) {
        const char *dot = memchr(spec.p, '.', spec.n);
        int precision = dot ? atoi(dot + 1) : 6;
        (void)snprintf(shape, sizeof(shape), "%%.%d%c",
                       precision > 40 ? 40 : precision, type);
        (void)snprintf(out, sizeof(out), shape, f);
        buf_puts(b, out);
    } else {
        py_show(b, v);
    }
}

bool py_bind(struct py *py, const char *name, const char *signature,
             const struct args *a, struct val **slots, size_t max)
{
    struct str rest = str_from_cstr(signature);
    size_t n = 0, used = 0;

    while (rest.p && rest.n) {
        struct str part = str_trim(str_cut(&rest, ','));
        struct str value = part;
        struct str word = str_trim(str_cut(&value, '='));
        if (n == max || word.n == 0)
            break;
        if (word.p[0] == '*') {
            slots[n] = py_list(py, VAL_TUPLE, a->n);
            for (size_t i = n; i < a->n; i++)
                if (!py_append(py, slots[n], a->pos[i]))
                    return false;
            return slots[n] != NULL;
        }
        slots[n] = n < a->n ? a->pos[n] : NULL;
        struct val *given = a->kw ? table_find(a->kw, word) : NULL;
        if (given) {
            slots[n] = given;
            used++;
        }
        if (!slots[n] && value.p)
            slots[n] = py_literal(py, str_trim(value));
        if (!slots[n] && !value.p) {
            (void)py_fail(py, ERR_INVALID, "%s() needs '" STR_FMT "'", name,
                          STR_ARG(word));
            return false;
        }
        n++;
    }
    if (a->n > n || (a->kw && used < a->kw->live)) {
        (void)py_fail(py, ERR_UNSUPPORTED,
                      "%s() has an argument that is not known", name);
        return false;
    }
    return !py->failed;
}

struct val *py_literal(struct py *py, struct str s)
{
    const char *at = s.p;
    double v;

    if (str_eq(s, STR("None")))
        return &py->none;
    if (str_eq(s, STR("True")))
        return &py->yes;
    if (str_eq(s, STR("False")))
        return &py->no;
    if (s.n && (s.p[0] == '\'' || s.p[0] == '"'))
        return py_str(py, str_slice(s, 1, s.n - 1));
    char text[40];
    (void)snprintf(text, sizeof(text), STR_FMT, STR_ARG(s));
    at = text;
    if (!memchr(s.p, '.', s.n) && !memchr(s.p, 'e', s.n))
        return py_int(py, strtoll(text, NULL, 10));
    v = strtod(at, NULL);
    return py_float(py, v);
}
