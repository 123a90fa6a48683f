/* config_values.c - kinds of values in the file: durations, secrets, texts,
 * matchers, how to speak HTTP. */
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "notify/config_internal.h"
#include "promql/duration.h"

void config_duration(struct yaml_form *f, const struct yaml *n, void *ms)
{
    struct str text = yaml_take_text(f, n);

    if (text.n && !duration_parse(text, ms))
        yaml_wrong(f, n, "not a valid duration string: \"" STR_FMT "\"",
                   STR_ARG(text));
}

void config_secret(struct yaml_form *f, const struct yaml *n, void *secret)
{
    struct secret *s = secret;

    s->value = yaml_take_text(f, n);
}

void config_secret_file(struct yaml_form *f, const struct yaml *n, void *secret)
{
    struct secret *s = secret;
    struct str name = yaml_take_text(f, n);
    char path[8300];

    (void)snprintf(path, sizeof(path), "%s%s" STR_FMT,
                   name.n && name.p[0] == '/' ? "" : reading_of(f)->dir,
                   name.n && name.p[0] == '/' ? "" : "/", STR_ARG(name));
    const char *copy = arena_cstr(f->arena, str_from_cstr(path));
    if (copy)
        s->file = str_from_cstr(copy);
    else
        yaml_no_memory(f);
}

bool secret_is_set(const struct secret *s)
{
    return s->value.n || s->file.n;
}

enum errc secret_get(const struct secret *s, struct buf *out, struct err *err)
{
    if (!s->file.n) {
        buf_put(out, s->value);
        return ERR_OK;
    }
    enum errc rc = fs_read(s->file.p, out, err);
    while (!rc && out->n && strchr(" \t\r\n", out->p[out->n - 1]))
        out->n--;
    return rc;
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

/* ---- http --------------------------------------------------------------- */

#define AT(field) offsetof(struct http_auth, field)

static void take_basic(struct yaml_form *f, const struct yaml *n, void *auth)
{
    static const struct yaml_field fields[] = {
        {"username", YAML_FIELD_TEXT, AT(username), NULL},
        {"password", YAML_FIELD_OTHER, AT(password), config_secret},
        {"password_file", YAML_FIELD_OTHER, AT(password), config_secret_file},
        {0}};

    yaml_take(f, n, fields, auth);
}

static void take_authorization(struct yaml_form *f, const struct yaml *n,
                               void *auth)
{
    static const struct yaml_field fields[] = {
        {"type", YAML_FIELD_TEXT, AT(bearer_type), NULL},
        {"credentials", YAML_FIELD_OTHER, AT(bearer), config_secret},
        {"credentials_file", YAML_FIELD_OTHER, AT(bearer), config_secret_file},
        {0}};

    yaml_take(f, n, fields, auth);
}

void config_tls(struct yaml_form *f, const struct yaml *n, void *auth)
{
    static const struct yaml_field fields[] = {
        {"ca_file", YAML_FIELD_TEXT, AT(ca_file), NULL},
        {"cert_file", YAML_FIELD_TEXT, AT(cert_file), NULL},
        {"key_file", YAML_FIELD_TEXT, AT(key_file), NULL},
        {"server_name", YAML_FIELD_TEXT, AT(server_name), NULL},
        {"insecure_skip_verify", YAML_FIELD_BOOL, AT(insecure), NULL},
        {0}};
    struct http_auth *a = auth;

    yaml_take(f, n, fields, auth);
    if (a->server_name.n)
        yaml_wrong(f, n, "server_name is not supported");
}

void config_http(struct yaml_form *f, const struct yaml *n, void *auth)
{
    static const struct yaml_field fields[] = {
        {"basic_auth", YAML_FIELD_OTHER, 0, take_basic},
        {"authorization", YAML_FIELD_OTHER, 0, take_authorization},
        {"bearer_token", YAML_FIELD_OTHER, AT(bearer), config_secret},
        {"bearer_token_file", YAML_FIELD_OTHER, AT(bearer), config_secret_file},
        {"proxy_url", YAML_FIELD_TEXT, AT(proxy), NULL},
        {"tls_config", YAML_FIELD_OTHER, 0, config_tls},
        {0}};

    yaml_take(f, n, fields, auth);
}

#undef AT
