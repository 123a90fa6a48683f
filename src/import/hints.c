#include "import/hints.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/json_tree.h"
#include "codec/number.h"

enum { CODE_MAX = 16 << 20, JSON_MAX = 1 << 20, N_TEXTS = 4 };

static void put_text(struct buf *b, struct str s)
{
    uint32_t n = (uint32_t)s.n;

    buf_put(b, (struct str){(const char *)&n, sizeof(n)});
    buf_put(b, s);
}

bool hints_parse(struct str bytes, struct import_options *out)
{
    struct str *const texts[N_TEXTS] = {&out->code, &out->class_name,
                                        &out->init, &out->input};

    *out = (struct import_options){.code = {"", 0}};
    for (size_t i = 0; i < N_TEXTS; i++)
        *texts[i] = STR("");
    if (bytes.n == 0)
        return true;
    for (size_t i = 0; i < N_TEXTS; i++) {
        uint32_t n;
        if (bytes.n < sizeof(n))
            return false;
        memcpy(&n, bytes.p, sizeof(n));
        bytes = str_slice(bytes, sizeof(n), bytes.n);
        if (n > bytes.n)
            return false;
        *texts[i] = str_slice(bytes, 0, n);
        bytes = str_slice(bytes, n, bytes.n);
    }
    /* What follows is room for readers that look ahead. */
    return true;
}

/* The source of the cells of a notebook; NUMBER_PAD bytes follow the text. */
static enum errc notebook(struct str text, struct buf *out, struct err *err)
{
    struct arena arena;

    arena_init(&arena, (size_t)CODE_MAX * 4);
    struct json_node *root = json_tree(text, &arena, err);
    const struct json_node *cells = json_get(root, "cells");
    if (!cells) /* format 3 */
        cells = json_get(json_at(json_get(root, "worksheets"), 0), "cells");
    for (const struct json_node *c = cells ? cells->first : NULL; c;
         c = c->next) {
        const struct json_node *source = json_get(c, "source");
        source = source ? source : json_get(c, "input");
        if (!json_says(json_get(c, "cell_type"), "code"))
            continue;
        if (json_is(source, JSON_STRING))
            buf_put(out, source->text);
        for (const struct json_node *line = source ? source->first : NULL; line;
             line = line->next)
            buf_put(out, json_str_or(line, ""));
        buf_putc(out, '\n');
    }
    arena_fini(&arena);
    return root ? ERR_OK : ERR_INVALID;
}

static enum errc read_code(const char *path, struct buf *out, struct err *err)
{
    struct buf file;

    buf_init(&file, (size_t)CODE_MAX + NUMBER_PAD);
    enum errc rc = json_read_file(path, &file, err);
    if (!rc && str_ends(str_from_cstr(path), STR(".ipynb")))
        rc = notebook(buf_str(&file), out, err);
    else if (!rc)
        buf_put(out, buf_str(&file));
    buf_putc(out, '\n');
    buf_fini(&file);
    if (rc)
        return err_wrap(err, rc, "--code '%s'", path);
    return out->failed ? err_set(err, ERR_LIMIT,
                                 "--code: the source is too "
                                 "long")
                       : ERR_OK;
}

/* Paths separated by commas, relative to folder unless that is "". */
static enum errc read_codes(const char *paths, const char *folder,
                            struct buf *out, struct err *err)
{
    struct str rest = str_from_cstr(paths);
    enum errc rc = ERR_OK;

    while (rest.p && rest.n && !rc) {
        char path[PATH_MAX];
        struct str part = str_trim(str_cut(&rest, ','));
        bool relative = folder[0] && part.n && part.p[0] != '/';
        int n = snprintf(path, sizeof(path), "%s" STR_FMT,
                         relative ? folder : "", STR_ARG(part));
        if (n < 0 || (size_t)n >= sizeof(path))
            return err_set(err, ERR_LIMIT, "--code: the path is too long");
        rc = read_code(path, out, err);
    }
    return rc;
}

