/* send_email.c - mail over SMTP (RFC 5321, 5322), by libcurl. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "codec/base64.h"
#include "notify/send.h"

enum { TEXT_MAX = 1 << 20, HEADERS_MAX = 40, RECIPIENTS_MAX = 100 };

/* A mail while it is made; texts lie in the notification's arena. */
struct letter {
    const struct notification *n;
    struct arena *arena;
    struct buf text, html;
    const char *headers[HEADERS_MAX], *to[RECIPIENTS_MAX];
    size_t n_headers, n_to;
    struct err *err;
};

static enum errc no_memory(struct letter *l)
{
    return err_set(l->err, ERR_NOMEM, "out of memory");
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] & 0x80)
            return false;
    return true;
}

/* Words of at most 45 bytes, not cut within a character (RFC 2047). */
static void put_encoded(struct buf *b, struct str s)
{
    enum { WORD = 45 };

    while (s.n) {
        size_t n = s.n < WORD ? s.n : WORD;
        while (n < s.n && n > 1 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
            n--;
        buf_puts(b, "=?UTF-8?B?");
        char *room = buf_reserve(b, base64_encoded_size(n) + 1);
        if (room)
            b->n += base64_encode(str_slice(s, 0, n), room);
        buf_puts(b, "?=");
        s = str_slice(s, n, s.n);
        buf_puts(b, s.n ? " " : "");
    }
}

static bool is_of_addresses(const char *name)
{
    static const char *const names[] = {"To", "From", "Cc", "Bcc", "Reply-To"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq_nocase(str_from_cstr(name), str_from_cstr(names[i])))
            return true;
    return false;
}

/* Names <addresses>, with commas between them: names alone are encoded. */
static void put_addresses(struct buf *b, struct str rest)
{
    for (bool first = true; rest.n; first = false) {
        struct str one = str_trim(str_cut(&rest, ','));
        const char *open = one.n ? memrchr(one.p, '<', one.n) : NULL;
        size_t n = open ? (size_t)(open - one.p) : 0;
        struct str name = str_trim(str_slice(one, 0, n));
        buf_puts(b, first ? "" : ", ");
        if (is_ascii(name)) {
            buf_put(b, one);
            continue;
        }
        put_encoded(b, name);
        buf_putc(b, ' ');
        buf_put(b, str_slice(one, n, one.n));
    }
}

/* One line: a message must not add headers. */
static enum errc add_header(struct letter *l, const char *name,
                            struct str value)
{
    struct buf b;

    if (l->n_headers == HEADERS_MAX)
        return err_set(l->err, ERR_LIMIT, "too many headers");
    buf_init(&b, TEXT_MAX);
    buf_printf(&b, "%s: ", name);
    if (is_ascii(value))
        buf_put(&b, value);
    else if (is_of_addresses(name))
        put_addresses(&b, value);
    else
        put_encoded(&b, value);
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == '\r' || b.p[i] == '\n')
            b.p[i] = ' ';
    const char *copy = b.failed ? NULL : arena_cstr(l->arena, buf_str(&b));
    buf_fini(&b);
    l->headers[l->n_headers++] = copy;
    return copy ? ERR_OK : no_memory(l);
}

static enum errc add_message(struct letter *l, const char *name,
                             const struct message_text *text)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    enum errc rc = message_make(l->n, text, &b, l->err);
    if (!rc)
        rc = add_header(l, name, str_trim(buf_str(&b)));
    buf_fini(&b);
    return rc;
}

static const struct header *header_named(const struct letter *l,
                                         const char *name)
{
    const struct integration *how = l->n->how;

    for (size_t i = 0; i < how->n_headers; i++)
        if (str_eq_nocase(how->headers[i].name, str_from_cstr(name)))
            return &how->headers[i];
    return NULL;
}

/* The address in "Name <address>", or all of it, in the form <address>. */
static const char *address_of(struct letter *l, struct str s)
{
    char text[400];
    const char *open = s.n ? memrchr(s.p, '<', s.n) : NULL;
    const char *close =
        open ? memchr(open, '>', s.n - (size_t)(open - s.p)) : NULL;

    if (close)
        s = (struct str){open + 1, (size_t)(close - open) - 1};
    s = str_trim(s);
    if (!s.n || s.n > 320 || memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n))
        return NULL;
    (void)snprintf(text, sizeof(text), "<" STR_FMT ">", STR_ARG(s));
    return arena_cstr(l->arena, str_from_cstr(text));
}

