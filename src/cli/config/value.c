#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/config/settings.h"

enum { VALUE_MAX = 1 << 16 };

static const char *say(const struct value_reading *r, enum text t)
{
    return text_in(r->language, t);
}

/* ---- ${NAME} --------------------------------------------------------------
 */

/* Behind "${": the value of the variable goes to out. False: told. */
static bool put_variable(const struct value_reading *r, const struct yaml *n,
                         struct str inner, struct buf *out)
{
    struct str rest = inner, name = str_cut(&rest, ':');
    bool otherwise = rest.n && rest.p[0] == '-';
    char *plain = arena_cstr(r->form->arena, name);
    const char *value = plain ? getenv(plain) : NULL;

    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
            name.n = 0;
    if (!name.n || (rest.p && !otherwise)) {
        yaml_wrong(r->form, n, say(r, TEXT_CONFIG_VARIABLE), r->shown,
                   (int)inner.n, inner.p);
        return false;
    }
    if (value && (*value || !otherwise)) {
        buf_puts(out, value);
        return true;
    }
    if (otherwise) {
        buf_put(out, str_slice(rest, 1, rest.n));
        return true;
    }
    yaml_wrong(r->form, n, say(r, TEXT_CONFIG_UNSET), r->shown, plain);
    return false;
}

static bool expand(const struct value_reading *r, const struct yaml *n,
                   struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        struct str rest = str_slice(text, i, text.n);
        if (str_starts(rest, STR("$${"))) {
            buf_puts(out, "${");
            i += 2;
        } else if (str_starts(rest, STR("${"))) {
            const char *end = memchr(text.p + i, '}', text.n - i);
            size_t to = end ? (size_t)(end - text.p) : text.n;
            if (!put_variable(r, n, str_slice(text, i + 2, to), out))
                return false;
            i = to;
        } else {
            buf_putc(out, text.p[i]);
        }
    }
    return true;
}

/* ---- paths -----------------------------------------------------------------
 */

static bool is_path(const struct flag *f)
{
    return f->kind == FLAG_FILE || f->kind == FLAG_FILES ||
           f->kind == FLAG_DIR || f->kind == FLAG_DIRS;
}

/* NAME=PATH has its path behind the sign. */
static size_t name_length(const struct flag *f, struct str text)
{
    const char *sign = memchr(text.p, '=', text.n);
    const char *slash = memchr(text.p, '/', text.n);

    return f->kind == FLAG_FILES && sign && (!slash || sign < slash)
               ? (size_t)(sign - text.p) + 1
               : 0;
}

static bool is_there(const char *path)
{
    glob_t found;

    if (access(path, F_OK) == 0)
        return true;
    if (!strpbrk(path, "*?["))
        return false;
    bool any = glob(path, 0, NULL, &found) == 0;
    globfree(&found);
    return any || strchr(path, '*') != NULL; /* there may be some, one day */
}

static bool put_path(const struct value_reading *r, const struct yaml *n,
                     const struct flag *f, struct str text, struct buf *out)
{
    size_t name = name_length(f, text);
    struct str path = str_slice(text, name, text.n);

    buf_put(out, str_slice(text, 0, name));
    size_t start = out->n;
    if (path.n && path.p[0] != '/')
        buf_printf(out, "%s/", r->settings->folder);
    buf_put(out, path);
    buf_putc(out, '\0');
    if (out->failed)
        return true;
    bool fine =
        f->kind == FLAG_DIR || f->kind == FLAG_DIRS || is_there(out->p + start);
    if (!fine)
        yaml_wrong(r->form, n, say(r, TEXT_CONFIG_NO_FILE), r->shown,
                   out->p + start);
    out->n--;
    return fine;
}

/* ---- texts and lists -------------------------------------------------------
 */

static bool put_one(const struct value_reading *r, const struct yaml *n,
                    const struct flag *f, struct str text, struct buf *out)
{
    struct buf b;
    bool fine;

    buf_init(&b, VALUE_MAX);
    fine = expand(r, n, text, &b);
    if (fine && is_path(f) && b.n)
        fine = put_path(r, n, f, buf_str(&b), out);
    else
        buf_put(out, buf_str(&b));
    out->failed |= b.failed;
    buf_fini(&b);
    return fine;
}

static char separator(const struct flag *f)
{
    return flag_is_list(f) ? ',' : FLAG_SEPARATOR;
}

/* A part of a list, which must not have the separator in it. */
static bool put_part(const struct value_reading *r, const struct yaml *n,
                     const struct flag *f, struct str text, struct buf *out)
{
    if (out->n)
        buf_putc(out, separator(f));
    size_t start = out->n;
    if (!put_one(r, n, f, text, out))
        return false;
    if (out->failed || out->n == start ||
        !memchr(out->p + start, separator(f), out->n - start))
        return true;
    yaml_wrong(r->form, n, say(r, TEXT_CONFIG_COMMA), r->shown);
    return false;
}

