#include "cli/config/settings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

enum { FILE_MAX = 1 << 20, MEMORY_MAX = 64 << 20, NAME_BYTES_MAX = 64 };

/* While a file is read. */
struct reading {
    struct yaml_form form;
    struct settings *settings;
    struct block **tail;
    enum language language;
};

const struct section *section_find(const char *name)
{
    for (const struct section *c = sections; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

bool section_has(const struct section *c, const struct flag *f)
{
    if (f->hidden)
        return false;
    for (size_t i = 0; c->except && c->except[i]; i++)
        if (strcmp(c->except[i], f->name) == 0)
            return false;
    return true;
}

const char *setting_name(const struct flag *f, char out[FLAG_NAME_MAX])
{
    (void)snprintf(out, FLAG_NAME_MAX, "%s", f->name);
    for (char *c = out; *c; c++)
        if (*c == '-')
            *c = '_';
    return out;
}

const struct yaml *block_value(const struct block *b, const struct flag *f)
{
    const struct section *c = b->section;
    char name[FLAG_NAME_MAX];

    if (!b->node)
        return NULL;
    if (b->node->kind == YAML_TEXT)
        return c->shorthand && strcmp(c->shorthand, f->name) == 0 ? b->node
                                                                  : NULL;
    const struct yaml *n = yaml_get(b->node, setting_name(f, name));
    return n ? n : yaml_get(b->node, f->name);
}

const struct block *settings_next(const struct settings *s, const char *section,
                                  const struct block *after)
{
    for (const struct block *b = after ? after->next : s->blocks; b;
         b = b->next)
        if (strcmp(b->section->name, section) == 0)
            return b;
    return NULL;
}

const struct block *settings_block(const struct settings *s,
                                   const char *section, const char *name)
{
    for (const struct block *b = NULL; (b = settings_next(s, section, b));)
        if (!name || !name[0] || strcmp(b->name, name) == 0)
            return b;
    return NULL;
}

/* ---- names that nobody knows ---------------------------------------- */

/* The message with what was meant, if that can be guessed, behind it. */
static void unknown(struct reading *r, const struct yaml *n, const char *where,
                    const char *near, const char *home)
{
    struct yaml at = *n;
    char hint[160] = "";

    at.line = n->key_line;
    at.column = n->key_column;
    if (near)
        (void)snprintf(hint, sizeof(hint),
                       text_in(r->language, TEXT_DID_YOU_MEAN), near);
    else if (home)
        (void)snprintf(hint, sizeof(hint),
                       text_in(r->language, TEXT_CONFIG_HOME), home);
    yaml_wrong(&r->form, &at, text_in(r->language, TEXT_CONFIG_UNKNOWN), where,
               where[0] ? "." : "", (int)n->key.n, n->key.p,
               hint[0] ? "; " : "", hint);
}

static void unknown_section(struct reading *r, const struct yaml *n,
                            const char *name)
{
    const char *names[16], *home = NULL;
    size_t count = 0;

    for (const struct section *c = sections; c->name && count < COUNT(names);
         c++) {
        names[count++] = c->name;
        const struct flag *f = c->flags ? flag_find(c->flags, name) : NULL;
        if (f && section_has(c, f) && !home && !c->many)
            home = c->name;
    }
    unknown(r, n, "", nearest_word(name, names, count), home);
}

static void unknown_setting(struct reading *r, const struct yaml *n,
                            const struct section *c, const char *where,
                            const char *name)
{
    char texts[FLAGS_MAX][FLAG_NAME_MAX];
    const char *names[FLAGS_MAX], *home = NULL;
    size_t count = 0;

    for (const struct flag *f = c->flags; f->name[0] && count < FLAGS_MAX; f++)
        if (section_has(c, f)) {
            names[count] = setting_name(f, texts[count]);
            count++;
        }
    for (const struct section *o = sections; o->name; o++) {
        const struct flag *f = o->flags ? flag_find(o->flags, name) : NULL;
        if (o != c && f && section_has(o, f) && !home)
            home = o->name;
    }
    const char *near = nearest_word(name, names, count);
    unknown(r, n, where, near, home);
}

/* ---- blocks --------------------------------------------------------- */

static void take_setting(struct reading *r, struct block *b, void *options,
                         const struct yaml *n, const struct flag *f)
{
    char shown[192], name[FLAG_NAME_MAX];
    const struct value_reading v = {.form = &r->form,
                                    .settings = r->settings,
                                    .language = r->language,
                                    .shown = shown};

    (void)snprintf(shown, sizeof(shown), "%s%s%s.%s", b->section->name,
                   b->name[0] ? "." : "", b->name, setting_name(f, name));
    if (!yaml_is_null(n) && value_take(&v, n, f, options))
        flag_set_add(&b->given, (size_t)(f - b->section->flags));
}

static void take_map(struct reading *r, struct block *b, void *options)
{
    const struct section *c = b->section;
    char where[128];

    (void)snprintf(where, sizeof(where), "%s%s%s", c->name,
                   b->name[0] ? "." : "", b->name);
    for (const struct yaml *n = b->node->first; n; n = n->next) {
        char *name = arena_cstr(r->form.arena, n->key);
        const struct flag *f = name ? flag_find(c->flags, name) : NULL;
        if (f && section_has(c, f))
            take_setting(r, b, options, n, f);
        else if (name)
            unknown_setting(r, n, c, where, name);
    }
}

/* Names become parts of paths and of commands. */
static bool is_name(struct str s)
{
    bool fine =
        s.n > 0 && s.n <= NAME_BYTES_MAX && s.p[0] != '.' && s.p[0] != '-';

    for (size_t i = 0; i < s.n && fine; i++)
        fine = (s.p[i] >= 'a' && s.p[i] <= 'z') ||
               (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
               (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_' ||
               s.p[i] == '-' || s.p[i] == '.';
    return fine;
}

static void take_block(struct reading *r, const struct section *c,
                       const struct yaml *n, struct str name)
{
    struct arena *a = r->form.arena;
    struct block *b = arena_new(a, struct block, 1);
    void *options = c->flags ? arena_alloc(a, 1, c->size, 16) : a;

    if (!b || !options) {
        yaml_no_memory(&r->form);
        return;
    }
    *b = (struct block){.section = c,
                        .name = arena_cstr(a, name),
                        .options = options,
                        .node = n};
    if (!b->name) {
        yaml_no_memory(&r->form);
        return;
    }
    *r->tail = b;
    r->tail = &b->next;
    if (!c->flags)
        return;
    if (flags_default(c->flags, options, r->language, NULL))
        yaml_no_memory(&r->form);
    const struct flag *f = c->shorthand && n->kind == YAML_TEXT
                               ? flag_find(c->flags, c->shorthand)
                               : NULL;
    if (f)
        take_setting(r, b, options, n, f);
    else if (n->kind == YAML_MAP)
        take_map(r, b, options);
    else if (!yaml_is_null(n))
        yaml_wrong(&r->form, n, text_in(r->language, TEXT_CONFIG_MAP), c->name,
                   c->many ? "." : "", c->many ? b->name : "",
                   yaml_kind_name(n));
}

static void take_section(struct reading *r, const struct section *c,
                         const struct yaml *n)
{
    if (yaml_is_null(n))
        return;
    if (!c->many) {
        take_block(r, c, n, STR(""));
        return;
    }
    if (n->kind != YAML_MAP) {
        yaml_wrong(&r->form, n, text_in(r->language, TEXT_CONFIG_NAMES),
                   c->name, yaml_kind_name(n));
        return;
    }
    for (const struct yaml *i = n->first; i; i = i->next) {
        if (is_name(i->key))
            take_block(r, c, i, i->key);
        else
            yaml_wrong(&r->form, i, text_in(r->language, TEXT_CONFIG_NAME),
                       c->name, (int)i->key.n, i->key.p, NAME_BYTES_MAX);
    }
}

static void take_root(struct reading *r)
{
    const struct yaml *root = r->settings->root;

    if (yaml_is_null(root))
        return;
    if (root->kind != YAML_MAP) {
        yaml_wrong(&r->form, root, "%s",
                   text_in(r->language, TEXT_CONFIG_ROOT));
        return;
    }
    for (const struct yaml *n = root->first; n; n = n->next) {
        char *name = arena_cstr(r->form.arena, n->key);
        const struct section *c = name ? section_find(name) : NULL;
        if (c)
            take_section(r, c, n);
        else if (name)
            unknown_section(r, n, name);
    }
    for (const struct block *b = r->settings->blocks; b; b = b->next)
        if (b->section->check)
            b->section->check(&r->form, r->settings, b, r->language);
}

/* ---- the file ------------------------------------------------------- */

enum errc settings_find(const char *given, char out[SETTINGS_PATH_MAX],
                        enum language l, struct err *err)
{
    static const char *const usual[] = {"stoker.yaml",
                                        "/etc/stoker/stoker.yaml"};

    if (given) {
        if (realpath(given, out))
            return ERR_OK;
        return err_set(err, ERR_NOT_FOUND, text_in(l, TEXT_CONFIG_NOT_THERE),
                       given);
    }
    for (size_t i = 0; i < COUNT(usual); i++)
        if (access(usual[i], F_OK) == 0 && realpath(usual[i], out))
            return ERR_OK;
    return err_set(err, ERR_NOT_FOUND, "%s", text_in(l, TEXT_CONFIG_NONE));
}

static enum errc read_all(struct reading *r, struct str text)
{
    struct settings *s = r->settings;
    struct err why = {0};
    struct str path = str_from_cstr(s->path);
    struct str name = str_behind_last(path, '/');

    s->folder = arena_cstr(
        &s->arena,
        str_slice(path, 0, path.n > name.n ? path.n - name.n - 1 : 0));
    if (!s->folder)
        yaml_no_memory(&r->form);
    else if (yaml_read(text, &s->arena, &s->root, &why))
        yaml_broken(&r->form, &why);
    else
        take_root(r);
    return r->form.rc;
}

enum errc settings_read(const char *path, enum language l,
                        void (*report)(void *ctx, const char *file,
                                       const char *message),
                        void *ctx, struct settings *out, struct err *err)
{
    struct reading r = {.settings = out, .tail = &out->blocks, .language = l};
    char absolute[PATH_MAX];
    struct buf text;

    *out = (struct settings){0};
    if (!realpath(path, absolute))
        return fs_error(err, "open", path);
    arena_init(&out->arena, MEMORY_MAX);
    buf_init(&text, FILE_MAX);
    enum errc rc = fs_read(path, &text, err);
    if (!rc) {
        out->path = arena_cstr(&out->arena, str_from_cstr(absolute));
        r.form = (struct yaml_form){.file = path,
                                    .arena = &out->arena,
                                    .report = report,
                                    .ctx = ctx,
                                    .err = err};
        if (!out->path)
            yaml_no_memory(&r.form);
        else
            rc = read_all(&r, buf_str(&text));
        rc = r.form.rc;
    }
    buf_fini(&text);
    if (rc)
        settings_fini(out);
    return rc;
}

void settings_fini(struct settings *s)
{
    arena_fini(&s->arena);
    *s = (struct settings){0};
}
