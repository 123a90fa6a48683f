#include "cli/config/show.h"

#include <ctype.h>
#include <string.h>

enum { VALUE_MAX = 1 << 20 };

/* ---- one value -------------------------------------------------------------
 */

static bool is_secret(struct str key)
{
    static const char *const words[] = {"password", "secret", "token",
                                        "authorization", "credential"};
    char low[FLAG_NAME_MAX];
    size_t n = key.n < sizeof(low) - 1 ? key.n : sizeof(low) - 1;

    for (size_t i = 0; i < n; i++)
        low[i] = (char)tolower((unsigned char)key.p[i]);
    low[n] = '\0';
    for (size_t i = 0; i < COUNT(words); i++)
        if (strstr(low, words[i]) && !str_ends(key, STR("_file")))
            return true;
    return str_ends((struct str){low, n}, STR("key"));
}

static bool is_plain(struct str s)
{
    static const char fine[] = "_./@%+-:=$~^*";

    if (!s.n || strchr("-?:*%@~=", s.p[0]) || s.p[s.n - 1] == ':')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && !strchr(fine, s.p[i]) &&
            (s.p[i] != ' ' || s.p[i - 1] == ':' || i + 1 == s.n))
            return false;
    return true;
}

/* Without the name and password that a URL may have. */
static void put_text(struct buf *out, struct str s, bool secrets)
{
    const char *scheme = secrets ? NULL : memmem(s.p, s.n, "://", 3);
    size_t host = scheme ? (size_t)(scheme - s.p) + 3 : 0, at = 0;

    for (size_t i = host; host && i < s.n && s.p[i] != '/'; i++)
        if (s.p[i] == '@')
            at = i;
    if (at) {
        struct buf b;
        buf_init(&b, VALUE_MAX);
        buf_put(&b, str_slice(s, 0, host));
        buf_puts(&b, "<secret>");
        buf_put(&b, str_slice(s, at, s.n));
        buf_put_quoted(out, buf_str(&b));
        buf_fini(&b);
    } else if (is_plain(s)) {
        buf_put(out, s);
    } else {
        buf_put_quoted(out, s);
    }
}

static bool is_reference(struct str s)
{
    return str_starts(s, STR("${")) && str_ends(s, STR("}"));
}

/* On one line. Depth is that of the reader, YAML_MAX_DEPTH at most. */
static void put_value(struct buf *out, const struct yaml *n, struct str key,
                      bool secrets)
{
    if (n->kind == YAML_TEXT) {
        if (!secrets && is_secret(key) && n->text.n && !is_reference(n->text))
            buf_puts(out, "<secret>");
        else
            put_text(out, n->text, secrets);
        return;
    }
    buf_putc(out, n->kind == YAML_LIST ? '[' : '{');
    for (const struct yaml *c = n->first; c; c = c->next) {
        buf_puts(out, c == n->first ? "" : ", ");
        if (n->kind == YAML_MAP) {
            put_text(out, c->key, secrets);
            buf_puts(out, ": ");
        }
        put_value(out, c, n->kind == YAML_MAP ? c->key : key, secrets);
    }
    buf_putc(out, n->kind == YAML_LIST ? ']' : '}');
}

/* ---- all of them ---------------------------------------------------- */

struct listing {
    struct arena *arena;
    struct setting_list *out;
    struct buf text;
    bool failed;
};

static void add(struct listing *l, const struct block *b, const char *name,
                unsigned line)
{
    struct setting_list *o = l->out;
    struct setting s = {.section = b->section,
                        .block = b->name,
                        .name = arena_cstr(l->arena, str_from_cstr(name)),
                        .value = arena_cstr(l->arena, buf_str(&l->text)),
                        .line = line};

    if (!s.name || !s.value || l->text.failed ||
        !arena_grow(l->arena, &o->v, o->n, &o->cap, sizeof(*o->v)))
        l->failed = true;
    else
        o->v[o->n++] = s;
}

static void list_block(struct listing *l, const struct block *b, int what)
{
    bool secrets = what & LIST_SECRETS, all = what & LIST_ALL;
    const struct section *c = b->section;
    char name[FLAG_NAME_MAX];

    buf_clear(&l->text);
    if (!c->flags && b->node) {
        put_value(&l->text, b->node, STR(""), secrets);
        add(l, b, "", b->node->key_line);
    }
    for (size_t i = 0; c->flags && c->flags[i].name[0]; i++) {
        const struct flag *f = &c->flags[i];
        const struct yaml *n = block_value(b, f);
        if (!section_has(c, f))
            continue;
        buf_clear(&l->text);
        setting_name(f, name);
        if (n && !yaml_is_null(n)) {
            put_value(&l->text, n, str_from_cstr(name), secrets);
            add(l, b, name, n->key_line ? n->key_line : n->line);
        } else if (all && f->fallback) {
            put_text(&l->text, str_from_cstr(f->fallback), true);
            add(l, b, name, 0);
        }
    }
}