/* Words of a line as a shell has them: quotes and backslashes, nothing else. */
static bool put_words(const struct value_reading *r, const struct yaml *n,
                      const struct flag *f, struct str line, struct buf *out)
{
    struct buf word;
    bool fine = true, open = false;
    char quote = '\0';

    buf_init(&word, VALUE_MAX);
    for (size_t i = 0; i <= line.n && fine; i++) {
        char c = i < line.n ? line.p[i] : ' ';
        if (i < line.n && c == '\\' && quote != '\'' && i + 1 < line.n) {
            buf_putc(&word, line.p[++i]);
            open = true;
        } else if (quote ? c == quote && i < line.n : c == '"' || c == '\'') {
            quote = quote ? '\0' : c;
            open = true;
        } else if (quote ? i < line.n : c != ' ' && c != '\t' && c != '\n') {
            buf_putc(&word, c);
            open = true;
        } else if (open) {
            fine = put_part(r, n, f, buf_str(&word), out);
            buf_clear(&word);
            open = false;
        }
    }
    if (fine && quote) {
        yaml_wrong(r->form, n, say(r, TEXT_CONFIG_QUOTE), r->shown);
        fine = false;
    }
    buf_fini(&word);
    return fine;
}

static bool not_a(const struct value_reading *r, const struct yaml *n,
                  enum text wanted)
{
    yaml_wrong(r->form, n, say(r, TEXT_CONFIG_KIND), r->shown, say(r, wanted),
               yaml_kind_name(n));
    return false;
}

static bool put_list(const struct value_reading *r, const struct yaml *n,
                     const struct flag *f, struct buf *out)
{
    bool fine = true;

    for (const struct yaml *c = n->first; c && fine; c = c->next)
        fine = c->kind == YAML_TEXT ? put_part(r, c, f, c->text, out)
                                    : not_a(r, c, TEXT_KIND_TEXT);
    return fine;
}

static bool put_pairs(const struct value_reading *r, const struct yaml *n,
                      const struct flag *f, struct buf *out)
{
    bool fine = true;
    struct buf pair;

    buf_init(&pair, VALUE_MAX);
    for (const struct yaml *c = n->first; c && fine; c = c->next) {
        if (c->kind != YAML_TEXT) {
            fine = not_a(r, c, TEXT_KIND_TEXT);
            break;
        }
        buf_clear(&pair);
        buf_put(&pair, c->key);
        buf_putc(&pair, '=');
        buf_put(&pair, c->text);
        fine = put_part(r, c, f, buf_str(&pair), out);
    }
    buf_fini(&pair);
    return fine;
}

static bool put_text(const struct value_reading *r, const struct yaml *n,
                     const struct flag *f, struct buf *out)
{
    bool pairs = f->kind == FLAG_PAIRS || f->kind == FLAG_LIST;
    bool list = f->kind == FLAG_WORDS || flag_is_list(f);

    if (n->kind == YAML_MAP && pairs)
        return put_pairs(r, n, f, out);
    if (n->kind == YAML_LIST && list)
        return put_list(r, n, f, out);
    if (n->kind == YAML_TEXT && f->kind == FLAG_WORDS)
        return put_words(r, n, f, n->text, out);
    if (n->kind == YAML_TEXT && f->kind != FLAG_PAIRS)
        return put_one(r, n, f, n->text, out);
    return not_a(r, n,
                 f->kind == FLAG_PAIRS ? TEXT_KIND_MAP
                 : list                ? TEXT_KIND_LIST
                                       : TEXT_KIND_TEXT);
}

/* ---- the value ------------------------------------------------------ */

static bool is_one_of(const char *text, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

static const char *bool_text(const char *text)
{
    static const char *const yes[] = {"true", "yes", "on", NULL};
    static const char *const no[] = {"false", "no", "off", NULL};

    return is_one_of(text, yes) ? "true" : is_one_of(text, no) ? "false" : NULL;
}

static bool set(const struct value_reading *r, const struct yaml *n,
                const struct flag *f, const char *text, void *options)
{
    struct err why = {0};

    if (f->kind == FLAG_BOOL) {
        const char *word = bool_text(text);
        if (!word) {
            yaml_wrong(r->form, n, say(r, TEXT_CONFIG_BOOL), r->shown, text);
            return false;
        }
        text = word;
    }
    if (!flag_take(f, r->shown, text, options, r->language, &why))
        return true;
    yaml_wrong(r->form, n, "%s", why.msg);
    return false;
}

static enum text kind_text(const struct flag *f)
{
    return f->kind == FLAG_INT        ? TEXT_KIND_INT
           : f->kind == FLAG_DURATION ? TEXT_KIND_DURATION
           : f->kind == FLAG_SIZE     ? TEXT_KIND_SIZE
                                      : TEXT_KIND_BOOL;
}

bool value_take(const struct value_reading *r, const struct yaml *n,
                const struct flag *f, void *options)
{
    struct buf b;
    bool fine;

    buf_init(&b, VALUE_MAX);
    if (flag_is_text(f))
        fine = put_text(r, n, f, &b);
    else
        fine = n->kind == YAML_TEXT ? put_one(r, n, f, n->text, &b)
                                    : not_a(r, n, kind_text(f));
    if (fine && memchr(b.p ? b.p : "", '\0', b.n)) {
        yaml_wrong(r->form, n, say(r, TEXT_CONFIG_NUL), r->shown);
        fine = false;
    }
    const char *text =
        fine && !b.failed ? arena_cstr(r->form->arena, buf_str(&b)) : NULL;
    if (fine && !text)
        yaml_no_memory(r->form);
    fine = text && set(r, n, f, text, options);
    buf_fini(&b);
    return fine;
}
