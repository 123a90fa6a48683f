/* config_slack.c - the fields of slack_configs. */
#include "notify/config_internal.h"

/* ---- fields ------------------------------------------------------------- */

static void take_fields(struct yaml_form *f, const struct yaml *n,
                        void *integration)
{
#define AT(field) offsetof(struct slack_field, field)
    static const struct yaml_field fields[] = {
        {"title", YAML_FIELD_OTHER, AT(title), config_message},
        {"value", YAML_FIELD_OTHER, AT(value), config_message},
        {"short", YAML_FIELD_BOOL, AT(narrow), NULL},
        {0}};
#undef AT
    struct integration *i = integration;

    i->fields = yaml_room(f, n, sizeof(*i->fields));
    for (const struct yaml *c = i->fields ? n->first : NULL; c; c = c->next) {
        struct slack_field *one = &i->fields[i->n_fields++];
        *one = (struct slack_field){.narrow = i->short_fields};
        yaml_take(f, c, fields, one);
        if (!one->title.source.n)
            yaml_wrong(f, c, "missing title in Slack field configuration");
        if (!one->value.source.n)
            yaml_wrong(f, c, "missing value in Slack field configuration");
    }
}

/* ---- actions ------------------------------------------------------------ */

#define AT(field) offsetof(struct slack_action, field)

static void take_confirm(struct yaml_form *f, const struct yaml *n,
                         void *action)
{
    static const struct yaml_field fields[] = {
        {"text", YAML_FIELD_OTHER, AT(confirm), config_message},
        {"title", YAML_FIELD_OTHER, AT(confirm_title), config_message},
        {"ok_text", YAML_FIELD_OTHER, AT(confirm_yes), config_message},
        {"dismiss_text", YAML_FIELD_OTHER, AT(confirm_no), config_message},
        {0}};

    yaml_take(f, n, fields, action);
    if (!((struct slack_action *)action)->confirm.source.n)
        yaml_wrong(f, n, "missing text in Slack confirmation configuration");
}

static void take_actions(struct yaml_form *f, const struct yaml *n,
                         void *integration)
{
    static const struct yaml_field fields[] = {
        {"type", YAML_FIELD_TEXT, AT(type), NULL},
        {"text", YAML_FIELD_OTHER, AT(text), config_message},
        {"url", YAML_FIELD_OTHER, AT(url), config_message},
        {"style", YAML_FIELD_OTHER, AT(style), config_message},
        {"name", YAML_FIELD_OTHER, AT(name), config_message},
        {"value", YAML_FIELD_OTHER, AT(value), config_message},
        {"confirm", YAML_FIELD_OTHER, 0, take_confirm},
        {0}};
    struct integration *i = integration;

    i->actions = yaml_room(f, n, sizeof(*i->actions));
    for (const struct yaml *c = i->actions ? n->first : NULL; c; c = c->next) {
        struct slack_action *one = &i->actions[i->n_actions++];
        *one = (struct slack_action){.type = STR("")};
        yaml_take(f, c, fields, one);
        if (!one->type.n)
            yaml_wrong(f, c, "missing type in Slack action configuration");
        if (!one->text.source.n)
            yaml_wrong(f, c, "missing text in Slack action configuration");
        if (!one->url.source.n && !one->name.source.n)
            yaml_wrong(f, c,
                       "missing name or url in Slack action configuration");
    }
}

#undef AT

/* ---- the table ---------------------------------------------------------- */

#define AT(field) offsetof(struct integration, field)
/* clang-format off */
const struct yaml_field config_slack_fields[] = {
    {"send_resolved", YAML_FIELD_BOOL, AT(send_resolved), NULL},
    {"api_url", YAML_FIELD_OTHER, AT(url), yaml_secret},
    {"api_url_file", YAML_FIELD_OTHER, AT(url), yaml_secret_file},
    {"http_config", YAML_FIELD_OTHER, AT(http), yaml_http},
    {"channel", YAML_FIELD_OTHER, AT(channel), config_message},
    {"username", YAML_FIELD_OTHER, AT(sender), config_message},
    {"color", YAML_FIELD_OTHER, AT(color), config_message},
    {"title", YAML_FIELD_OTHER, AT(title), config_message},
    {"title_link", YAML_FIELD_OTHER, AT(title_link), config_message},
    {"pretext", YAML_FIELD_OTHER, AT(pretext), config_message},
    {"text", YAML_FIELD_OTHER, AT(text), config_message},
    {"fallback", YAML_FIELD_OTHER, AT(fallback), config_message},
    {"callback_id", YAML_FIELD_OTHER, AT(callback_id), config_message},
    {"icon_emoji", YAML_FIELD_OTHER, AT(icon_emoji), config_message},
    {"icon_url", YAML_FIELD_OTHER, AT(icon_url), config_message},
    {"image_url", YAML_FIELD_OTHER, AT(image_url), config_message},
    {"thumb_url", YAML_FIELD_OTHER, AT(thumb_url), config_message},
    {"footer", YAML_FIELD_OTHER, AT(footer), config_message},
    {"link_names", YAML_FIELD_BOOL, AT(link_names), NULL},
    {"mrkdwn_in", YAML_FIELD_TEXTS, AT(mrkdwn_in), NULL},
    {"short_fields", YAML_FIELD_BOOL, AT(short_fields), NULL},
    {"fields", YAML_FIELD_OTHER, 0, take_fields},
    {"actions", YAML_FIELD_OTHER, 0, take_actions},
    {0}};
/* clang-format on */
