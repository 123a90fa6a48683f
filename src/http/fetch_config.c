#include "http/fetch_config.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"

enum { SECRET_MAX = 4000 };

/* ---- secrets ------------------------------------------------------------ */

void yaml_secret(struct yaml_form *f, const struct yaml *n, void *secret)
{
    struct secret *s = secret;

    s->value = yaml_take_text(f, n);
}

void yaml_secret_file(struct yaml_form *f, const struct yaml *n, void *secret)
{
    struct secret *s = secret;
    struct str name = yaml_take_text(f, n);
    char path[8300];

    yaml_beside(f, name, path, sizeof(path));
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

/* ---- the fields --------------------------------------------------------- */

#define AT(field) offsetof(struct http_auth, field)

void yaml_basic_auth(struct yaml_form *f, const struct yaml *n, void *auth)
{
    static const struct yaml_field fields[] = {
        {"username", YAML_FIELD_TEXT, AT(username), NULL},
        {"password", YAML_FIELD_OTHER, AT(password), yaml_secret},
        {"password_file", YAML_FIELD_OTHER, AT(password), yaml_secret_file},
        {0}};

    yaml_take(f, n, fields, auth);
}

void yaml_authorization(struct yaml_form *f, const struct yaml *n, void *auth)
{
    static const struct yaml_field fields[] = {
        {"type", YAML_FIELD_TEXT, AT(bearer_type), NULL},
        {"credentials", YAML_FIELD_OTHER, AT(bearer), yaml_secret},
        {"credentials_file", YAML_FIELD_OTHER, AT(bearer), yaml_secret_file},
        {0}};

    yaml_take(f, n, fields, auth);
}

void yaml_tls(struct yaml_form *f, const struct yaml *n, void *auth)
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

void yaml_http(struct yaml_form *f, const struct yaml *n, void *auth)
{
    static const struct yaml_field fields[] = {YAML_HTTP_FIELDS(0), {0}};

    yaml_take(f, n, fields, auth);
}

#undef AT

/* ---- who we are to the other side --------------------------------------- */

static enum errc text_of(struct str s, struct arena *a, const char **out,
                         struct err *err)
{
    *out = s.n ? arena_cstr(a, s) : NULL;
    return s.n && !*out ? err_set(err, ERR_NOMEM, "out of memory") : ERR_OK;
}

static enum errc secret_text(const struct secret *s, struct arena *a,
                             const char *before, const char **out,
                             struct err *err)
{
    struct buf b;

    *out = NULL;
    if (!secret_is_set(s))
        return ERR_OK;
    buf_init(&b, SECRET_MAX);
    buf_puts(&b, before);
    enum errc rc = secret_get(s, &b, err);
    if (!rc)
        rc = text_of(buf_str(&b), a, out, err);
    buf_fini(&b);
    return rc;
}

enum errc fetch_auth_make(const struct http_auth *from, struct arena *arena,
                          struct fetch_auth *out, struct err *err)
{
    char kind[64];
    const struct {
        struct str from;
        const char **to;
    } texts[] = {{from->username, &out->username},
                 {from->ca_file, &out->ca_file},
                 {from->cert_file, &out->cert_file},
                 {from->key_file, &out->key_file},
                 {from->proxy, &out->proxy}};
    enum errc rc = ERR_OK;

    *out = (struct fetch_auth){.insecure = from->insecure};
    for (size_t i = 0; i < COUNT(texts) && !rc; i++)
        rc = text_of(texts[i].from, arena, texts[i].to, err);
    if (!rc)
        rc = secret_text(&from->password, arena, "", &out->password, err);
    (void)snprintf(kind, sizeof(kind), "%.*s ",
                   from->bearer_type.n ? (int)from->bearer_type.n : 6,
                   from->bearer_type.n ? from->bearer_type.p : "Bearer");
    if (!rc)
        rc = secret_text(&from->bearer, arena, kind, &out->authorization, err);
    return rc;
}
