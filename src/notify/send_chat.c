/* send_chat.c - robots of DingTalk, Feishu and WeCom. They answer
 * HTTP 200 also when they did not take a message: the body tells.
 *
 * DingTalk: https://open.dingtalk.com/document/robots/custom-robot-access
 * Feishu: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
 * WeCom: https://developer.work.weixin.qq.com/document/path/91770
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/digest.h"
#include "codec/json_tree.h"
#include "codec/percent.h"
#include "notify/send.h"

enum {
    TEXT_MAX = 1 << 20,
    BODY_MAX = 4 << 20,
    REPLY_MAX = 64 << 10,
    SECRET_MAX = 1024,
    DINGTALK_TEXT = 18000, /* bytes; the whole message may have 20000 */
    FEISHU_TEXT = 18000,
    WECOM_TEXT = 4096
};

/* A message while it is made. */
struct chat {
    struct notification *n;
    struct buf title, text, body, reply;
    char more[256]; /* behind the URL */
};

static void chat_init(struct chat *c, struct notification *n)
{
    *c = (struct chat){.n = n};
    buf_init(&c->title, TEXT_MAX);
    buf_init(&c->text, TEXT_MAX);
    buf_init(&c->body, BODY_MAX);
    buf_init(&c->reply, REPLY_MAX);
}

static void chat_fini(struct chat *c)
{
    buf_fini(&c->title);
    buf_fini(&c->text);
    buf_fini(&c->body);
    buf_fini(&c->reply);
}

static enum errc make_texts(struct chat *c, struct err *err)
{
    enum errc rc = message_make(c->n, &c->n->how->title, &c->title, err);

    return rc ? rc : message_make(c->n, &c->n->how->text, &c->text, err);
}

/* The number that says whether it worked, under one of these names; 0 when
 * there is none: some answer with less. */
static int64_t code_of(const struct buf *reply, struct arena *a,
                       const char *name, const char *other, struct str *why)
{
    struct json_node *root = json_tree_copy(buf_str(reply), a, NULL);
    int64_t code = json_i64_or(json_get(root, name),
                               json_i64_or(json_get(root, other), 0));
    struct str text = json_str_or(json_get(root, "errmsg"), "");
    if (!text.n)
        text = json_str_or(json_get(root, "msg"), "");
    const char *copy = arena_cstr(a, text);
    *why = (struct str){copy ? copy : "", copy ? text.n : 0};
    return code;
}

/* Codes that pass: too many messages, or the other side is busy. */
static bool passes(int64_t code)
{
    static const int64_t codes[] = {-1,     /* busy */
                                    130101, /* DingTalk: too fast */
                                    410100, /* DingTalk: too fast */
                                    45009,  /* WeCom: too fast */
                                    11232,  /* Feishu: too fast */
                                    9499};  /* Feishu: too fast */

    for (size_t i = 0; i < COUNT(codes); i++)
        if (code == codes[i])
            return true;
    return false;
}

static enum errc deliver(struct chat *c, const char *name, const char *other,
                         struct told *told, struct err *err)
{
    enum { PAUSE_MS = 10000 };
    struct arena arena;
    struct str why;

    if (c->body.failed || c->text.failed)
        return err_set(err, ERR_LIMIT, "the message is too long");
    enum errc rc =
        send_post(c->n, c->more, buf_str(&c->body), &c->reply, told, err);
    if (rc)
        return rc;
    arena_init(&arena, BODY_MAX);
    int64_t code = code_of(&c->reply, &arena, name, other, &why);
    if (code) {
        told->again = passes(code);
        told->after_ms = told->again ? PAUSE_MS : 0;
        rc = err_set(err, ERR_UNAVAIL, "%s %" PRId64 ": " STR_FMT, name, code,
                     (int)(why.n > 200 ? 200 : why.n), why.p);
    }
    arena_fini(&arena);
    return rc;
}

/* base64 of HMAC-SHA256. */
static enum errc sign(struct str key, struct str message, struct buf *out,
                      struct err *err)
{
    unsigned char mac[HMAC_BYTES];
    enum errc rc = digest_hmac(key, message, mac, err);
    char *room = rc ? NULL : buf_reserve(out, 64);

    if (!rc && !room)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        out->n += base64_encode((struct str){(char *)mac, sizeof(mac)}, room);
    return rc;
}

/* The time and the secret, in two lines: what both sign, each its own way. */
static enum errc stamp(const struct chat *c, int64_t time, struct buf *out,
                       struct err *err)
{
    buf_init(out, SECRET_MAX);
    buf_printf(out, "%" PRId64 "\n", time);
    return secret_get(&c->n->how->secret, out, err);
}

/* ---- DingTalk ----------------------------------------------------------- */

static enum errc sign_dingtalk(struct chat *c, struct err *err)
{
    struct buf key, message, code, escaped;

