#include "cli/alert_fire.h"

#include <stdio.h>
#include <string.h>

#include "codec/json_tree.h"
#include "http/fetch.h"
#include "series/labels.h"

enum { ANSWER_MAX = 64 << 20, ASK_MS = 10000, FIRE_MS = 120000 };

struct firing {
    struct cli *cli;
    const char *url;
    struct arena arena;
    struct err *err;
};

/* GET, or POST when there is a body; "data" of the answer. */
static enum errc ask(struct firing *f, const char *path, struct str body,
                     const struct json_node **out)
{
    char url[1100];
    struct fetch how = {.url = url,
                        .timeout_ms = body.p ? FIRE_MS : ASK_MS,
                        .body = body,
                        .body_type = "application/json"};
    struct buf b;

    (void)snprintf(url, sizeof(url), "%.1000s%s", f->url, path);
    buf_init(&b, ANSWER_MAX);
    enum errc rc = fetch_run(&how, &b, f->err);
    struct json_node *root =
        rc ? NULL : json_tree_copy(buf_str(&b), &f->arena, NULL);
    *out = json_get(root, "data");
    if (!rc && how.status != 200)
        rc = err_set(
            f->err, how.status == 404 ? ERR_NOT_FOUND : ERR_UNAVAIL,
            "%s: " STR_FMT, url,
            STR_ARG(json_str_or(json_get(root, "error"), "not a monitor")));
    buf_fini(&b);
    return rc;
}

/* The labels of the rule; what is made of values is left out. */
static void add_rule_labels(const struct json_node *groups, const char *name,
                            struct labels_builder *b)
{
    const struct json_node *list = json_get(groups, "groups");

    for (const struct json_node *g = list ? list->first : NULL; g;
         g = g->next) {
        const struct json_node *rules = json_get(g, "rules");
        for (const struct json_node *r = rules ? rules->first : NULL; r;
             r = r->next) {
            const struct json_node *labels = json_get(r, "labels");
            if (!json_says(json_get(r, "name"), name) ||
                !json_is(labels, JSON_OBJECT))
                continue;
            for (const struct json_node *l = labels->first; l; l = l->next)
                if (l->text.n && !memmem(l->text.p, l->text.n, "{{", 2))
                    labels_set(b, l->key, l->text);
        }
    }
}

static enum errc add_own_labels(const struct flag_args *args,
                                struct labels_builder *b, struct err *err)
{
    for (int i = 2; i < args->n; i++) {
        struct str value = str_from_cstr(args->rest[i]);
        struct str name = str_cut(&value, '=');
        if (!value.p || !label_name_is_plain(name))
            return err_set(err, ERR_INVALID, "'%s' is not label=value",
                           args->rest[i]);
        labels_set(b, name, value);
    }
    return ERR_OK;
}

static void put_body(struct firing *f, const char *name, struct labels l,
                     struct buf *out)
{
    char text[400];

    (void)snprintf(text, sizeof(text),
                   text_in(f->cli->language, TEXT_TEST_ALERT), name);
    buf_puts(out, "{\"labels\":");
    labels_put_json(out, l);
    buf_puts(out, ",\"annotations\":{\"summary\":");
    buf_put_quoted(out, str_from_cstr(text));
    buf_puts(out, ",\"summary_zh\":");
    buf_put_quoted(out, str_from_cstr(text));
    buf_puts(out, "}}");
}

static unsigned show(struct firing *f, const struct json_node *list, bool json)
{
    unsigned failed = 0;

    for (const struct json_node *n = list ? list->first : NULL; n;
         n = n->next) {
        bool ok = json_bool_or(json_get(n, "delivered"), false);
        failed += !ok;
        if (json)
            continue;
        fprintf(f->cli->out, STR_FMT "/" STR_FMT "/%lld: ",
                STR_ARG(json_str_or(json_get(n, "receiver"), "")),
                STR_ARG(json_str_or(json_get(n, "type"), "")),
                (long long)json_i64_or(json_get(n, "index"), 0));
        if (ok)
            fprintf(f->cli->out, "%s\n",
                    text_in(f->cli->language, TEXT_DELIVERED));
        else
            fprintf(f->cli->out, text_in(f->cli->language, TEXT_NOT_DELIVERED),
                    (int)json_str_or(json_get(n, "error"), "").n,
                    json_str_or(json_get(n, "error"), "").p);
    }
    return failed;
}

static enum errc fire(struct firing *f, bool json, const struct flag_args *args,
                      struct buf *body)
{
    const struct json_node *answer = NULL;
    const char *name = args->rest[1];
    struct labels_builder b;
    struct labels l;

    enum errc rc = ask(f, "/api/v1/rules", (struct str){NULL, 0}, &answer);
    if (rc)
        return rc;
    labels_build(&b, &f->arena, labels_none());
    add_rule_labels(answer, name, &b);
    rc = add_own_labels(args, &b, f->err);
    labels_set(&b, STR("alertname"), str_from_cstr(name));
    if (!rc && !labels_built(&b, &l))
        rc = err_set(f->err, ERR_NOMEM, "out of memory");
    if (rc)
        return rc;
    put_body(f, name, l, body);
    rc = ask(f, "/api/v1/alerts/test", buf_str(body), &answer);
    if (rc)
        return rc;
    unsigned failed = show(f, answer, json);
    if (json && answer) {
        buf_clear(body);
        json_tree_write(body, answer);
        fprintf(f->cli->out, STR_FMT "\n", STR_ARG(buf_str(body)));
    }
    if (!answer || !answer->n)
        return err_set(f->err, ERR_NOT_FOUND, "%s",
                       text_in(f->cli->language, TEXT_NOBODY_TOLD));
    return failed
               ? err_set(f->err, ERR_UNAVAIL,
                         text_in(f->cli->language, TEXT_SOME_NOT_TOLD), failed)
               : ERR_OK;
}

enum errc alert_fire(struct cli *cli, const char *url, bool json,
                     const struct flag_args *args, struct err *err)
{
    struct firing f = {
        .cli = cli, .url = url ? url : "http://127.0.0.1:8002", .err = err};
    struct buf body;

    arena_init(&f.arena, 4 * (size_t)ANSWER_MAX);
    buf_init(&body, ANSWER_MAX);
    enum errc rc = fetch_init(err);
    if (!rc)
        rc = fire(&f, json, args, &body);
    buf_fini(&body);
    arena_fini(&f.arena);
    return rc;
}
