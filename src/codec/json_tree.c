#include "codec/json_tree.h"

#include "codec/number.h"

#include <string.h>

/* Text, number, literal. False: failed. */
static bool scalar(struct json *j, struct json_node *v, char first)
{
    const char *at = j->p;

    switch (first) {
    case '"':
        v->kind = JSON_STRING;
        return json_string(j, &v->text);
    case 't':
    case 'f':
        v->kind = JSON_BOOL;
        return json_bool(j, &v->boolean);
    case 'n':
        v->kind = JSON_NULL;
        return json_null(j);
    default:
        v->kind = JSON_NUMBER;
        if (!json_f64(j, &v->number))
            return false;
        for (; at < j->p; at++)
            if (*at == '.' || *at == 'e' || *at == 'E' || *at == 'N' ||
                *at == 'I')
                return true;
        v->integer = v->number >= -9e15 && v->number <= 9e15;
        v->whole = v->integer ? (int64_t)v->number : 0;
        return true;
    }
}

static struct json_node *add(struct json *j, struct json_node *parent,
                             struct json_node **tail, struct str key)
{
    struct json_node *v = arena_new(j->arena, struct json_node, 1);

    if (!v) {
        (void)json_fail(j, j->p, "the text is too large");
        return NULL;
    }
    v->key = key;
    if (*tail)
        (*tail)->next = v;
    else
        parent->first = v;
    *tail = v;
    parent->n++;
    return v;
}

struct open {
    struct json_node *node, *tail;
};

/* Begins the value v; containers are pushed. */
static bool begin(struct json *j, struct json_node *v, struct open *stack,
                  int *depth)
{
    char first = json_peek(j);

    if (first != '{' && first != '[')
        return scalar(j, v, first);
    v->kind = first == '{' ? JSON_OBJECT : JSON_ARRAY;
    if (!(first == '{' ? json_object(j) : json_array(j)))
        return false;
    stack[(*depth)++] = (struct open){v, NULL};
    return true;
}

struct json_node *json_tree(struct str text, struct arena *arena,
                            struct err *err)
{
    struct open stack[JSON_MAX_DEPTH + 1];
    struct json_node *root = arena_new(arena, struct json_node, 1);
    struct json j;
    int depth = 0;

    json_init(&j, text, arena, err);
    if (!root) {
        (void)err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    bool ok = begin(&j, root, stack, &depth);
    while (ok && depth) {
        struct open *top = &stack[depth - 1];
        struct str key = {NULL, 0};
        bool more =
            top->node->kind == JSON_OBJECT ? json_key(&j, &key) : json_item(&j);
        if (!more) {
            depth--;
            ok = !j.failed;
            continue;
        }
        struct json_node *v = add(&j, top->node, &top->tail, key);
        ok = v && begin(&j, v, stack, &depth);
    }
    return ok && json_end(&j) ? root : NULL;
}

struct json_node *json_tree_copy(struct str text, struct arena *arena,
                                 struct err *err)
{
    static const struct str mark = STR_INIT("\xef\xbb\xbf");
    char *copy = arena_alloc(arena, text.n + NUMBER_PAD, 1, 1);

    if (str_starts(text, mark)) /* of the byte order: RFC 8259, 8.1 */
        text = str_slice(text, mark.n, text.n);
    if (!copy) {
        (void)err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (text.n)
        memcpy(copy, text.p, text.n);
    return json_tree((struct str){copy, text.n}, arena, err);
}

struct json_node *json_get(const struct json_node *object, const char *key)
{
    if (!json_is(object, JSON_OBJECT))
        return NULL;
    struct str want = str_from_cstr(key);
    for (struct json_node *v = object->first; v; v = v->next)
        if (str_eq(v->key, want))
            return v;
    return NULL;
}

struct json_node *json_at(const struct json_node *array, size_t i)
{
    if (!json_is(array, JSON_ARRAY))
        return NULL;
    struct json_node *v = array->first;
    while (v && i--)
        v = v->next;
    return v;
}

bool json_is(const struct json_node *v, enum json_kind kind)
{
    return v && v->kind == kind;
}

int64_t json_i64_or(const struct json_node *v, int64_t other)
{
    if (!json_is(v, JSON_NUMBER))
        return other;
    if (v->integer)
        return v->whole;
    bool whole = v->number >= -9e15 && v->number <= 9e15 &&
                 (double)(int64_t)v->number == v->number;
    return whole ? (int64_t)v->number : other;
}

double json_f64_or(const struct json_node *v, double other)
{
    return json_is(v, JSON_NUMBER) ? v->number : other;
}

bool json_bool_or(const struct json_node *v, bool other)
{
    return json_is(v, JSON_BOOL) ? v->boolean : other;
}

struct str json_str_or(const struct json_node *v, const char *other)
{
    return json_is(v, JSON_STRING) ? v->text : str_from_cstr(other);
}

bool json_says(const struct json_node *v, const char *text)
{
    return json_is(v, JSON_STRING) && str_eq(v->text, str_from_cstr(text));
}

void json_tree_write(struct buf *b, const struct json_node *v)
{
    char number[NUMBER_TEXT_MAX];
    bool object = json_is(v, JSON_OBJECT);

    if (json_is(v, JSON_STRING)) {
        buf_put_quoted(b, v->text);
    } else if (json_is(v, JSON_NUMBER)) {
        size_t n = v->integer ? number_write_i64(number, v->whole)
                              : number_write_f64(number, v->number);
        buf_put(b, (struct str){number, n});
    } else if (json_is(v, JSON_BOOL)) {
        buf_puts(b, v->boolean ? "true" : "false");
    } else if (json_is(v, JSON_ARRAY) || object) {
        buf_putc(b, object ? '{' : '[');
        for (const struct json_node *m = v->first; m; m = m->next) {
            buf_puts(b, m == v->first ? "" : ",");
            if (object) {
                buf_put_quoted(b, m->key);
                buf_putc(b, ':');
            }
            json_tree_write(b, m); /* as deep as the reader allowed */
        }
        buf_putc(b, object ? '}' : ']');
    } else {
        buf_puts(b, "null");
    }
}
