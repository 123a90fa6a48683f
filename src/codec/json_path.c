/* Where in a JSON text a byte stands, as a path. A separate light walk: it
 * reads text that was found valid up to `at`, so it checks nothing. */
#include <stdio.h>
#include <string.h>

#include "codec/json.h"

struct level {
    bool object;
    size_t index;
    struct str key;
};

struct walk {
    struct level levels[JSON_MAX_DEPTH + 1];
    int depth;
    bool key_next; /* the next string is a name */
};

static const char *pass_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p < end ? p + 1 : end;
}

static bool step(struct walk *w, char c)
{
    struct level *top = &w->levels[w->depth];

    if (c == '{' || c == '[') {
        if (w->depth == JSON_MAX_DEPTH)
            return false;
        w->levels[++w->depth] = (struct level){.object = c == '{'};
        w->key_next = c == '{';
    } else if ((c == '}' || c == ']') && w->depth > 0) {
        w->depth--;
        w->key_next = false;
    } else if (c == ',') {
        top->index++;
        w->key_next = top->object;
    } else if (c == ':') {
        w->key_next = false;
    }
    return true;
}

static void print(const struct walk *w, char out[JSON_PATH_MAX])
{
    size_t n = 1;

    out[0] = '$';
    out[1] = '\0';
    for (int i = 1; i <= w->depth && n < JSON_PATH_MAX; i++) {
        const struct level *l = &w->levels[i];
        int more = 0;
        if (!l->object)
            more = snprintf(out + n, JSON_PATH_MAX - n, "[%zu]", l->index);
        else if (l->key.n && l->key.n < 64)
            more = snprintf(out + n, JSON_PATH_MAX - n, "." STR_FMT,
                            STR_ARG(l->key));
        n += (size_t)more;
    }
}

void json_path(struct str text, const char *at, char out[JSON_PATH_MAX])
{
    struct walk w;
    const char *p = text.p;

    memset(&w, 0, sizeof(w));
    while (p < at) {
        if (*p == '"') {
            const char *q = pass_string(p, text.p + text.n);
            if (q > at)
                break;
            if (w.key_next)
                w.levels[w.depth].key =
                    (struct str){p + 1, (size_t)(q - p) - 2};
            p = q;
        } else if (!step(&w, *p++)) {
            break;
        }
    }
    print(&w, out);
}
