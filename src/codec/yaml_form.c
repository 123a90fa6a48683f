#include "codec/yaml_form.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void tell(struct yaml_form *f, enum errc rc, const char *message)
{
    if (f->report)
        f->report(f->ctx, f->file, message);
    if (f->rc)
        return;
    f->rc = rc;
    err_record(f->err, rc, "%s:%s", f->file, message);
}

void yaml_wrong(struct yaml_form *f, const struct yaml *at, const char *fmt,
                ...)
{
    char what[400], text[440];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    (void)snprintf(text, sizeof(text), "%u:%u: %s", at->line, at->column, what);
    tell(f, ERR_INVALID, text);
}

void yaml_no_memory(struct yaml_form *f)
{
    tell(f, ERR_NOMEM, " out of memory");
}

void yaml_broken(struct yaml_form *f, const struct err *why)
{
    tell(f, ERR_INVALID, why->msg);
}

struct str yaml_take_text(struct yaml_form *f, const struct yaml *n)
{
    if (n->kind == YAML_TEXT)
        return n->text;
    yaml_wrong(f, n, "\"" STR_FMT "\" must be a text, not a %s",
               STR_ARG(n->key), yaml_kind_name(n));
    return STR("");
}

bool yaml_is_list(struct yaml_form *f, const struct yaml *n)
{
    if (yaml_is_null(n))
        return false;
    if (n->kind != YAML_LIST)
        yaml_wrong(f, n, "\"" STR_FMT "\" must be a list, not a %s",
                   STR_ARG(n->key), yaml_kind_name(n));
    return n->kind == YAML_LIST;
}

void *yaml_room(struct yaml_form *f, const struct yaml *n, size_t size)
{
    if (!yaml_is_list(f, n))
        return NULL;
    void *v = arena_alloc(f->arena, yaml_count(n) + 1, size, 16);
    if (!v)
        yaml_no_memory(f);
    return v;
}

/* YAML 1.1's words, as Go's library takes them. */
static bool take_bool(struct str text, bool *out)
{
    static const char *const yes[] = {"true", "True", "TRUE", "yes", "on"};
    static const char *const no[] = {"false", "False", "FALSE", "no", "off"};

    for (size_t i = 0; i < COUNT(yes); i++) {
        *out = str_eq(text, str_from_cstr(yes[i]));
        if (*out || str_eq(text, str_from_cstr(no[i])))
            return true;
    }
    return false;
}

static void take_texts(struct yaml_form *f, const struct yaml *n,
                       struct yaml_texts *out)
{
    struct str *v = yaml_room(f, n, sizeof(*v));

    if (!v)
        return;
    *out = (struct yaml_texts){.v = v};
    for (const struct yaml *c = n->first; c; c = c->next)
        out->v[out->n++] = yaml_take_text(f, c);
}

static void take_one(struct yaml_form *f, const struct yaml *n,
                     const struct yaml_field *field, void *out)
{
    struct str text;
    uint64_t whole;

    switch (field->kind) {
    case YAML_FIELD_TEXT:
        text = yaml_take_text(f, n);
        memcpy(out, &text, sizeof(text));
        break;
    case YAML_FIELD_BOOL:
        text = yaml_take_text(f, n);
        if (text.n && !take_bool(text, out))
            yaml_wrong(f, n, "\"%s\" must be true or false", field->name);
        break;
    case YAML_FIELD_WHOLE:
        text = yaml_take_text(f, n);
        if (str_to_u64(text, &whole) && whole <= INT64_MAX)
            memcpy(out, &whole, sizeof(whole));
        else
            yaml_wrong(f, n, "\"%s\" must be a whole number", field->name);
        break;
    case YAML_FIELD_TEXTS:
        take_texts(f, n, out);
        break;
    case YAML_FIELD_OTHER:
        field->take(f, n, out);
        break;
    }
}

void yaml_take(struct yaml_form *f, const struct yaml *map,
               const struct yaml_field *fields, void *out)
{
    if (yaml_is_null(map))
        return;
    if (map->kind != YAML_MAP) {
        yaml_wrong(f, map, "this must be a map, not a %s", yaml_kind_name(map));
        return;
    }
    for (const struct yaml *c = map->first; c && f->rc != ERR_NOMEM;
         c = c->next) {
        const struct yaml_field *known = fields;
        while (known->name && !str_eq(c->key, str_from_cstr(known->name)))
            known++;
        const struct yaml place = {.line = c->key_line,
                                   .column = c->key_column};
        if (!known->name)
            yaml_wrong(f, &place, "there is no field \"" STR_FMT "\" here",
                       STR_ARG(c->key));
        else if (!yaml_is_null(c))
            take_one(f, c, known, (char *)out + known->at);
    }
}

void yaml_ignore(struct yaml_form *f, const struct yaml *n, void *field)
{
    (void)f;
    (void)n;
    (void)field;
}

void yaml_beside(const struct yaml_form *f, struct str name, char *out,
                 size_t max)
{
    const char *slash = strrchr(f->file, '/');
    bool full = name.n && name.p[0] == '/';

    (void)snprintf(out, max, "%.*s" STR_FMT,
                   full || !slash ? 0 : (int)(slash - f->file) + 1, f->file,
                   STR_ARG(name));
}

void yaml_all_beside(struct yaml_form *f, struct yaml_texts *names)
{
    char path[8300];

    for (size_t i = 0; i < names->n; i++) {
        yaml_beside(f, names->v[i], path, sizeof(path));
        const char *copy = arena_cstr(f->arena, str_from_cstr(path));
        if (!copy)
            yaml_no_memory(f);
        names->v[i] = str_from_cstr(copy ? copy : "");
    }
}
