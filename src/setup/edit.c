#include "setup/edit.h"

#include <string.h>

#include "codec/json_tree.h"
#include "setup/host.h"

enum { TEXT_MAX = 4 << 20, DEPTH_MAX = 64 };

/* ---- JSON ------------------------------------------------------------ */

static bool same_value(const struct json_node *a, const struct json_node *b)
{
    struct buf x, y;

    buf_init(&x, TEXT_MAX);
    buf_init(&y, TEXT_MAX);
    json_tree_write(&x, a);
    json_tree_write(&y, b);
    bool same = str_eq(buf_str(&x), buf_str(&y));
    buf_fini(&x);
    buf_fini(&y);
    return same;
}

static bool array_has(const struct json_node *array, const struct json_node *v)
{
    for (const struct json_node *i = array->first; i; i = i->next)
        if (same_value(i, v))
            return true;
    return false;
}

static void append_node(struct json_node *to, struct json_node *v)
{
    struct json_node **last = &to->first;

    while (*last)
        last = &(*last)->next;
    v->next = NULL;
    *last = v;
    to->n++;
}

/* The wanted ones that are missing come first, in their order. */
static bool merge_array(struct json_node *have, const struct json_node *want,
                        struct arena *a)
{
    struct json_node *first = NULL, **last = &first;
    size_t n = 0;

    for (const struct json_node *v = want->first; v; v = v->next) {
        struct json_node *copy;
        if (array_has(have, v) || !(copy = arena_new(a, struct json_node, 1)))
            continue;
        *copy = *v;
        *last = copy;
        last = &copy->next;
        n++;
    }
    *last = have->first;
    have->first = first;
    have->n += n;
    return n > 0;
}

/* True when something came in. The trees are as deep as `wanted`, ours. */
static bool merge_object(struct json_node *have, const struct json_node *want,
                         struct arena *a)
{
    bool changed = false;

    for (const struct json_node *v = want->first; v; v = v->next) {
        const char *key = arena_cstr(a, v->key);
        struct json_node *mine = key ? json_get(have, key) : NULL;
        struct json_node *copy;
        if (mine && json_is(mine, JSON_OBJECT) && json_is(v, JSON_OBJECT)) {
            changed |= merge_object(mine, v, a);
        } else if (mine && json_is(mine, JSON_ARRAY) &&
                   json_is(v, JSON_ARRAY)) {
            changed |= merge_array(mine, v, a);
        } else if (!mine && (copy = arena_new(a, struct json_node, 1))) {
            *copy = *v;
            append_node(have, copy);
            changed = true;
        }
    }
    return changed;
}

static void put_pretty(struct buf *out, const struct json_node *v, int depth)
{
    bool object = json_is(v, JSON_OBJECT);

    if ((!object && !json_is(v, JSON_ARRAY)) || !v->first ||
        depth > DEPTH_MAX) {
        json_tree_write(out, v);
        return;
    }
    buf_puts(out, object ? "{\n" : "[\n");
    for (const struct json_node *i = v->first; i; i = i->next) {
        buf_printf(out, "%*s", 4 * (depth + 1), "");
        if (object) {
            buf_put_quoted(out, i->key);
            buf_puts(out, ": ");
        }
        put_pretty(out, i, depth + 1);
        buf_puts(out, i->next ? ",\n" : "\n");
    }
    buf_printf(out, "%*s%c", 4 * depth, "", object ? '}' : ']');
}

enum errc edit_json(struct str text, const char *wanted, struct arena *a,
                    struct str *out, struct err *err)
{
    bool empty = true;
    for (size_t i = 0; i < text.n; i++)
        empty &= strchr(" \t\r\n", text.p[i]) && text.p[i];
    struct json_node *have = json_tree_copy(empty ? STR("{}") : text, a, err);
    struct json_node *want =
        have ? json_tree_copy(str_from_cstr(wanted), a, err) : NULL;
    struct buf b;

    if (!want)
        return ERR_INVALID;
    if (!json_is(have, JSON_OBJECT))
        return err_set(err, ERR_INVALID, "it is no JSON object");
    *out = text;
    if (!merge_object(have, want, a) && !empty)
        return ERR_OK;
    buf_init(&b, TEXT_MAX);
    put_pretty(&b, have, 0);
    buf_putc(&b, '\n');
    char *copy = b.failed ? NULL : arena_cstr(a, buf_str(&b));
    *out = (struct str){copy, b.n};
    buf_fini(&b);
    return copy ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
}

/* ---- lines ----------------------------------------------------------- */

/* The word in that place of a line; empty in a comment. */
static struct str word_at(struct str line, unsigned place)
{
    struct str word = str_word(&line);

    if (word.n && word.p[0] == '#')
        return STR("");
    while (place-- > 0)
        word = str_word(&line);
    return word;
}

static struct str kept(struct plan *p, struct buf *b)
{
    char *copy = b->failed ? NULL : arena_cstr(p->arena, buf_str(b));
    struct str out = {copy ? copy : "", copy ? b->n : 0};

    p->failed |= !copy;
    buf_fini(b);
    return out;
}

struct str edit_line(struct plan *p, struct str text, unsigned place,
                     const char *word, const char *line)
{
    struct str wanted = str_from_cstr(word);
    bool there = false;
    struct buf b;

    buf_init(&b, HOST_FILE_MAX);
    while (text.n) {
        struct str old = str_cut(&text, '\n');
        bool match = str_eq(word_at(old, place), wanted);
        if (match && there)
            continue;
        buf_put(&b, match ? str_from_cstr(line) : old);
        buf_putc(&b, '\n');
        there |= match;
    }
    if (!there)
        buf_printf(&b, "%s\n", line);
    return kept(p, &b);
}

struct str edit_comment(struct plan *p, struct str text, unsigned place,
                        const char *word, const char *mark)
{
    struct str whole = text, wanted = str_from_cstr(word);
    bool any = false;
    struct buf b;

    buf_init(&b, HOST_FILE_MAX);
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        bool match = str_eq(word_at(line, place), wanted);
        buf_puts(&b, match ? mark : "");
        buf_put(&b, line);
        buf_putc(&b, '\n');
        any |= match;
    }
    struct str out = kept(p, &b);
    return any ? out : whole;
}

struct str edit_block(struct plan *p, struct str text, const char *name,
                      const char *block)
{
    const char *start = made(p, "# stoker setup %s", name);
    const char *end = made(p, "# stoker setup %s end", name);
    bool inside = false;
    struct buf b;

    buf_init(&b, HOST_FILE_MAX);
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        if (str_eq(line, str_from_cstr(start)))
            inside = true;
        if (!inside) {
            buf_put(&b, line);
            buf_putc(&b, '\n');
        }
        if (str_eq(line, str_from_cstr(end)))
            inside = false;
    }
    buf_printf(&b, "%s\n%s%s\n", start, block, end);
    return kept(p, &b);
}
