#include "http/head.h"

#include <string.h>

#include "base/compiler.h"

enum {
    BAD_REQUEST = 400,
    URI_TOO_LONG = 414,
    HEAD_TOO_LARGE = 431,
    NOT_IMPLEMENTED = 501,
    BAD_VERSION = 505,
};

/* tchar of RFC 9110, 5.6.2. */
static bool is_token(char c)
{
    static const uint32_t set[8] = {
        0x00000000,
        0x03ff6cfa,
        0xc7fffffe,
        0x57ffffff,
    };
    unsigned char u = (unsigned char)c;
    return set[u >> 5] >> (u & 31) & 1;
}

static bool all_tokens(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token(s.p[i]))
            return false;
    return s.n > 0;
}

/* Visible characters, spaces, tabs and the bytes above ASCII. */
static bool is_field_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool is_target(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f)
            return false;
    }
    return s.n > 0;
}

static int request_line(struct http_head *h, struct str line)
{
    struct str rest = line;

    h->method = str_cut(&rest, ' ');
    if (!rest.p || !all_tokens(h->method))
        return BAD_REQUEST;
    h->target = str_cut(&rest, ' ');
    if (h->target.n > HTTP_MAX_TARGET)
        return URI_TOO_LONG;
    if (!rest.p || !is_target(h->target))
        return BAD_REQUEST;
    if (rest.n != 8 || memcmp(rest.p, "HTTP/", 5) != 0 || rest.p[6] != '.' ||
        rest.p[5] < '0' || rest.p[5] > '9' || rest.p[7] < '0' ||
        rest.p[7] > '9')
        return BAD_REQUEST;
    if (rest.p[5] != '1')
        return BAD_VERSION;
    h->minor = (uint8_t)(rest.p[7] - '0');
    h->started = true;
    return 0;
}

static const struct {
    const char *name;
    size_t n;
} names[HTTP_KNOWN_HEADERS] = {
#define NAME(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }
    [HTTP_HOST] = NAME("host"),
    [HTTP_CONTENT_LENGTH] = NAME("content-length"),
    [HTTP_TRANSFER_ENCODING] = NAME("transfer-encoding"),
    [HTTP_CONNECTION] = NAME("connection"),
    [HTTP_EXPECT] = NAME("expect"),
    [HTTP_CONTENT_TYPE] = NAME("content-type"),
    [HTTP_CONTENT_ENCODING] = NAME("content-encoding"),
    [HTTP_ACCEPT] = NAME("accept"),
    [HTTP_ACCEPT_ENCODING] = NAME("accept-encoding"),
    [HTTP_ACCEPT_LANGUAGE] = NAME("accept-language"),
    [HTTP_INFERENCE_LENGTH] = NAME("inference-header-content-length"),
    [HTTP_REQUEST_ID] = NAME("x-request-id"),
    [HTTP_TRACEPARENT] = NAME("traceparent"),
    [HTTP_USER_AGENT] = NAME("user-agent"),
    [HTTP_AUTHORIZATION] = NAME("authorization"),
    [HTTP_FETCH_SITE] = NAME("sec-fetch-site"),
#undef NAME
};

/* Repeating one of these would let two readers see two requests. */
static bool only_once(size_t i)
{
    return i == HTTP_HOST || i == HTTP_CONTENT_LENGTH ||
           i == HTTP_TRANSFER_ENCODING || i == HTTP_INFERENCE_LENGTH ||
           i == HTTP_AUTHORIZATION || i == HTTP_CONTENT_ENCODING ||
           i == HTTP_CONTENT_TYPE;
}

static int header_line(struct http_head *h, struct str line)
{
    struct str value = line;
    struct str name = str_cut(&value, ':');

    /* A space before the colon, or folding, leaves a byte that is no token. */
    if (!value.p || !all_tokens(name))
        return BAD_REQUEST;
    value = str_trim(value);
    if (!is_field_value(value))
        return BAD_REQUEST;
    if (++h->headers > HTTP_MAX_HEADERS)
        return HEAD_TOO_LARGE;
    for (size_t i = 0; i < HTTP_KNOWN_HEADERS; i++) {
        if (names[i].n != name.n ||
            !str_eq_nocase(name, (struct str){names[i].name, names[i].n}))
            continue;
        if (h->known[i].p && only_once(i))
            return BAD_REQUEST;
        h->known[i] = value;
        break;
    }
    return 0;
}

static bool has_token(struct str list, struct str token)
{
    while (list.p) {
        struct str item = str_trim(str_cut(&list, ','));
        if (str_eq_nocase(item, token))
            return true;
    }
    return false;
}

/* RFC 9112, 6.3: what decides the length of the body. */
static int framing(struct http_head *h)
{
    struct str te = h->known[HTTP_TRANSFER_ENCODING];
    struct str cl = h->known[HTTP_CONTENT_LENGTH];
    uint64_t n;

    h->content_length = -1;
    if (te.p) {
        if (cl.p || h->minor == 0)
            return BAD_REQUEST;
        if (!str_eq_nocase(te, STR("chunked")))
            return NOT_IMPLEMENTED;
        h->chunked = true;
    } else if (cl.p) {
        if (!str_to_u64(cl, &n) || n > INT64_MAX)
            return BAD_REQUEST;
        h->content_length = (int64_t)n;
    }
    return HTTP_COMPLETE;
}

static int complete(struct http_head *h)
{
    struct str connection = h->known[HTTP_CONNECTION];
    struct str expect = h->known[HTTP_EXPECT];

    if (h->minor >= 1 && !h->known[HTTP_HOST].p)
        return BAD_REQUEST;
    h->keep_alive = h->minor >= 1 ? !has_token(connection, STR("close"))
                                  : has_token(connection, STR("keep-alive"));
    h->expect_continue =
        h->minor >= 1 && str_eq_nocase(expect, STR("100-continue"));
    return framing(h);
}

/* One line without its CR LF: 0, HTTP_COMPLETE or a status. */
static int take_line(struct http_head *h, struct str line)
{
    if (!h->started) {
        /* RFC 9112, 2.2: an empty line in front is forgiven, once. */
        if (line.n == 0)
            return h->blanks++ == 0 ? 0 : BAD_REQUEST;
        return request_line(h, line);
    }
    return line.n == 0 ? complete(h) : header_line(h, line);
}

int http_head_parse(struct http_head *h, const char *buf, size_t n)
{
    for (;;) {
        const char *lf =
            h->seen < n ? memchr(buf + h->seen, '\n', n - h->seen) : NULL;
        size_t end = lf ? (size_t)(lf - buf) : n;

        if (end > HTTP_MAX_HEAD)
            return h->started ? HEAD_TOO_LARGE : URI_TOO_LONG;
        if (!lf) {
            h->seen = (uint32_t)n;
            return HTTP_NEED_MORE;
        }
        if (end == h->line || buf[end - 1] != '\r')
            return BAD_REQUEST;
        struct str line = {buf + h->line, end - 1 - h->line};
        if (line.n && memchr(line.p, '\r', line.n))
            return BAD_REQUEST;
        int rc = take_line(h, line);
        if (rc > HTTP_COMPLETE)
            return rc;
        h->line = h->seen = (uint32_t)end + 1;
        if (rc == HTTP_COMPLETE)
            return rc;
    }
}
