#include "machine/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "codec/json_tree.h"

static const struct {
    char kind;
    const char *name;
} kinds[] = {
    {'f', "file"}, {'l', "link"}, {'d', "directory"},
    {'e', "type"}, {'q', "fact"},
};

static const char *const founds[] = {[FOUND] = "yes",
                                     [ABSENT] = "no",
                                     [DENIED] = "denied",
                                     [BROKEN] = "broken",
                                     [NOT_CAPTURED] = "not captured"};

int answer_compare(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;

    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1)
                              : strcmp(x->name, y->name);
}

static char kind_named(const struct json_node *n)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (json_says(n, kinds[i].name))
            return kinds[i].kind;
    return '\0';
}

static bool take(const struct json_node *n, struct arena *a, struct answer *out)
{
    struct str name = json_str_or(json_get(n, "name"), "");
    const char *copy = arena_cstr(a, name);

    out->kind = kind_named(json_get(n, "kind"));
    out->name = copy ? copy : "";
    out->found = NOT_CAPTURED;
    for (size_t i = 0; i < COUNT(founds); i++)
        if (json_says(json_get(n, "found"), founds[i]))
            out->found = (enum found)i;
    struct str text = json_str_or(json_get(n, "text"), "");
    const char *kept = arena_cstr(a, text);
    out->text = (struct str){kept ? kept : "", kept ? text.n : 0};
    return out->kind && name.n;
}

enum errc bundle_read(struct str text, struct arena *a, struct bundle *out,
                      struct err *err)
{
    const struct json_node *root = json_tree_copy(text, a, err);
    const struct json_node *list = json_get(root, "answers");

    if (!root)
        return err_wrap(err, ERR_INVALID, "this is no capture");
    if (json_i64_or(json_get(root, "stoker_capture"), 0) != 1 ||
        !json_is(list, JSON_ARRAY))
        return err_set(err, ERR_INVALID,
                       "this is no capture: 'stoker doctor --capture FILE' "
                       "makes one");
    *out = (struct bundle){arena_new(a, struct answer, list->n + 1), 0};
    if (!out->v)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (const struct json_node *n = list->first; n; n = n->next)
        if (take(n, a, &out->v[out->n]))
            out->n++;
    if (out->n)
        qsort(out->v, out->n, sizeof(*out->v), answer_compare);
    return ERR_OK;
}

enum found bundle_ask(const struct bundle *b, char kind, const char *name,
                      struct str *out)
{
    const struct answer key = {.kind = kind, .name = name};
    const struct answer *found =
        b->n ? bsearch(&key, b->v, b->n, sizeof(*b->v), answer_compare) : NULL;

    if (found && found->found == FOUND)
        *out = found->text;
    return found ? found->found : NOT_CAPTURED;
}

static const char *kind_name(char kind)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "";
}

void bundle_write(const struct bundle *b, const char *made, struct buf *out)
{
    buf_printf(out, "{\"stoker_capture\": 1, \"made\": \"%s\", \"answers\": [",
               made);
    for (size_t i = 0; i < b->n; i++) {
        const struct answer *x = &b->v[i];
        buf_puts(out, i ? ",\n" : "\n");
        buf_put_field(out, "{\"kind\": ", str_from_cstr(kind_name(x->kind)));
        buf_put_field(out, ", \"name\": ", str_from_cstr(x->name));
        buf_put_field(out, ", \"found\": ", str_from_cstr(founds[x->found]));
        if (x->found == FOUND)
            buf_put_field(out, ", \"text\": ", x->text);
        buf_putc(out, '}');
    }
    buf_puts(out, "\n]}\n");
}
