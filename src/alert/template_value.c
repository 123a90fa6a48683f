/* template_value.c - what values are like: true, printed, as texts. */
#include "alert/template_internal.h"
#include "codec/go_float.h"

const char *value_type(const struct value *v)
{
    static const char *const names[] = {
        "nil",    "bool",         "int",  "float64", "string", "map of labels",
        "sample", "query result", "data", "args",    "object", "list"};

    return v->kind == VALUE_OBJECT ? v->type->name : names[v->kind];
}

bool value_is_true(const struct value *v)
{
    switch (v->kind) {
    case VALUE_NIL:
        return false;
    case VALUE_BOOL:
        return v->b;
    case VALUE_INT:
        return v->i != 0;
    case VALUE_FLOAT:
        return v->f != 0;
    case VALUE_TEXT:
        return v->text.n != 0;
    case VALUE_LABELS:
        return v->labels.n != 0;
    case VALUE_VECTOR:
    case VALUE_PAIRS:
    case VALUE_TEXTS:
        return v->n != 0;
    case VALUE_OBJECT:
        return !v->type->count || v->type->count(v->object) != 0;
    case VALUE_SAMPLE:
    case VALUE_DATA:
        break;
    }
    return true;
}

static void print_labels(struct buf *out, struct labels l)
{
    buf_puts(out, "map[");
    for (size_t i = 0; i < l.n; i++)
        buf_printf(out, "%s" STR_FMT ":" STR_FMT, i ? " " : "",
                   STR_ARG(l.v[i].name), STR_ARG(l.v[i].value));
    buf_putc(out, ']');
}

static void print_float(struct buf *out, double v)
{
    char text[GO_FLOAT_MAX];

    buf_put(out, (struct str){text, go_float(text, 'g', v)});
}

static void print_sample(struct buf *out, const struct promql_series *s)
{
    buf_puts(out, "map[Labels:");
    print_labels(out, s->labels);
    buf_puts(out, " Value:");
    print_float(out, s->points[0].v);
    buf_putc(out, ']');
}

void value_print(struct buf *out, const struct value *v)
{
    switch (v->kind) {
    case VALUE_NIL:
        buf_puts(out, "<no value>");
        break;
    case VALUE_BOOL:
        buf_puts(out, v->b ? "true" : "false");
        break;
    case VALUE_INT:
        buf_put_i64(out, v->i);
        break;
    case VALUE_FLOAT:
        print_float(out, v->f);
        break;
    case VALUE_TEXT:
        buf_put(out, v->text);
        break;
    case VALUE_LABELS:
        print_labels(out, v->labels);
        break;
    case VALUE_SAMPLE:
    case VALUE_VECTOR:
        buf_puts(out, v->kind == VALUE_VECTOR ? "[" : "");
        for (size_t i = 0; i < v->n; i++) {
            buf_puts(out, i ? " " : "");
            print_sample(out, &v->v[i]);
        }
        buf_puts(out, v->kind == VALUE_VECTOR ? "]" : "");
        break;
    case VALUE_TEXTS:
        buf_putc(out, '[');
        for (size_t i = 0; i < v->n; i++)
            buf_printf(out, "%s" STR_FMT, i ? " " : "", STR_ARG(v->texts[i]));
        buf_putc(out, ']');
        break;
    case VALUE_OBJECT:
        if (v->type->print) {
            v->type->print(out, v->object);
            break;
        }
        buf_printf(out, "<%s>", v->type->name);
        break;
    case VALUE_DATA:
    case VALUE_PAIRS:
        buf_printf(out, "<%s>", value_type(v));
        break;
    }
}

enum errc value_from_buf(struct run *r, struct buf *b, struct value *out)
{
    const char *copy = b->failed ? NULL : arena_cstr(&r->arena, buf_str(b));

    *out = (struct value){.kind = VALUE_TEXT, .text = {copy, b->n}};
    buf_fini(b);
    return copy ? ERR_OK : template_fail(r, "the text is too long");
}

enum errc value_text(struct run *r, const struct value *v, struct str *out)
{
    struct value text = {0};
    struct buf b;

    if (v->kind == VALUE_TEXT) {
        *out = v->text;
        return ERR_OK;
    }
    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    value_print(&b, v);
    enum errc rc = value_from_buf(r, &b, &text);
    *out = text.text;
    return rc;
}

/* ---- lists -------------------------------------------------------------- */

bool value_count(const struct value *of, size_t *n)
{
    *n = of->kind == VALUE_LABELS ? of->labels.n : of->n;
    if (of->kind == VALUE_OBJECT && of->type->count)
        *n = of->type->count(of->object);
    return of->kind == VALUE_VECTOR || of->kind == VALUE_LABELS ||
           of->kind == VALUE_TEXTS ||
           (of->kind == VALUE_OBJECT && of->type->count);
}

void value_item(const struct value *of, size_t i, struct value *key,
                struct value *item)
{
    *key = value_of_int((int64_t)i);
    if (of->kind == VALUE_LABELS) {
        *key = value_of_text(of->labels.v[i].name);
        *item = value_of_text(of->labels.v[i].value);
    } else if (of->kind == VALUE_TEXTS) {
        *item = value_of_text(of->texts[i]);
    } else if (of->kind == VALUE_OBJECT) {
        of->type->item(of->object, i, item);
    } else {
        *item = (struct value){.kind = VALUE_SAMPLE, .v = of->v + i, .n = 1};
    }
}
