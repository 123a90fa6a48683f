/* rules.c - see rules.h. Reading goes on behind a mistake, so that a person
 * sees all of them at once. */
#include "alert/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "codec/yaml.h"
#include "series/duration.h"

enum { MEMORY_MAX = 256 << 20 };

struct reading {
    struct rules *rules;
    const char *file;
    rules_report *report;
    void *ctx;
    struct err *err;
    enum errc rc;
    const struct rule_group *group; /* that is read */
    size_t number;                  /* of the rule in it, from 1; 0: none */
    struct str rule;
    struct yaml const *group_labels;
};

void rules_init(struct rules *r)
{
    *r = (struct rules){0};
    arena_init(&r->arena, MEMORY_MAX);
}

void rules_fini(struct rules *r)
{
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->groups[i].n; k++)
            promql_free(r->groups[i].rules[k].expr);
    arena_fini(&r->arena);
    *r = (struct rules){0};
}

/* ---- mistakes ----------------------------------------------------------- */

static void say(struct reading *r, enum errc rc, const char *message)
{
    if (r->report)
        r->report(r->ctx, r->file, message);
    if (r->rc)
        return;
    r->rc = rc;
    err_record(r->err, rc, "%s:%s", r->file, message);
}

static void wrong(struct reading *r, unsigned line, unsigned column,
                  const char *fmt, ...) PRINTF_LIKE(4, 5);
static void wrong(struct reading *r, unsigned line, unsigned column,
                  const char *fmt, ...)
{
    char what[320], text[512], where[160] = "";
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (r->group && r->number)
        (void)snprintf(where, sizeof(where),
                       "group \"%.40s\", rule %zu, \"%.60s\": ",
                       r->group->name.p, r->number, r->rule.p ? r->rule.p : "");
    else if (r->group)
        (void)snprintf(where, sizeof(where),
                       "group \"%.60s\": ", r->group->name.p);
    (void)snprintf(text, sizeof(text), "%u:%u: %s%s", line, column, where,
                   what);
    say(r, ERR_INVALID, text);
}

static void no_memory(struct reading *r)
{
    say(r, ERR_NOMEM, " out of memory");
}

static void check_keys(struct reading *r, const struct yaml *map,
                       const char *const *known, size_t n)
{
    const struct yaml *c = NULL;

    while ((c = yaml_stranger(map, c, known, n)))
        wrong(r, c->key_line, c->key_column,
              "there is no field \"" STR_FMT "\" here", STR_ARG(c->key));
}

/* ---- fields ------------------------------------------------------------- */

/* The text of a field; empty when it is not there. */
static struct str text_of(struct reading *r, const struct yaml *n,
                          const char *name)
{
    if (!n || yaml_is_null(n))
        return STR("");
    if (n->kind == YAML_TEXT)
        return n->text;
    wrong(r, n->line, n->column, "%s must be a text, not a %s", name,
          yaml_kind_name(n));
    return STR("");
}

static int64_t duration_of(struct reading *r, const struct yaml *n,
                           const char *name)
{
    struct str text = text_of(r, n, name);
    int64_t ms = 0;

    if (text.n == 0 || str_eq(text, STR("0")))
        return 0;
    if (!duration_parse(text, &ms))
        wrong(r, n->line, n->column,
              "%s: not a valid duration string: \"" STR_FMT "\"", name,
              STR_ARG(text));
    return ms;
}

static void check_name(struct reading *r, const struct yaml *c, bool label)
{
    if (label && (!label_name_is_plain(c->key) || str_eq(c->key, LABEL_NAME)))
        wrong(r, c->key_line, c->key_column, "invalid label name: " STR_FMT,
              STR_ARG(c->key));
    else if (!label && !label_name_is_plain(c->key))
        wrong(r, c->key_line, c->key_column,
              "invalid annotation name: " STR_FMT, STR_ARG(c->key));
}

/* A template's mistake, where the text begins in the file. */
static void take_template(struct reading *r, const struct yaml *c,
                          const char *what, struct rule_text *out)
{
    struct err why = {0};

    out->name = c->key;
    out->source = c->kind == YAML_TEXT ? c->text : STR("");
    if (c->kind != YAML_TEXT) {
        wrong(r, c->line, c->column, "%s \"" STR_FMT "\" must be a text", what,
              STR_ARG(c->key));
        return;
    }
    enum errc rc = template_parse(c->text, &r->rules->arena, &out->text, &why);
    if (rc == ERR_NOMEM)
        no_memory(r);
    else if (rc)
        wrong(r, c->line, c->column, "%s \"" STR_FMT "\": %s", what,
              STR_ARG(c->key), why.msg);
}

