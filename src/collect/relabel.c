#include "collect/relabel.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/digest.h"

enum { VALUE_MAX = 1 << 20 };

/* A rule while it is applied. */
struct applying {
    const struct relabel *rule;
    struct labels_builder b;
    struct arena *arena;
    struct buf value; /* of the sources, joined */
    bool keep;
    struct err *err;
};

static enum errc no_memory(struct applying *x)
{
    return err_set(x->err, ERR_NOMEM, "out of memory");
}

static struct str get(const struct applying *x, struct str name)
{
    return labels_get((struct labels){x->b.v, x->b.n}, name);
}

static enum errc set(struct applying *x, struct str name, struct str value)
{
    const char *n = arena_cstr(x->arena, name),
               *v = arena_cstr(x->arena, value);

    if (!n || !v)
        return no_memory(x);
    if (value.n)
        labels_set(&x->b, (struct str){n, name.n}, (struct str){v, value.n});
    else
        labels_drop(&x->b, (struct str){n, name.n});
    return ERR_OK;
}

static enum errc match(struct applying *x, struct str s, bool *yes)
{
    enum regex_result r = regex_match(x->rule->re, s);

    *yes = r == REGEX_YES;
    return r == REGEX_TOO_COSTLY
               ? err_set(x->err, ERR_LIMIT,
                         "the expression \"" STR_FMT "\" takes too many steps",
                         STR_ARG(x->rule->pattern))
               : ERR_OK;
}

/* ---- actions ------------------------------------------------------------ */

static enum errc keep(struct applying *x)
{
    return match(x, buf_str(&x->value), &x->keep);
}

static enum errc drop(struct applying *x)
{
    bool yes;
    enum errc rc = match(x, buf_str(&x->value), &yes);

    x->keep = !yes;
    return rc;
}

static enum errc keep_equal(struct applying *x)
{
    x->keep = str_eq(buf_str(&x->value), get(x, x->rule->target));
    return ERR_OK;
}

static enum errc drop_equal(struct applying *x)
{
    x->keep = !str_eq(buf_str(&x->value), get(x, x->rule->target));
    return ERR_OK;
}

static enum errc replace(struct applying *x)
{
    struct str value = buf_str(&x->value);
    struct buf name, made;
    enum errc rc = ERR_OK;
    bool yes;

    rc = match(x, value, &yes);
    if (rc || !yes)
        return rc;
    buf_init(&name, VALUE_MAX);
    buf_init(&made, VALUE_MAX);
    (void)regex_expand(x->rule->re, value, x->rule->target, &name);
    (void)regex_expand(x->rule->re, value, x->rule->replacement, &made);
    if (name.failed || made.failed)
        rc = no_memory(x);
    else if (label_name_is_plain(buf_str(&name)))
        rc = set(x, buf_str(&name), buf_str(&made));
    buf_fini(&name);
    buf_fini(&made);
    return rc;
}

static enum errc change_case(struct applying *x, char from, char to)
{
    for (size_t i = 0; i < x->value.n; i++)
        if (x->value.p[i] >= from && x->value.p[i] <= to)
            x->value.p[i] ^= 0x20;
    return set(x, x->rule->target, buf_str(&x->value));
}

static enum errc lower(struct applying *x)
{
    return change_case(x, 'A', 'Z');
}

static enum errc upper(struct applying *x)
{
    return change_case(x, 'a', 'z');
}

/* The last eight bytes of MD5, as a number. */
static enum errc hash_mod(struct applying *x)
{
    unsigned char md[MD5_BYTES];
    uint64_t v = 0;
    char text[24];
    enum errc rc = digest_md5(buf_str(&x->value), md, x->err);

    for (size_t i = MD5_BYTES / 2; i < MD5_BYTES; i++)
        v = v << 8 | md[i];
    (void)snprintf(text, sizeof(text), "%" PRIu64,
                   v % (uint64_t)x->rule->modulus);
    return rc ? rc : set(x, x->rule->target, str_from_cstr(text));
}

/* The labels as they are before the rule changes them. */
static struct labels before(struct applying *x)
{
    struct label *v = arena_new(x->arena, struct label, x->b.n + 1);

