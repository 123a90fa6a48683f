/* config_receivers.c - who is told, and how: the kinds of integrations and
 * their fields. */
#include <stdio.h>
#include <string.h>

#include "notify/config_internal.h"
#include "notify/send.h"

const char *const message_fields[] = {
    "Receiver",    "Status",       "Alerts",
    "GroupLabels", "CommonLabels", "CommonAnnotations",
    "ExternalURL", "Labels",       "Annotations",
    "StartsAt",    "EndsAt",       "Name",
    "Value",       "GeneratorURL", "Fingerprint",
    "Firing",      "Resolved",     "Values",
    "Names",       "SortedPairs",  "Remove()",
    "Format()",    "Add()",        "Sub()",
    "Before()",    "After()",      NULL};

#define AT(field) offsetof(struct integration, field)
/* clang-format off */
#define COMMON \
    {"send_resolved", YAML_FIELD_BOOL, AT(send_resolved), NULL}

#define CHAT \
    COMMON, \
    {"url", YAML_FIELD_OTHER, AT(url), yaml_secret}, \
    {"url_file", YAML_FIELD_OTHER, AT(url), yaml_secret_file}, \
    {"http_config", YAML_FIELD_OTHER, AT(http), yaml_http}, \
    {"language", YAML_FIELD_TEXT, AT(language), NULL}, \
    {"per_minute", YAML_FIELD_WHOLE, AT(per_minute), NULL}, \
    {"text", YAML_FIELD_OTHER, AT(text), config_message}

static const struct yaml_field webhook_fields[] = {
    COMMON,
    {"url", YAML_FIELD_OTHER, AT(url), yaml_secret},
    {"url_file", YAML_FIELD_OTHER, AT(url), yaml_secret_file},
    {"http_config", YAML_FIELD_OTHER, AT(http), yaml_http},
    {"max_alerts", YAML_FIELD_WHOLE, AT(max_alerts), NULL},
    {"timeout", YAML_FIELD_OTHER, AT(timeout), config_duration},
    {0}};

static const struct yaml_field dingtalk_fields[] = {
    CHAT,
    {"title", YAML_FIELD_OTHER, AT(title), config_message},
    {"secret", YAML_FIELD_OTHER, AT(secret), yaml_secret},
    {"secret_file", YAML_FIELD_OTHER, AT(secret), yaml_secret_file},
    {"at_mobiles", YAML_FIELD_TEXTS, AT(at), NULL},
    {"at_all", YAML_FIELD_BOOL, AT(at_all), NULL},
    {0}};

static const struct yaml_field feishu_fields[] = {
    CHAT,
    {"title", YAML_FIELD_OTHER, AT(title), config_message},
    {"secret", YAML_FIELD_OTHER, AT(secret), yaml_secret},
    {"secret_file", YAML_FIELD_OTHER, AT(secret), yaml_secret_file},
    {0}};

static const struct yaml_field wecom_fields[] = {CHAT, {0}};

static void take_headers(struct yaml_form *f, const struct yaml *n,
                         void *integration);

static const struct yaml_field email_fields[] = {
    COMMON,
    {"to", YAML_FIELD_OTHER, AT(to), config_message},
    {"from", YAML_FIELD_TEXT, AT(from), NULL},
    {"smarthost", YAML_FIELD_TEXT, AT(smarthost), NULL},
    {"hello", YAML_FIELD_TEXT, AT(hello), NULL},
    {"auth_username", YAML_FIELD_TEXT, AT(username), NULL},
    {"auth_identity", YAML_FIELD_TEXT, AT(identity), NULL},
    {"auth_secret", YAML_FIELD_OTHER, AT(secret), yaml_secret},
    {"auth_secret_file", YAML_FIELD_OTHER, AT(secret), yaml_secret_file},
    {"auth_password", YAML_FIELD_OTHER, AT(password), yaml_secret},
    {"auth_password_file", YAML_FIELD_OTHER, AT(password), yaml_secret_file},
    {"require_tls", YAML_FIELD_BOOL, AT(require_tls), NULL},
    {"tls_config", YAML_FIELD_OTHER, AT(http), yaml_tls},
    {"html", YAML_FIELD_OTHER, AT(html), config_message},
    {"text", YAML_FIELD_OTHER, AT(text), config_message},
    {"headers", YAML_FIELD_OTHER, 0, take_headers},
    {"language", YAML_FIELD_TEXT, AT(language), NULL},
    {0}};

