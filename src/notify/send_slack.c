/* send_slack.c - a message with one attachment, as Alertmanager makes it, to a
 * webhook of Slack.
 *
 * https://api.slack.com/messaging/webhooks
 * https://api.slack.com/reference/messaging/attachments */
#include <string.h>

#include "notify/send.h"

enum { TEXT_MAX = 1 << 20, BODY_MAX = 4 << 20, REPLY_MAX = 64 << 10 };
enum { SLACK_TEXT = 30000 }; /* bytes; Slack cuts what is longer */

/* A message while it is made. rc: the first failure. */
struct slack {
    struct notification *n;
    struct buf body;
    bool fresh; /* an object was just opened: no comma is due */
    enum errc rc;
    struct err *err;
};

/* "name": behind a comma, if one is due. */
static void put_name(struct slack *s, const char *name)
{
    buf_printf(&s->body, "%s\"%s\":", s->fresh ? "" : ",", name);
    s->fresh = false;
}

static void put_bool(struct slack *s, const char *name, bool v)
{
    put_name(s, name);
    buf_puts(&s->body, v ? "true" : "false");
}

/* "name":"text", unless the text is empty. */
static void put_message(struct slack *s, const char *name,
                        const struct message_text *text)
{
    struct buf made;

    if (s->rc)
        return;
    buf_init(&made, TEXT_MAX);
    s->rc = message_make(s->n, text, &made, s->err);
    send_shorten(&made, SLACK_TEXT);
    if (!s->rc && made.n) {
        put_name(s, name);
        buf_put_quoted(&s->body, buf_str(&made));
    }
    buf_fini(&made);
}

static void open_object(struct slack *s, bool first)
{
    buf_puts(&s->body, first ? "{" : ",{");
    s->fresh = true;
}

static void close_object(struct slack *s)
{
    buf_putc(&s->body, '}');
    s->fresh = false;
}

static void put_fields(struct slack *s, const struct integration *how)
{
    if (!how->n_fields)
        return;
    put_name(s, "fields");
    buf_putc(&s->body, '[');
    for (size_t i = 0; i < how->n_fields; i++) {
        open_object(s, i == 0);
        put_message(s, "title", &how->fields[i].title);
        put_message(s, "value", &how->fields[i].value);
        put_bool(s, "short", how->fields[i].narrow);
        close_object(s);
    }
    buf_putc(&s->body, ']');
}

static void put_action(struct slack *s, const struct slack_action *a)
{
    put_name(s, "type");
    buf_put_quoted(&s->body, a->type);
    put_message(s, "text", &a->text);
    put_message(s, "url", &a->url);
    put_message(s, "style", &a->style);
    put_message(s, "name", &a->name);
    put_message(s, "value", &a->value);
    if (!a->confirm.source.n)
        return;
    put_name(s, "confirm");
    open_object(s, true);
    put_message(s, "text", &a->confirm);
    put_message(s, "title", &a->confirm_title);
    put_message(s, "ok_text", &a->confirm_yes);
    put_message(s, "dismiss_text", &a->confirm_no);
    close_object(s);
}

static void put_actions(struct slack *s, const struct integration *how)
{
    if (!how->n_actions)
        return;
    put_name(s, "actions");
    buf_putc(&s->body, '[');
    for (size_t i = 0; i < how->n_actions; i++) {
        open_object(s, i == 0);
        put_action(s, &how->actions[i]);
        close_object(s);
    }
    buf_putc(&s->body, ']');
}

static void put_markdown(struct slack *s, const struct integration *how)
{
    const struct str usual[] = {STR("fallback"), STR("pretext"), STR("text")};
    const struct yaml_texts given = how->mrkdwn_in;
    const struct str *v = given.n ? given.v : usual;
    size_t n = given.n ? given.n : COUNT(usual);

    put_name(s, "mrkdwn_in");
    for (size_t i = 0; i < n; i++) {
        buf_putc(&s->body, i ? ',' : '[');
        buf_put_quoted(&s->body, v[i]);
    }
    buf_putc(&s->body, ']');
}

static void put_attachment(struct slack *s, const struct integration *how)
{
    put_message(s, "title", &how->title);
    put_message(s, "title_link", &how->title_link);
    put_message(s, "pretext", &how->pretext);
    put_message(s, "text", &how->text);
    put_message(s, "fallback", &how->fallback);
    put_message(s, "callback_id", &how->callback_id);
    put_fields(s, how);
    put_actions(s, how);
    put_message(s, "image_url", &how->image_url);
    put_message(s, "thumb_url", &how->thumb_url);
    put_message(s, "footer", &how->footer);
    put_message(s, "color", &how->color);
    put_markdown(s, how);
}

static void put_all(struct slack *s, const struct integration *how)
{
    open_object(s, true);
    put_message(s, "channel", &how->channel);
    put_message(s, "username", &how->sender);
    put_message(s, "icon_emoji", &how->icon_emoji);
    put_message(s, "icon_url", &how->icon_url);
    if (how->link_names)
        put_bool(s, "link_names", true);
    put_name(s, "attachments");
    buf_putc(&s->body, '[');
    open_object(s, true);
    put_attachment(s, how);
    close_object(s);
    buf_putc(&s->body, ']');
    close_object(s);
}

/* A webhook says "ok"; the API, which answers JSON, {"ok":true}. */
static enum errc check_reply(const struct buf *answer, struct err *err)
{
    struct str reply = str_trim(buf_str(answer));

    if (str_starts(reply, STR("{")) &&
        memmem(reply.p, reply.n, "\"ok\":false", 10))
        return err_set(err, ERR_UNAVAIL, "Slack refused: " STR_FMT,
                       (int)(reply.n > 200 ? 200 : reply.n), reply.p);
    return ERR_OK;
}

enum errc send_slack(struct notification *n, struct told *told, struct err *err)
{
    struct slack s = {.n = n, .err = err};
    struct buf reply;

    buf_init(&s.body, BODY_MAX);
    buf_init(&reply, REPLY_MAX);
    put_all(&s, n->how);
    if (!s.rc && s.body.failed)
        s.rc = err_set(err, ERR_LIMIT, "the message is too long");
    if (!s.rc)
        s.rc = send_post(n, "", buf_str(&s.body), &reply, told, err);
    if (!s.rc)
        s.rc = check_reply(&reply, err);
    buf_fini(&s.body);
    buf_fini(&reply);
    return s.rc;
}
