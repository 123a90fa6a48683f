/* config_values.c - kinds of values in the file: durations, secrets, texts,
 * matchers, how to speak HTTP. */
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "notify/config_internal.h"
#include "series/duration.h"

void config_duration(struct yaml_form *f, const struct yaml *n, void *ms)
{
    struct str text = yaml_take_text(f, n);

    if (text.n && !duration_parse(text, ms))
        yaml_wrong(f, n, "not a valid duration string: \"" STR_FMT "\"",
                   STR_ARG(text));
}

static void parse_message(struct yaml_form *f, const struct yaml *at,
                          struct str source, struct message_text *out)
{
    struct err why = {0};

    out->source = source;
    enum errc rc = template_parse_about(source, message_fields,
                                        &reading_of(f)->config->templates,
                                        f->arena, &out->template, &why);
    if (rc == ERR_NOMEM)
        yaml_no_memory(f);
    else if (rc)
        yaml_wrong(f, at, "template: %s", why.msg);
}

void config_message(struct yaml_form *f, const struct yaml *n, void *message)
{
    parse_message(f, n, yaml_take_text(f, n), message);
}

void config_default_message(struct yaml_form *f, const struct yaml *at,
                            const char *source, struct message_text *out)
{
    if (!out->template)
        parse_message(f, at, str_from_cstr(source), out);
}

/* ---- matchers ----------------------------------------------------------- */

void config_matchers(struct yaml_form *f, const struct yaml *n, void *matchers)
{
    struct err why = {0};

    if (!yaml_is_list(f, n))
        return;
    for (const struct yaml *c = n->first; c; c = c->next) {
        enum errc rc =
            matchers_parse(matchers, yaml_take_text(f, c), f->arena, &why);
        if (rc == ERR_NOMEM)
            yaml_no_memory(f);
        else if (rc)
            yaml_wrong(f, c, "%s", why.msg);
    }
}

/* Alertmanager keeps expressions of match_re with their anchors, and shows
 * them in the keys of groups. */
static struct str anchored(struct yaml_form *f, struct str value)
{
    struct buf b;

    buf_init(&b, CONFIG_MAX_BYTES);
    buf_printf(&b, "^(?:" STR_FMT ")$", STR_ARG(value));
    const char *copy = arena_cstr(f->arena, buf_str(&b));
    struct str made = {copy ? copy : "", copy ? b.n : 0};
    buf_fini(&b);
    return made;
}

static void take_map(struct yaml_form *f, const struct yaml *n,
                     enum match_op op, struct matchers *out)
{
    struct err why = {0};

    if (n->kind != YAML_MAP)
        yaml_wrong(f, n, "this must be a map, not a %s", yaml_kind_name(n));
    for (const struct yaml *c = n->kind == YAML_MAP ? n->first : NULL; c;
         c = c->next) {
        struct str value = yaml_take_text(f, c);
        if (op == MATCH_REGEX)
            value = anchored(f, value);
        if (matchers_add(out, op, c->key, value, f->arena, &why))
            yaml_wrong(f, c, "%s", why.msg);
    }
}

void config_match(struct yaml_form *f, const struct yaml *n, void *matchers)
{
    take_map(f, n, MATCH_EQUAL, matchers);
}

void config_match_re(struct yaml_form *f, const struct yaml *n, void *matchers)
{
    take_map(f, n, MATCH_REGEX, matchers);
}
