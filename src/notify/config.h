/* config.h - Alertmanager's configuration file: who is told of which alerts,
 * and how. The same YAML, with receivers that Alertmanager has not.
 *
 *     route:
 *       receiver: team
 *       group_by: [alertname]
 *       routes:
 *         - matchers: [severity="critical"]
 *           receiver: phone
 *     receivers:
 *       - name: team
 *         email_configs: [{to: ops@example.com}]
 *       - name: phone
 *         dingtalk_configs: [{url: https://..., secret: SEC...}]
 *
 * https://prometheus.io/docs/alerting/latest/configuration/
 *
 * Threads: what was loaded does not change and may be read by any.
 */
#ifndef NOTIFY_CONFIG_H
#define NOTIFY_CONFIG_H

#include "alert/template.h"
#include "http/fetch_config.h"
#include "notify/matchers.h"
#include "notify/period.h"

enum { CONFIG_MAX_BYTES = 4 << 20 };

/* ---- receivers ---------------------------------------------------------- */

struct integration;
struct notification;

/* What came of telling: ERR_OK, or an error; `again`: worth another try. */
struct told {
    bool again;
    int64_t after_ms; /* not before; 0: no matter */
};

struct integration_type {
    const char *name;                /* "webhook", also in the API */
    const char *key;                 /* "webhook_configs" */
    const struct yaml_field *fields; /* of struct integration */
    bool send_resolved;              /* unless the file says otherwise */
    int64_t per_minute;              /* messages that the other side takes */
    const char *title, *text;        /* templates, when none is given */
    enum errc (*send)(struct notification *n, struct told *told,
                      struct err *err);
};

extern const struct integration_type integration_types[];
extern const size_t n_integration_types;

/* A text with a template in it. */
struct message_text {
    struct str source;
    const struct template *template;
};

struct header {
    struct str name;
    struct message_text value;
};

/* Parts of a message in Slack:
 * https://prometheus.io/docs/alerting/latest/configuration/#slack_config */
struct slack_field {
    struct message_text title, value;
    bool narrow;
};

struct slack_action {
    struct str type;
    struct message_text text, url, style, name, value;
    /* What is asked before; nothing without a text. */
    struct message_text confirm, confirm_title, confirm_yes, confirm_no;
};

/* One way to tell somebody. What a type does not have stays empty. */
struct integration {
    const struct integration_type *type;
    const struct receiver *receiver;
    unsigned index; /* among the receiver's of this type */
    bool send_resolved;
    struct secret url;
    struct http_auth http;
    int64_t max_alerts; /* webhook; 0: all */
    int64_t timeout;    /* ms; webhook; 0: as long as any */
    int64_t per_minute;
    struct str language; /* "en", "zh": of the default texts */
    struct message_text title, text;
    struct secret secret; /* signs: DingTalk, Feishu; e-mail: of CRAM-MD5 */
    struct yaml_texts at; /* DingTalk, WeCom: mobile numbers */
    bool at_all;
    /* e-mail */
    struct message_text to, html;
    struct str from, smarthost, hello, username, identity;
    struct secret password;
    bool require_tls;
    struct header *headers;
    size_t n_headers;
    /* Slack */
    struct message_text channel, sender, color, title_link, pretext, fallback,
        icon_emoji, icon_url, footer, callback_id, image_url, thumb_url;
    bool short_fields, link_names;
    struct yaml_texts mrkdwn_in;
    struct slack_field *fields;
    struct slack_action *actions;
    size_t n_fields, n_actions;
};

struct receiver {
    struct str name;
    struct integration *v;
    size_t n, cap;
};

/* ---- routes ------------------------------------------------------------- */

struct route {
    const struct receiver *receiver;
    struct str receiver_name;
    struct yaml_texts group_by;
    bool group_by_all; /* group_by: ['...'] */
    bool goes_on;      /* continue: the ones behind it are tried too */
    struct matchers matchers;
    int64_t group_wait, group_interval, repeat_interval; /* ms */
    struct yaml_texts muted, active; /* names of time intervals */
    const struct route *parent;
    struct route *first, *next;
    unsigned index; /* from the root, which has 0, in the order of the file */
    struct str key; /* {}/{severity="critical"} */
};

/* Calls each() for every route that an alert goes to: the deepest that match,
 * as Alertmanager finds them. */
void route_match(const struct route *root, struct labels l,
                 void (*each)(void *ctx, const struct route *r), void *ctx);

/* ---- the rest ----------------------------------------------------------- */

struct inhibit_rule {
    struct matchers source, target;
    struct yaml_texts equal;
};

struct named_period {
    struct str name;
    struct period *v;
    size_t n;
};

/* Settings that receivers take over. */
struct notify_global {
    struct str smtp_from, smtp_smarthost, smtp_hello, smtp_username,
        smtp_identity;
    struct secret smtp_password, smtp_secret, slack_url;
    bool smtp_require_tls;
    int64_t resolve_timeout; /* ms: of alerts that come without an end */
    struct http_auth http;
};

struct notify_config {
    struct arena arena;
    struct str original; /* with secrets hidden */
    struct notify_global global;
    struct route *root;
    unsigned n_routes;
    struct receiver *receivers;
    size_t n_receivers;
    struct inhibit_rule *inhibits;
    size_t n_inhibits;
    struct named_period *periods;
    size_t n_periods, cap_periods;
    struct template_set templates;
};

/* Reads a file's text; `file` names it in errors, and templates are looked for
 * beside it. All mistakes are reported (report may be NULL); the first is the
 * error. */
MUST_CHECK enum errc notify_config_read(
    struct notify_config *c, const char *file, struct str text,
    void (*report)(void *ctx, const char *file, const char *message), void *ctx,
    struct err *err);

/* The same of a file; "FILE#KEY" is what is under that key of FILE, unless
 * there is a file of that whole name. */
MUST_CHECK enum errc notify_config_load(
    struct notify_config *c, const char *place,
    void (*report)(void *ctx, const char *file, const char *message), void *ctx,
    struct err *err);
void notify_config_fini(struct notify_config *c);

/* Names that texts may use at the start: .Status, .Alerts ... */
extern const char *const message_fields[];

#endif