    if (v && x->b.n)
        memcpy(v, x->b.v, x->b.n * sizeof(*v));
    return (struct labels){v, v ? x->b.n : 0};
}

static enum errc label_map(struct applying *x)
{
    struct labels l = before(x);
    enum errc rc = l.v ? ERR_OK : no_memory(x);

    for (size_t i = 0; i < l.n && !rc; i++) {
        struct buf name;
        bool yes;
        rc = match(x, l.v[i].name, &yes);
        if (rc || !yes)
            continue;
        buf_init(&name, VALUE_MAX);
        (void)regex_expand(x->rule->re, l.v[i].name, x->rule->replacement,
                           &name);
        rc = name.failed ? no_memory(x) : set(x, buf_str(&name), l.v[i].value);
        buf_fini(&name);
    }
    return rc;
}

static enum errc drop_labels(struct applying *x, bool matching)
{
    struct labels l = before(x);
    enum errc rc = l.v ? ERR_OK : no_memory(x);

    for (size_t i = 0; i < l.n && !rc; i++) {
        bool yes;
        rc = match(x, l.v[i].name, &yes);
        if (!rc && yes == matching)
            labels_drop(&x->b, l.v[i].name);
    }
    return rc;
}

static enum errc label_drop(struct applying *x)
{
    return drop_labels(x, true);
}

static enum errc label_keep(struct applying *x)
{
    return drop_labels(x, false);
}

/* Fields of a rule. */
enum {
    SOURCE = 1 << 0,
    TARGET = 1 << 1,
    REGEX = 1 << 2,
    MODULUS = 1 << 3,
    REPLACEMENT = 1 << 4,
    SEPARATOR = 1 << 5,
    ALL_FIELDS = (1 << 6) - 1
};

static const struct {
    const char *name;
    enum errc (*apply)(struct applying *x);
    unsigned needs, takes; /* fields */
} actions[] = {
    {"replace", replace, TARGET, ALL_FIELDS},
    {"keep", keep, 0, ALL_FIELDS},
    {"drop", drop, 0, ALL_FIELDS},
    {"keepequal", keep_equal, TARGET, SOURCE | TARGET},
    {"dropequal", drop_equal, TARGET, SOURCE | TARGET},
    {"lowercase", lower, TARGET, ALL_FIELDS - REPLACEMENT},
    {"uppercase", upper, TARGET, ALL_FIELDS - REPLACEMENT},
    {"hashmod", hash_mod, TARGET | MODULUS, ALL_FIELDS},
    {"labelmap", label_map, 0, ALL_FIELDS},
    {"labeldrop", label_drop, 0, REGEX},
    {"labelkeep", label_keep, 0, REGEX},
};

/* ---- applying ----------------------------------------------------------- */

static enum errc apply_one(struct applying *x)
{
    const struct relabel *rule = x->rule;

    buf_clear(&x->value);
    for (size_t i = 0; i < rule->source.n; i++) {
        buf_put(&x->value, i ? rule->separator : STR(""));
        buf_put(&x->value, get(x, rule->source.v[i]));
    }
    if (x->value.failed)
        return no_memory(x);
    return actions[rule->action].apply(x);
}

enum errc relabel_apply(const struct relabel_rules *r, struct labels l,
                        struct arena *a, struct labels *out, bool *keep_it,
                        struct err *err)
{
    struct applying x = {.arena = a, .keep = true, .err = err};
    enum errc rc = ERR_OK;

    *keep_it = true;
    *out = l;
    if (r->n == 0)
        return ERR_OK;
    buf_init(&x.value, VALUE_MAX);
    labels_build(&x.b, a, l);
    for (size_t i = 0; i < r->n && !rc && x.keep; i++) {
        x.rule = &r->v[i];
        rc = apply_one(&x);
    }
    if (!labels_built(&x.b, out) && !rc)
        rc = no_memory(&x);
    *keep_it = x.keep;
    buf_fini(&x.value);
    return rc;
}

/* ---- reading ------------------------------------------------------------ */

static bool find_action(struct relabel *r)
{
    for (size_t i = 0; i < COUNT(actions); i++)
        if (str_eq_nocase(r->action_name, str_from_cstr(actions[i].name))) {
            r->action = (int)i;
            return true;
        }
    return false;
}