/* Beneath the folder of the model, and nowhere else. */
static bool beneath(struct str path)
{
    return path.n && path.p[0] != '/' && !memmem(path.p, path.n, "..", 2);
}

/* import.json beside the model; absent: nothing. */
static enum errc sidecar(const char *model, struct buf texts[N_TEXTS],
                         struct err *err)
{
    char folder[PATH_MAX], path[PATH_MAX];
    const char *slash = strrchr(model, '/');
    struct arena arena;
    struct buf file;

    (void)snprintf(folder, sizeof(folder), "%.*s",
                   slash ? (int)(slash - model + 1) : 0, model);
    if (snprintf(path, sizeof(path), "%.4000simport.json", folder) < 0 ||
        access(path, F_OK) != 0) /* one that cannot be read is an error */
        return ERR_OK;
    arena_init(&arena, (size_t)JSON_MAX * 64);
    buf_init(&file, (size_t)JSON_MAX + NUMBER_PAD);
    enum errc rc = json_read_file(path, &file, err);
    struct json_node *root = rc ? NULL : json_tree(buf_str(&file), &arena, err);
    if (!rc && !root)
        rc = ERR_INVALID;
    if (!rc && json_get(root, "code")) {
        struct str code = json_str_or(json_get(root, "code"), "");
        char *text = arena_cstr(&arena, code);
        if (text && beneath(code))
            rc = read_codes(text, folder, &texts[0], err);
        else
            rc = err_set(err, ERR_DENIED,
                         "\"code\" must name a file beside the model");
    }
    if (!rc) {
        const struct json_node *init = json_get(root, "init");
        buf_put(&texts[1], json_str_or(json_get(root, "class"), ""));
        if (json_is(init, JSON_STRING))
            buf_put(&texts[2], init->text);
        else if (init)
            json_tree_write(&texts[2], init);
        buf_put(&texts[3], json_str_or(json_get(root, "input"), ""));
    }
    buf_fini(&file);
    arena_fini(&arena);
    return rc ? err_wrap(err, rc, "'%.200s'", path) : ERR_OK;
}

enum errc hints_read(const struct import_hints *hints, const char *model,
                     struct hint_texts *out, struct err *err)
{
    static const struct import_hints nothing;
    struct buf texts[N_TEXTS];
    enum errc rc = ERR_OK;

    hints = hints ? hints : &nothing;
    *out = (struct hint_texts){.bytes = {.p = NULL}};
    buf_init(&out->bytes, (size_t)CODE_MAX * 2);
    for (size_t i = 0; i < N_TEXTS; i++)
        buf_init(&texts[i], i ? JSON_MAX : CODE_MAX);
    if (hints->code)
        rc = read_codes(hints->code, "", &texts[0], err);
    buf_puts(&texts[1], hints->class_name ? hints->class_name : "");
    buf_puts(&texts[2], hints->init ? hints->init : "");
    buf_puts(&texts[3], hints->input ? hints->input : "");
    if (!rc && !hints->code && !hints->class_name && !hints->init &&
        !hints->input)
        rc = sidecar(model, texts, err);
    bool any = false;
    for (size_t i = 0; i < N_TEXTS; i++)
        any = any || texts[i].n;
    for (size_t i = 0; i < N_TEXTS && any; i++)
        put_text(&out->bytes, buf_str(&texts[i]));
    for (size_t i = 0; any && i < NUMBER_PAD; i++)
        buf_putc(&out->bytes, '\0');
    for (size_t i = 0; i < N_TEXTS; i++)
        buf_fini(&texts[i]);
    if (!rc && (out->bytes.failed ||
                !hints_parse(buf_str(&out->bytes), &out->options)))
        rc = err_set(err, ERR_LIMIT, "the hints for the import are too long");
    return rc;
}

void hints_fini(struct hint_texts *t)
{
    buf_fini(&t->bytes);
}
