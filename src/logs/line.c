#include "logs/line.h"

#include <stdio.h>
#include <string.h>

#include "codec/json.h"

static const struct field {
    const char *name;
    size_t at;
} fields[] = {
    {"@timestamp", offsetof(struct line, time)},
    {"log.level", offsetof(struct line, level)},
    {"level", offsetof(struct line, level)},
    {"stoker.model", offsetof(struct line, model)},
    {"model", offsetof(struct line, model)},
    {"http.request.id", offsetof(struct line, request_id)},
    {"request_id", offsetof(struct line, request_id)},
    {"host.name", offsetof(struct line, host)},
    {"message", offsetof(struct line, message)},
};

static struct str *field_of(struct line *l, struct str key)
{
    for (size_t i = 0; i < COUNT(fields); i++)
        if (str_eq(key, str_from_cstr(fields[i].name)))
            return (struct str *)(void *)((char *)l + fields[i].at);
    return NULL;
}

void line_read(struct str text, struct arena *a, struct line *out)
{
    struct err err;
    struct json j;
    struct str key;

    *out = (struct line){0};
    if (!text.n || text.p[0] != '{')
        return;
    json_init(&j, text, a, &err);
    (void)json_object(&j);
    while (json_key(&j, &key)) {
        struct str *to = json_peek(&j) == '"' ? field_of(out, key) : NULL;
        if (to)
            (void)json_string(&j, to);
        else
            (void)json_skip(&j);
    }
    out->json = json_end(&j);
    if (!out->json)
        *out = (struct line){0};
}

static bool contains(struct str text, struct str what)
{
    return !what.n ||
           (text.n && memmem(text.p, text.n, what.p, what.n) != NULL);
}

/* The field says so, or for lines about a model the message does. */
static bool is_of_model(const struct line *l, struct str model)
{
    char words[300];

    if (!model.n || str_eq(l->model, model))
        return true;
    int n = snprintf(words, sizeof(words), "model=%.*s ",
                     (int)(model.n < 256 ? model.n : 256), model.p);
    return n > 0 && contains(l->message, (struct str){words, (size_t)n});
}

bool line_matches(struct str text, const struct line_filter *f)
{
    enum log_level level = LOG_INFO;
    struct arena a;
    struct line l;

    if (!contains(text, f->contains) || !contains(text, f->request_id))
        return false;
    if (f->least == LOG_DEBUG && !f->model.n && !f->request_id.n)
        return true;
    arena_init(&a, 4 * LINE_BYTES_MAX);
    line_read(text, &a, &l);
    (void)log_level_parse(l.level, &level);
    bool is = (int)level >= f->least && is_of_model(&l, f->model) &&
              (!f->request_id.n || str_eq(l.request_id, f->request_id));
    arena_fini(&a);
    return is;
}