static bool has_key(const struct yaml *map, struct str key)
{
    for (const struct yaml *c = map ? map->first : NULL; c; c = c->next)
        if (str_eq(c->key, key))
            return true;
    return false;
}

/* Labels of the rule, and of its group those that it has not itself. */
static void take_texts(struct reading *r, const struct yaml *map,
                       const struct yaml *also, bool label,
                       struct rule_text **out, size_t *n)
{
    const char *what = label ? "label" : "annotation";

    if (map && map->kind != YAML_MAP && !yaml_is_null(map)) {
        wrong(r, map->line, map->column, "%ss must be a map", what);
        return;
    }
    struct rule_text *v = arena_new(&r->rules->arena, struct rule_text,
                                    yaml_count(map) + yaml_count(also) + 1);
    if (!v) {
        no_memory(r);
        return;
    }
    *out = v;
    for (const struct yaml *c = map ? map->first : NULL; c; c = c->next) {
        check_name(r, c, label);
        take_template(r, c, what, &v[(*n)++]);
    }
    for (const struct yaml *c = also ? also->first : NULL; c; c = c->next)
        if (!has_key(map, c->key))
            take_template(r, c, what, &v[(*n)++]);
}

/* ---- rules -------------------------------------------------------------- */

static void take_expr(struct reading *r, const struct yaml *at,
                      const struct yaml *n, struct rule *rule)
{
    struct err why = {0};

    rule->source = text_of(r, n, "expr");
    if (rule->source.n == 0) {
        wrong(r, at->line, at->column, "field 'expr' must be set in rule");
        return;
    }
    rule->expr_line = n->line;
    enum errc rc = promql_parse(rule->source, &rule->expr, &why);
    if (rc == ERR_NOMEM)
        no_memory(r);
    else if (rc)
        wrong(r, n->line, n->column, "could not parse expression: %s", why.msg);
}

static void check_recording(struct reading *r, const struct yaml *n,
                            const struct rule *rule)
{
    static const char *const only_alerts[] = {"for", "keep_firing_for",
                                              "annotations"};

    for (size_t i = 0; i < COUNT(only_alerts); i++)
        if (yaml_get(n, only_alerts[i]))
            wrong(r, n->line, n->column, "invalid field '%s' in recording rule",
                  only_alerts[i]);
    if (!metric_name_is_plain(rule->name))
        wrong(r, n->line, n->column, "invalid recording rule name: " STR_FMT,
              STR_ARG(rule->name));
}

static void take_rule(struct reading *r, const struct yaml *n,
                      struct rule *rule)
{
    static const char *const known[] = {
        "record", "alert",       "expr",           "for",
        "labels", "annotations", "keep_firing_for"};
    const struct yaml *record = yaml_get(n, "record");
    const struct yaml *alert = yaml_get(n, "alert");

    *rule = (struct rule){.line = n->line};
    r->rule = STR("");
    if (n->kind != YAML_MAP) {
        wrong(r, n->line, n->column, "a rule must be a map");
        return;
    }
    rule->alerting = !yaml_is_null(alert);
    rule->name = text_of(r, rule->alerting ? alert : record, "the name");
    r->rule = rule->name;
    check_keys(r, n, known, COUNT(known));
    if (!yaml_is_null(record) && rule->alerting)
        wrong(r, n->line, n->column,
              "only one of 'record' and 'alert' must be set");
    else if (rule->name.n == 0)
        wrong(r, n->line, n->column, "one of 'record' or 'alert' must be set");
    else if (!rule->alerting)
        check_recording(r, n, rule);
    take_expr(r, n, yaml_get(n, "expr"), rule);
    rule->hold = duration_of(r, yaml_get(n, "for"), "for");
    rule->keep_firing =
        duration_of(r, yaml_get(n, "keep_firing_for"), "keep_firing_for");
    take_texts(r, yaml_get(n, "labels"), r->group_labels, true, &rule->labels,
               &rule->n_labels);
    take_texts(r, yaml_get(n, "annotations"), NULL, false, &rule->annotations,
               &rule->n_annotations);
}

/* ---- groups ------------------------------------------------------------- */