    if (!secret_is_set(&c->n->how->secret))
        return ERR_OK;
    buf_init(&key, SECRET_MAX);
    buf_init(&code, SECRET_MAX);
    buf_init(&escaped, SECRET_MAX);
    enum errc rc = secret_get(&c->n->how->secret, &key, err);
    enum errc other = stamp(c, c->n->now, &message, err);
    rc = rc ? rc : other;
    if (!rc)
        rc = sign(buf_str(&key), buf_str(&message), &code, err);
    if (!rc) {
        percent_encode_form(&escaped, buf_str(&code));
        (void)snprintf(c->more, sizeof(c->more),
                       "&timestamp=%" PRId64 "&sign=" STR_FMT, c->n->now,
                       STR_ARG(buf_str(&escaped)));
    }
    buf_fini(&key);
    buf_fini(&message);
    buf_fini(&code);
    buf_fini(&escaped);
    return rc;
}

enum errc send_dingtalk(struct notification *n, struct told *told,
                        struct err *err)
{
    const struct integration *how = n->how;
    struct chat c;

    chat_init(&c, n);
    enum errc rc = make_texts(&c, err);
    if (!rc)
        rc = sign_dingtalk(&c, err);
    if (!rc) {
        struct buf all;
        buf_init(&all, TEXT_MAX);
        buf_printf(&all, "### " STR_FMT "\n\n" STR_FMT,
                   STR_ARG(buf_str(&c.title)), STR_ARG(buf_str(&c.text)));
        send_shorten(&all, DINGTALK_TEXT);
        for (size_t i = 0; i < how->at.n; i++)
            buf_printf(&all, "%s@" STR_FMT, i ? " " : "\n\n",
                       STR_ARG(how->at.v[i]));
        buf_put_field(&c.body,
                      "{\"msgtype\":\"markdown\",\"markdown\":{\"title\":",
                      buf_str(&c.title));
        buf_put_field(&c.body, ",\"text\":", buf_str(&all));
        buf_puts(&c.body, "},\"at\":{\"atMobiles\":[");
        for (size_t i = 0; i < how->at.n; i++)
            buf_put_field(&c.body, i ? "," : "", how->at.v[i]);
        buf_printf(&c.body, "],\"isAtAll\":%s}}",
                   how->at_all ? "true" : "false");
        buf_fini(&all);
        rc = deliver(&c, "errcode", "errcode", told, err);
    }
    chat_fini(&c);
    return rc;
}

/* ---- Feishu ------------------------------------------------------------- */

/* The key is what DingTalk signs, and nothing is signed with it. */
static enum errc sign_feishu(struct chat *c, struct err *err)
{
    struct buf key, code;
    int64_t seconds = c->n->now / 1000;

    if (!secret_is_set(&c->n->how->secret))
        return ERR_OK;
    buf_init(&code, SECRET_MAX);
    enum errc rc = stamp(c, seconds, &key, err);
    if (!rc)
        rc = sign(buf_str(&key), STR(""), &code, err);
    buf_printf(&c->body, "\"timestamp\":\"%" PRId64 "\",", seconds);
    buf_put_field(&c->body, "\"sign\":", buf_str(&code));
    buf_putc(&c->body, ',');
    buf_fini(&key);
    buf_fini(&code);
    return rc;
}

enum errc send_feishu(struct notification *n, struct told *told,
                      struct err *err)
{
    struct chat c;

    chat_init(&c, n);
    enum errc rc = make_texts(&c, err);
    buf_putc(&c.body, '{');
    if (!rc)
        rc = sign_feishu(&c, err);
    if (!rc) {
        send_shorten(&c.text, FEISHU_TEXT);
        buf_puts(&c.body,
                 "\"msg_type\":\"interactive\",\"card\":{\"config\":{\"wide_"
                 "screen_mode\":true},\"header\":{\"title\":{\"tag\":\"plain_"
                 "text\",\"content\":");
        buf_put_quoted(&c.body, buf_str(&c.title));
        buf_printf(&c.body, "},\"template\":\"%s\"},\"elements\":[",
                   n->n_firing ? "red" : "green");
        buf_put_field(
            &c.body,
            "{\"tag\":\"div\",\"text\":{\"tag\":\"lark_md\",\"content\":",
            buf_str(&c.text));
        buf_puts(&c.body, "}}]}}");
        rc = deliver(&c, "code", "StatusCode", told, err);
    }
    chat_fini(&c);
    return rc;
}

/* ---- WeCom -------------------------------------------------------------- */

enum errc send_wecom(struct notification *n, struct told *told, struct err *err)
{
    struct buf all;
    struct chat c;

    chat_init(&c, n);
    buf_init(&all, TEXT_MAX);
    enum errc rc = make_texts(&c, err);
    if (!rc) {
        buf_printf(&all, "### " STR_FMT "\n" STR_FMT,
                   STR_ARG(buf_str(&c.title)), STR_ARG(buf_str(&c.text)));
        send_shorten(&all, WECOM_TEXT);
        buf_put_field(&c.body,
                      "{\"msgtype\":\"markdown\",\"markdown\":{\"content\":",
                      buf_str(&all));
        buf_puts(&c.body, "}}");
        rc = deliver(&c, "errcode", "errcode", told, err);
    }
    buf_fini(&all);
    chat_fini(&c);
    return rc;
}