/* Texts are in the language of the integration: "%s". */
const struct integration_type integration_types[] = {
    {"webhook", "webhook_configs", webhook_fields, true, 0, NULL, NULL, send_webhook},
    {"email", "email_configs", email_fields, false, 0, NULL, "stoker.text", send_email},
    {"slack", "slack_configs", config_slack_fields, false, 60, "slack.default.title", "slack.default.text", send_slack},
    {"dingtalk", "dingtalk_configs", dingtalk_fields, true, 20, "stoker.title", "stoker.markdown", send_dingtalk},
    {"feishu", "feishu_configs", feishu_fields, true, 100, "stoker.title", "stoker.markdown", send_feishu},
    {"wecom", "wecom_configs", wecom_fields, true, 20, "stoker.title", "stoker.markdown", send_wecom},
};
/* clang-format on */

const size_t n_integration_types = COUNT(integration_types);

static void take_headers(struct yaml_form *f, const struct yaml *n,
                         void *integration)
{
    struct integration *i = integration;

    if (n->kind != YAML_MAP) {
        yaml_wrong(f, n, "headers must be a map");
        return;
    }
    i->headers = arena_new(f->arena, struct header, yaml_count(n) + 1);
    if (!i->headers) {
        yaml_no_memory(f);
        return;
    }
    for (const struct yaml *c = n->first; c; c = c->next) {
        struct header *h = &i->headers[i->n_headers++];
        h->name = c->key;
        config_message(f, c, &h->value);
    }
}

/* ---- one integration ---------------------------------------------------- */

static bool is_type(const struct integration *i, const char *name)
{
    return strcmp(i->type->name, name) == 0;
}

static void take_globals(const struct notify_global *g, struct integration *i)
{
    if (is_type(i, "email")) {
        i->from = i->from.n ? i->from : g->smtp_from;
        i->smarthost = i->smarthost.n ? i->smarthost : g->smtp_smarthost;
        i->hello = i->hello.n ? i->hello : g->smtp_hello;
        i->username = i->username.n ? i->username : g->smtp_username;
        i->identity = i->identity.n ? i->identity : g->smtp_identity;
        if (!secret_is_set(&i->password))
            i->password = g->smtp_password;
        if (!secret_is_set(&i->secret))
            i->secret = g->smtp_secret;
    }
    if (is_type(i, "slack") && !secret_is_set(&i->url))
        i->url = g->slack_url;
}

/* {{ template "stoker.title.en" . }} */
static void set_default(struct yaml_form *f, const struct yaml *n,
                        const struct integration *i, const char *name,
                        struct message_text *out)
{
    char text[160];
    bool translated = strncmp(name, "stoker.", 7) == 0;

    (void)snprintf(text, sizeof(text), "{{ template \"%s%s" STR_FMT "\" . }}",
                   name, translated ? "." : "",
                   translated ? (int)i->language.n : 0, i->language.p);
    const char *copy = arena_cstr(f->arena, str_from_cstr(text));
    if (copy)
        config_default_message(f, n, copy, out);
    else
        yaml_no_memory(f);
}

static void set_defaults(struct yaml_form *f, const struct yaml *n,
                         struct integration *i)
{
    const struct {
        const char *name;
        struct message_text *out;
    } slack[] = {{"slack.default.username", &i->sender},
                 {"slack.default.color", &i->color},
                 {"slack.default.titlelink", &i->title_link},
                 {"slack.default.pretext", &i->pretext},
                 {"slack.default.fallback", &i->fallback},
                 {"slack.default.iconemoji", &i->icon_emoji},
                 {"slack.default.iconurl", &i->icon_url},
                 {"slack.default.callbackid", &i->callback_id},
                 {"slack.default.footer", &i->footer}};

    if (i->type->title)
        set_default(f, n, i, i->type->title, &i->title);
    if (i->type->text && !(is_type(i, "email") && i->html.template))
        set_default(f, n, i, i->type->text, &i->text);
    if (is_type(i, "email"))
        set_default(f, n, i, "email.default.subject", &i->title);
    for (size_t k = 0; is_type(i, "slack") && k < COUNT(slack); k++)
        set_default(f, n, i, slack[k].name, slack[k].out);
}

static bool is_url(struct str s)
{
    return str_starts(s, STR("http://")) || str_starts(s, STR("https://"));
}

static void check_integration(struct yaml_form *f, const struct yaml *n,
                              const struct integration *i)
{
    if (is_type(i, "email")) {
        if (!i->to.source.n)
            yaml_wrong(f, n, "missing to address in email config");
        if (!i->smarthost.n)
            yaml_wrong(f, n, "no global SMTP smarthost set");
        else if (!memchr(i->smarthost.p, ':', i->smarthost.n))
            yaml_wrong(f, n, "smarthost \"" STR_FMT "\" has no port",
                       STR_ARG(i->smarthost));
        if (!i->from.n)
            yaml_wrong(f, n, "no global SMTP from set");
    } else if (!secret_is_set(&i->url)) {
        yaml_wrong(f, n,
                   is_type(i, "slack") ? "no global Slack API URL set"
                                       : "one of url or url_file must be set");
    } else if (!i->url.file.n && !is_url(i->url.value)) {
        yaml_wrong(f, n, "unsupported scheme \"" STR_FMT "\" for URL",
                   (int)strcspn(i->url.value.p, ":"), i->url.value.p);
    }
    if (!str_eq(i->language, STR("en")) && !str_eq(i->language, STR("zh")))
        yaml_wrong(f, n, "language must be en or zh");
}