static void take_rules(struct reading *r, const struct yaml *list,
                       struct rule_group *g)
{
    if (yaml_is_null(list))
        return;
    if (list->kind != YAML_LIST) {
        wrong(r, list->line, list->column, "rules must be a list");
        return;
    }
    g->rules = arena_new(&r->rules->arena, struct rule, yaml_count(list) + 1);
    if (!g->rules) {
        no_memory(r);
        return;
    }
    for (const struct yaml *c = list->first; c; c = c->next) {
        r->number = g->n + 1;
        take_rule(r, c, &g->rules[g->n++]);
    }
    r->number = 0;
}

static void check_group_name(struct reading *r, const struct yaml *n,
                             const struct rule_group *g)
{
    if (g->name.n == 0)
        wrong(r, n->line, n->column, "Groupname must not be empty");
    for (const struct rule_group *o = r->rules->groups; o < g; o++)
        if (g->name.n && str_eq(o->name, g->name) && str_eq(o->file, g->file))
            wrong(r, n->line, n->column,
                  "groupname: \"" STR_FMT "\" is repeated in the same file",
                  STR_ARG(g->name));
}

static void take_group(struct reading *r, const struct yaml *n,
                       struct rule_group *g)
{
    static const char *const known[] = {"name",  "interval", "query_offset",
                                        "limit", "rules",    "labels"};

    *g = (struct rule_group){
        .line = n->line, .name = STR(""), .file = str_from_cstr(r->file)};
    if (n->kind != YAML_MAP) {
        wrong(r, n->line, n->column, "a group must be a map");
        return;
    }
    g->name = text_of(r, yaml_get(n, "name"), "name");
    r->group = g;
    check_group_name(r, n, g);
    check_keys(r, n, known, COUNT(known));
    g->interval = duration_of(r, yaml_get(n, "interval"), "interval");
    const struct yaml *offset = yaml_get(n, "query_offset");
    g->offset = yaml_is_null(offset) ? -1
                                     : duration_of(r, offset, "query_offset");
    struct str limit = text_of(r, yaml_get(n, "limit"), "limit");
    if (limit.n && !str_to_u64(limit, &g->limit))
        wrong(r, n->line, n->column, "limit must be a whole number");
    r->group_labels = yaml_get(n, "labels");
    if (r->group_labels && r->group_labels->kind != YAML_MAP) {
        wrong(r, n->line, n->column, "labels must be a map");
        r->group_labels = NULL;
    }
    take_rules(r, yaml_get(n, "rules"), g);
}

static void take_groups(struct reading *r, const struct yaml *root)
{
    static const char *const known[] = {"groups"};
    const struct yaml *list;

    if (yaml_is_null(root))
        return;
    if (root->kind != YAML_MAP) {
        wrong(r, root->line, root->column, "a rule file is a map with groups");
        return;
    }
    check_keys(r, root, known, COUNT(known));
    list = yaml_get(root, "groups");
    if (yaml_is_null(list))
        return;
    if (list->kind != YAML_LIST) {
        wrong(r, list->line, list->column, "groups must be a list");
        return;
    }
    for (const struct yaml *c = list->first; c && r->rc != ERR_NOMEM;
         c = c->next) {
        struct rules *all = r->rules;
        if (!arena_grow(&all->arena, &all->groups, all->n, &all->cap,
                        sizeof(*all->groups))) {
            no_memory(r);
            return;
        }
        take_group(r, c, &all->groups[all->n++]);
        r->group = NULL;
    }
}

enum errc rules_read(struct rules *rules, const char *file, struct str text,
                     rules_report *report, void *ctx, struct err *err)
{
    struct reading r = {
        .rules = rules, .report = report, .ctx = ctx, .err = err};
    const struct yaml *root = NULL;
    struct err why = {0};

    r.file = arena_cstr(&rules->arena, str_from_cstr(file));
    if (!r.file)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = yaml_read(text, &rules->arena, &root, &why);
    if (rc)
        say(&r, rc, why.msg);
    else
        take_groups(&r, root);
    return r.rc;
}

enum errc rules_load(struct rules *r, const char *path, rules_report *report,
                     void *ctx, struct err *err)
{
    struct buf b;

    buf_init(&b, RULES_MAX_BYTES);
    enum errc rc = fs_read(path, &b, err);
    if (!rc)
        rc = rules_read(r, path, buf_str(&b), report, ctx, err);
    buf_fini(&b);
    return rc;
}