/* To whom: addresses with commas between them. */
static enum errc take_recipients(struct letter *l)
{
    struct buf b;

    buf_init(&b, TEXT_MAX);
    enum errc rc = message_make(l->n, &l->n->how->to, &b, l->err);
    struct str rest = buf_str(&b);
    if (!rc && !header_named(l, "To"))
        rc = add_header(l, "To", str_trim(rest));
    while (!rc && rest.n) {
        struct str one = str_trim(str_cut(&rest, ','));
        if (!one.n)
            continue;
        if (l->n_to == RECIPIENTS_MAX)
            rc = err_set(l->err, ERR_LIMIT, "too many recipients");
        else if (!(l->to[l->n_to++] = address_of(l, one)))
            rc = err_set(l->err, ERR_INVALID,
                         "\"" STR_FMT "\" is not an address", STR_ARG(one));
    }
    if (!rc && !l->n_to)
        rc = err_set(l->err, ERR_INVALID, "the mail has no recipient");
    buf_fini(&b);
    return rc;
}

static enum errc take_headers(struct letter *l)
{
    const struct integration *how = l->n->how;
    char date[64], id[160];
    time_t now = l->n->now / 1000;
    struct tm tm;
    enum errc rc = ERR_OK;

    gmtime_r(&now, &tm);
    (void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
    (void)snprintf(id, sizeof(id), "<%lld.%016llx@stoker>",
                   (long long)l->n->now,
                   (unsigned long long)labels_hash(l->n->group_labels));
    for (size_t i = 0; i < how->n_headers && !rc; i++)
        rc = add_message(l, how->headers[i].name.p, &how->headers[i].value);
    if (!rc && !header_named(l, "From"))
        rc = add_header(l, "From", how->from);
    if (!rc && !header_named(l, "Subject"))
        rc = add_message(l, "Subject", &how->title);
    if (!rc && !header_named(l, "Date"))
        rc = add_header(l, "Date", str_from_cstr(date));
    if (!rc && !header_named(l, "Message-Id"))
        rc = add_header(l, "Message-Id", str_from_cstr(id));
    return rc ? rc : take_recipients(l);
}

static enum errc hand_over(struct letter *l, struct told *told)
{
    const struct integration *how = l->n->how;
    struct fetch_auth auth;
    char url[700];
    struct http_auth from = how->http;
    struct mail m = {.url = url,
                     .from = address_of(l, how->from),
                     .to = l->to,
                     .n_to = l->n_to,
                     .headers = l->headers,
                     .n_headers = l->n_headers,
                     .text = buf_str(&l->text),
                     .html = buf_str(&l->html),
                     .auth = &auth,
                     .cram_md5 = !secret_is_set(&how->password) &&
                                 secret_is_set(&how->secret),
                     .require_tls = how->require_tls,
                     .timeout_ms = l->n->timeout_ms};

    from.username = how->username;
    from.password = m.cram_md5 ? how->secret : how->password;
    if (how->identity.n)
        m.identity = arena_cstr(l->arena, how->identity);
    from.bearer = (struct secret){.value = STR("")};
    bool tls = str_eq(str_behind_last(how->smarthost, ':'), STR("465"));
    (void)snprintf(url, sizeof(url), "smtp%s://%.*s/%.*s", tls ? "s" : "",
                   (int)how->smarthost.n, how->smarthost.p, (int)how->hello.n,
                   how->hello.p);
    enum errc rc = fetch_auth_make(&from, l->arena, &auth, l->err);
    if (!rc && !m.from)
        rc = err_set(l->err, ERR_INVALID, "\"" STR_FMT "\" is not an address",
                     STR_ARG(how->from));
    if (!rc) {
        rc = mail_send(&m, l->err);
        told->again = rc && m.status / 100 != 5;
    }
    return rc;
}

enum errc send_email(struct notification *n, struct told *told, struct err *err)
{
    struct letter l = {.n = n, .arena = &n->arena, .err = err};

    buf_init(&l.text, TEXT_MAX);
    buf_init(&l.html, TEXT_MAX);
    enum errc rc = message_make(n, &n->how->text, &l.text, err);
    if (!rc)
        rc = message_make(n, &n->how->html, &l.html, err);
    if (!rc)
        rc = take_headers(&l);
    if (!rc)
        rc = hand_over(&l, told);
    buf_fini(&l.text);
    buf_fini(&l.html);
    return rc;
}