static const struct relabel defaults = {.separator = STR_INIT(";"),
                                        .pattern = STR_INIT("(.*)"),
                                        .replacement = STR_INIT("$1"),
                                        .action_name = STR_INIT("replace")};

static const struct {
    unsigned field;
    const char *name;
} field_names[] = {
    {SOURCE, "source_labels"},
    {TARGET, "target_label"},
    {REGEX, "regex"},
    {MODULUS, "modulus"},
    {REPLACEMENT, "replacement"},
    {SEPARATOR, "separator"},
};

/* The fields that differ from what they are when nothing is said. */
static unsigned given(const struct relabel *r)
{
    return (r->source.n ? SOURCE : 0U) | (r->target.n ? TARGET : 0U) |
           (r->modulus ? MODULUS : 0U) |
           (str_eq(r->pattern, defaults.pattern) ? 0U : REGEX) |
           (str_eq(r->replacement, defaults.replacement) ? 0U : REPLACEMENT) |
           (str_eq(r->separator, defaults.separator) ? 0U : SEPARATOR);
}

static bool is_target(const struct relabel *r)
{
    bool groups = actions[r->action].apply == replace &&
                  memchr(r->target.p, '$', r->target.n);

    return groups || label_name_is_plain(r->target);
}

static void check(struct yaml_form *f, const struct yaml *n,
                  const struct relabel *r)
{
    const char *name = actions[r->action].name;
    unsigned needs = actions[r->action].needs, takes = actions[r->action].takes;

    for (size_t i = 0; i < COUNT(field_names); i++) {
        bool has = given(r) & field_names[i].field;
        if (!has && (needs & field_names[i].field))
            yaml_wrong(f, n,
                       "relabel configuration for %s action requires '%s' "
                       "value",
                       name, field_names[i].name);
        if (has && !(takes & field_names[i].field))
            yaml_wrong(f, n, "'%s' can not be set for %s action",
                       field_names[i].name, name);
    }
    if ((needs & TARGET) && r->target.n && !is_target(r))
        yaml_wrong(f, n,
                   "\"" STR_FMT "\" is invalid 'target_label' for %s action",
                   STR_ARG(r->target), name);
    if (r->modulus < 0)
        yaml_wrong(f, n, "'modulus' must not be negative");
}

static void take_one(struct yaml_form *f, const struct yaml *n,
                     struct relabel *out)
{
#define AT(field) offsetof(struct relabel, field)
    static const struct yaml_field fields[] = {
        {"source_labels", YAML_FIELD_TEXTS, AT(source), NULL},
        {"separator", YAML_FIELD_TEXT, AT(separator), NULL},
        {"target_label", YAML_FIELD_TEXT, AT(target), NULL},
        {"regex", YAML_FIELD_TEXT, AT(pattern), NULL},
        {"modulus", YAML_FIELD_WHOLE, AT(modulus), NULL},
        {"replacement", YAML_FIELD_TEXT, AT(replacement), NULL},
        {"action", YAML_FIELD_TEXT, AT(action_name), NULL},
        {0}};
#undef AT
    struct err why = {0};

    *out = defaults;
    yaml_take(f, n, fields, out);
    if (!find_action(out)) {
        yaml_wrong(f, n, "unknown relabel action \"" STR_FMT "\"",
                   STR_ARG(out->action_name));
        return;
    }
    check(f, n, out);
    enum errc rc = regex_compile(out->pattern, &out->re, &why);
    if (rc == ERR_NOMEM)
        yaml_no_memory(f);
    else if (rc)
        yaml_wrong(f, n, "%s", why.msg);
}

void relabel_take(struct yaml_form *f, const struct yaml *n, void *rules)
{
    struct relabel_rules *r = rules;

    if (!yaml_is_list(f, n))
        return;
    r->v = arena_new(f->arena, struct relabel, yaml_count(n) + 1);
    if (!r->v) {
        yaml_no_memory(f);
        return;
    }
    for (const struct yaml *c = n->first; c; c = c->next)
        take_one(f, c, &r->v[r->n++]);
}

void relabel_fini(struct relabel_rules *r)
{
    for (size_t i = 0; i < r->n; i++)
        regex_free(r->v[i].re);
    r->n = 0;
}