static void take_integration(struct config_reading *r, const struct yaml *n,
                             const struct integration_type *type,
                             struct receiver *receiver, unsigned index)
{
    struct notify_config *c = r->config;

    if (!arena_grow(&c->arena, &receiver->v, receiver->n, &receiver->cap,
                    sizeof(*receiver->v))) {
        yaml_no_memory(&r->form);
        return;
    }
    struct integration *i = &receiver->v[receiver->n++];
    *i = (struct integration){.receiver = receiver,
                              .type = type,
                              .index = index,
                              .send_resolved = type->send_resolved,
                              .per_minute = type->per_minute,
                              .language = STR("en"),
                              .http = c->global.http,
                              .require_tls = c->global.smtp_require_tls};
    yaml_take(&r->form, n, type->fields, i);
    take_globals(&c->global, i);
    set_defaults(&r->form, n, i);
    check_integration(&r->form, n, i);
}

/* ---- receivers ---------------------------------------------------------- */

static const struct integration_type *type_of(struct str key)
{
    for (size_t i = 0; i < n_integration_types; i++)
        if (str_eq(key, str_from_cstr(integration_types[i].key)))
            return &integration_types[i];
    return NULL;
}

static void take_receiver(struct config_reading *r, const struct yaml *n,
                          struct receiver *receiver)
{
    struct yaml_form *f = &r->form;

    for (const struct yaml *c = n->first; c; c = c->next) {
        const struct integration_type *type = type_of(c->key);
        unsigned index = 0;
        const struct yaml place = {.line = c->key_line,
                                   .column = c->key_column};
        if (str_eq(c->key, STR("name")))
            receiver->name = yaml_take_text(f, c);
        else if (!type)
            yaml_wrong(f, &place,
                       "there is no kind of receiver \"" STR_FMT "\" here",
                       STR_ARG(c->key));
        else if (yaml_is_list(f, c))
            for (const struct yaml *i = c->first; i; i = i->next)
                take_integration(r, i, type, receiver, index++);
    }
    if (!receiver->name.n)
        yaml_wrong(f, n, "missing name in receiver");
}

void config_receivers(struct config_reading *r, const struct yaml *list)
{
    struct notify_config *c = r->config;

    c->receivers = yaml_room(&r->form, list, sizeof(*c->receivers));
    for (const struct yaml *n = c->receivers ? list->first : NULL; n;
         n = n->next) {
        struct receiver *receiver = &c->receivers[c->n_receivers];
        *receiver = (struct receiver){.name = STR("")};
        if (n->kind != YAML_MAP)
            yaml_wrong(&r->form, n, "a receiver must be a map");
        else
            take_receiver(r, n, receiver);
        for (size_t i = 0; i < c->n_receivers; i++)
            if (str_eq(c->receivers[i].name, receiver->name))
                yaml_wrong(&r->form, n,
                           "notification config name \"" STR_FMT
                           "\" is not unique",
                           STR_ARG(receiver->name));
        c->n_receivers++;
    }
}

/* ---- templates ---------------------------------------------------------- */

static void check_message(struct config_reading *r, const struct yaml *at,
                          const struct message_text *m)
{
    struct err why = {0};

    if (m->template &&
        template_check_calls(m->template, &r->config->templates, &why))
        yaml_wrong(&r->form, at, "%s", why.msg);
}

void config_check_messages(struct config_reading *r, const struct yaml *at)
{
    for (size_t i = 0; i < r->config->n_receivers; i++) {
        for (size_t k = 0; k < r->config->receivers[i].n; k++) {
            const struct integration *v = &r->config->receivers[i].v[k];
            const struct message_text *all[] = {
                &v->title,   &v->text,     &v->to,         &v->html,
                &v->channel, &v->sender,   &v->color,      &v->title_link,
                &v->pretext, &v->fallback, &v->icon_emoji, &v->icon_url,
                &v->footer};
            for (size_t m = 0; m < COUNT(all); m++)
                check_message(r, at, all[m]);
            for (size_t h = 0; h < v->n_headers; h++)
                check_message(r, at, &v->headers[h].value);
        }
    }
}
