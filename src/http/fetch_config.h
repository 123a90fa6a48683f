/* fetch_config.h - how a server is to be spoken to, as Prometheus' and
 * Alertmanager's files say it: http_config.
 *
 * https://prometheus.io/docs/prometheus/latest/configuration/configuration/#http_config
 */
#ifndef HTTP_FETCH_CONFIG_H
#define HTTP_FETCH_CONFIG_H

#include "codec/yaml_form.h"
#include "http/fetch.h"

/* A setting, or the file that has it: read when it is used. */
struct secret {
    struct str value, file;
};

struct http_auth {
    struct str username, bearer_type;
    struct secret password, bearer;
    struct str ca_file, cert_file, key_file, server_name, proxy;
    bool insecure;
};

/* Fields of tables (yaml_form.h): of a struct secret, and of a struct
 * http_auth. */
void yaml_secret(struct yaml_form *f, const struct yaml *n, void *secret);
void yaml_secret_file(struct yaml_form *f, const struct yaml *n, void *secret);
void yaml_http(struct yaml_form *f, const struct yaml *n, void *auth);
void yaml_tls(struct yaml_form *f, const struct yaml *n, void *auth);

/* The fields of http_config, for maps that have others as well: "at" is where
 * the struct http_auth lies. */
#define YAML_HTTP_FIELDS(at)                                           \
    {"basic_auth", YAML_FIELD_OTHER, (at), yaml_basic_auth},           \
        {"authorization", YAML_FIELD_OTHER, (at), yaml_authorization}, \
        {"bearer_token", YAML_FIELD_OTHER,                             \
         (at) + offsetof(struct http_auth, bearer), yaml_secret},      \
        {"bearer_token_file", YAML_FIELD_OTHER,                        \
         (at) + offsetof(struct http_auth, bearer), yaml_secret_file}, \
        {"proxy_url", YAML_FIELD_TEXT,                                 \
         (at) + offsetof(struct http_auth, proxy), NULL},              \
        {"tls_config", YAML_FIELD_OTHER, (at), yaml_tls},              \
        {"follow_redirects", YAML_FIELD_OTHER, 0, yaml_ignore},        \
    {                                                                  \
        "enable_http2", YAML_FIELD_OTHER, 0, yaml_ignore               \
    }

void yaml_basic_auth(struct yaml_form *f, const struct yaml *n, void *auth);
void yaml_authorization(struct yaml_form *f, const struct yaml *n, void *auth);

/* The value, from its file if it has one. ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum errc secret_get(const struct secret *s, struct buf *out,
                                struct err *err);
bool secret_is_set(const struct secret *s);

/* Options of libcurl from the file's; texts are kept in the arena, secrets
 * read now. */
MUST_CHECK enum errc fetch_auth_make(const struct http_auth *from,
                                     struct arena *arena,
                                     struct fetch_auth *out, struct err *err);

#endif