enum errc settings_list(const struct settings *s, int what, struct arena *a,
                        struct setting_list *out, struct err *err)
{
    struct listing l = {.arena = a, .out = out};

    *out = (struct setting_list){0};
    buf_init(&l.text, VALUE_MAX);
    for (const struct section *c = sections; c->name; c++) {
        const struct block *b = NULL;
        const struct block none = {.section = c, .name = ""};
        bool any = false;
        while ((b = settings_next(s, c->name, b))) {
            list_block(&l, b, what);
            any = true;
        }
        if (!any && (what & LIST_ALL) && !c->many)
            list_block(&l, &none, what);
    }
    buf_fini(&l.text);
    return l.failed ? err_set(err, ERR_NOMEM, "out of memory") : ERR_OK;
}

void settings_put_yaml(const struct setting_list *l, struct buf *out)
{
    const struct setting *before = NULL;

    for (size_t i = 0; i < l->n; i++) {
        const struct setting *s = &l->v[i];
        bool first = !before || before->section != s->section;
        if (!s->name[0]) {
            buf_printf(out, "%s: %s\n", s->section->name, s->value);
        } else {
            if (first)
                buf_printf(out, "%s:\n", s->section->name);
            if (s->block[0] && (first || strcmp(before->block, s->block) != 0))
                buf_printf(out, "  %s:\n", s->block);
            buf_printf(out, "%s%s%s: %s\n", s->block[0] ? "    " : "  ",
                       s->line ? "" : "# ", s->name, s->value);
        }
        before = s;
    }
}

void setting_put_key(const struct setting *s, struct buf *out)
{
    buf_printf(out, "%s%s%s%s%s", s->section->name, s->block[0] ? "." : "",
               s->block, s->name[0] ? "." : "", s->name);
}

void settings_put_json(const struct setting_list *l, struct buf *out)
{
    struct buf key;

    buf_init(&key, VALUE_MAX);
    buf_putc(out, '[');
    for (size_t i = 0; i < l->n; i++) {
        buf_clear(&key);
        setting_put_key(&l->v[i], &key);
        buf_put_field(out,
                      i ? ",\n{\"setting\":" : "{\"setting\":", buf_str(&key));
        buf_put_field(out, ",\"value\":", str_from_cstr(l->v[i].value));
        if (l->v[i].line)
            buf_printf(out, ",\"line\":%u}", l->v[i].line);
        else
            buf_puts(out, ",\"default\":true}");
    }
    buf_puts(out, "]\n");
    buf_fini(&key);
}

/* ---- differences ---------------------------------------------------- */

static const struct setting *find(const struct setting_list *l,
                                  const struct setting *like)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].section == like->section &&
            strcmp(l->v[i].block, like->block) == 0 &&
            strcmp(l->v[i].name, like->name) == 0)
            return &l->v[i];
    return NULL;
}

size_t settings_differ(const struct setting_list *was,
                       const struct setting_list *is,
                       void (*each)(void *ctx, const struct setting *was,
                                    const struct setting *is),
                       void *ctx)
{
    size_t n = 0;

    for (size_t i = 0; i < was->n; i++) {
        const struct setting *now = find(is, &was->v[i]);
        if (now && strcmp(now->value, was->v[i].value) == 0)
            continue;
        each(ctx, &was->v[i], now);
        n++;
    }
    for (size_t i = 0; i < is->n; i++) {
        if (find(was, &is->v[i]))
            continue;
        each(ctx, NULL, &is->v[i]);
        n++;
    }
    return n;
}

/* ---- help ----------------------------------------------------------- */

static const char *kind_name(const struct flag *f)
{
    static const char *const names[] = {
        [FLAG_BOOL] = "true|false", [FLAG_TEXT] = "text",
        [FLAG_LIST] = "list",       [FLAG_FILE] = "file",
        [FLAG_FILES] = "files",     [FLAG_DIR] = "path",
        [FLAG_DIRS] = "paths",      [FLAG_WORDS] = "command",
        [FLAG_PAIRS] = "map",       [FLAG_INT] = "number",
        [FLAG_DURATION] = "time",   [FLAG_SIZE] = "size"};

    return names[f->kind];
}

void settings_help(FILE *out, enum language l)
{
    fprintf(out, "%s\n", text_in(l, TEXT_CONFIG_SETTINGS));
    for (const struct section *c = sections; c->name; c++) {
        fprintf(out, "\n%s:%s  # %s\n", c->name, c->many ? " NAME:" : "",
                text_in(l, c->help));
        for (const struct flag *f = c->flags; f && f->name[0]; f++) {
            char name[FLAG_NAME_MAX], left[96];
            if (!section_has(c, f))
                continue;
            (void)snprintf(left, sizeof(left), "%s: %s", setting_name(f, name),
                           kind_name(f));
            fprintf(out, "  %-32s %s", left, text_in(l, f->help));
            if (f->fallback && f->fallback[0])
                fprintf(out, " (%s: %s)", text_in(l, TEXT_DEFAULT),
                        f->fallback);
            fputc('\n', out);
        }
    }
}
