#include "unit/unit.h"

#include "http/chunked.h"
#include "http/head.h"

/* Whole, byte by byte, and in two pieces at every place: always the same. */
static int parse_all_ways(struct str text)
{
    struct http_head whole = {0}, bytes = {0};
    int want = http_head_parse(&whole, text.p, text.n), got = HTTP_NEED_MORE;

    for (size_t n = 0; n <= text.n && got == HTTP_NEED_MORE; n++)
        got = http_head_parse(&bytes, text.p, n);
    CHECK_INT(got, want);
    CHECK_INT(bytes.line, whole.line);
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct http_head two = {0};
        int rc = http_head_parse(&two, text.p, cut);
        if (rc == HTTP_NEED_MORE)
            rc = http_head_parse(&two, text.p, text.n);
        CHECK_INT(rc, want);
    }
    return want;
}

#define GET  "GET / HTTP/1.1\r\nHost: x\r\n"
#define POST "POST /p HTTP/1.1\r\nHost: x\r\n"

/* The smuggling table: two readers must never see two different requests. */
TEST(http_heads_are_read_strictly)
{
    static const struct {
        struct str in;
        int want;
    } cases[] = {
        {STR_INIT(GET "\r\n"), HTTP_COMPLETE},
        {STR_INIT("\r\n" GET "\r\n"), HTTP_COMPLETE},
        {STR_INIT("\r\n\r\n" GET "\r\n"), 400},
        {STR_INIT("GET / HTTP/1.0\r\n\r\n"), HTTP_COMPLETE},
        {STR_INIT("GET /"), HTTP_NEED_MORE},
        {STR_INIT("GET / HTTP/1.1\r\n\r\n"), 400},                     /* no Host */
        {STR_INIT(GET "Host: y\r\n\r\n"), 400},                         /* two */
        {STR_INIT("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505},
        {STR_INIT("GET / HTTP/1.1 \r\nHost: x\r\n\r\n"), 400},
        {STR_INIT("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {STR_INIT("GET / x HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {STR_INIT("G(T / HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {STR_INIT(" GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {STR_INIT("GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {STR_INIT("GET / HTTP/1.1\nHost: x\n\n"), 400},                 /* bare LF */
        {STR_INIT("GET / HTTP/1.1\r\nHost: x\n\r\n"), 400},
        {STR_INIT("GET / HTTP/1.1\r\rHost: x\r\n\r\n"), 400},
        {STR_INIT(GET "A: b\r\n c\r\n\r\n"), 400},                      /* obs-fold */
        {STR_INIT(GET "A : b\r\n\r\n"), 400},                           /* space before colon */
        {STR_INIT(GET "A\t: b\r\n\r\n"), 400},
        {STR_INIT(GET ": b\r\n\r\n"), 400},
        {STR_INIT(GET "A b\r\n\r\n"), 400},
        {STR_INIT(GET "A: b\0c\r\n\r\n"), 400},
        {STR_INIT(GET "A: b\rc\r\n\r\n"), 400},
        {STR_INIT(GET "A:b\r\nC:\td \r\n\r\n"), HTTP_COMPLETE},
        {STR_INIT(POST "Content-Length: 3\r\n\r\n"), HTTP_COMPLETE},
        {STR_INIT(POST "Content-Length: +3\r\n\r\n"), 400},
        {STR_INIT(POST "Content-Length: -3\r\n\r\n"), 400},
        {STR_INIT(POST "Content-Length: 3, 3\r\n\r\n"), 400},
        {STR_INIT(POST "Content-Length: 0x3\r\n\r\n"), 400},
        {STR_INIT(POST "Content-Length:\r\n\r\n"), 400},
        {STR_INIT(POST "Content-Length: 99999999999999999999\r\n\r\n"), 400},
        {STR_INIT(POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"), 400},
        {STR_INIT(POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"), 400},
        {STR_INIT(POST "Transfer-Encoding: chunked\r\n\r\n"), HTTP_COMPLETE},
        {STR_INIT(POST "Transfer-Encoding: Chunked\r\n\r\n"), HTTP_COMPLETE},
        {STR_INIT(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"), 400},
        {STR_INIT(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
        {STR_INIT(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501},
        {STR_INIT(POST "Transfer-Encoding: chunked, identity\r\n\r\n"), 501},
        {STR_INIT(POST "Transfer-Encoding: xchunked\r\n\r\n"), 501},
        {STR_INIT(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
        {STR_INIT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ROW("%zu", i);
        CHECK_INT(parse_all_ways(cases[i].in), cases[i].want);
    }
}

TEST(http_heads_have_limits)
{
    static char big[HTTP_MAX_HEAD + 600];
    struct http_head h = {0};

    memset(big, 'a', sizeof(big));
    CHECK_INT(http_head_parse(&h, big, sizeof(big)), 414);
    memcpy(big, GET "X: ", sizeof(GET "X: ") - 1);
    h = (struct http_head){0};
    CHECK_INT(http_head_parse(&h, big, sizeof(big)), 431);

    char many[HTTP_MAX_HEADERS * 8 + 200];
    int n = snprintf(many, sizeof(many), GET);
    for (int i = 0; i < HTTP_MAX_HEADERS; i++)
        n += snprintf(many + n, sizeof(many) - (size_t)n, "A: b\r\n");
    n += snprintf(many + n, sizeof(many) - (size_t)n, "\r\n");
    h = (struct http_head){0};
    CHECK_INT(http_head_parse(&h, many, (size_t)n), 431);
}

TEST(http_connections_persist_as_the_version_says)
{
    static const struct {
        struct str in;
        bool want;
    } cases[] = {
        {STR_INIT(GET "\r\n"), true},
        {STR_INIT(GET "Connection: close\r\n\r\n"), false},
        {STR_INIT(GET "Connection: x, Close\r\n\r\n"), false},
        {STR_INIT("GET / HTTP/1.0\r\n\r\n"), false},
        {STR_INIT("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_head h = {0};
        ROW("%zu", i);
        CHECK_INT(http_head_parse(&h, cases[i].in.p, cases[i].in.n), HTTP_COMPLETE);
        CHECK_INT(h.keep_alive, cases[i].want);
    }
}

static int unchunk(struct str in, size_t piece, struct buf *out, size_t *used)
{
    struct chunked c = {0};
    int rc = CHUNKED_MORE;

    *used = 0;
    while (rc == CHUNKED_MORE && *used < in.n) {
        size_t n = in.n - *used < piece ? in.n - *used : piece, took;
        rc = chunked_read(&c, in.p + *used, n, &took, out);
        *used += took;
        if (rc == CHUNKED_MORE && took < n)
            break;
    }
    return rc;
}

TEST(chunked_bodies_are_read_strictly_in_any_pieces)
{
    static const struct {
        struct str in;
        int want;
        const char *body;
        size_t left; /* bytes behind the body */
    } cases[] = {
        {STR_INIT("0\r\n\r\n"), CHUNKED_DONE, "", 0},
        {STR_INIT("3\r\nabc\r\n0\r\n\r\nGET"), CHUNKED_DONE, "abc", 3},
        {STR_INIT("3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n"), CHUNKED_DONE, "abc0123456789", 0},
        {STR_INIT("3\r\nab"), CHUNKED_MORE, "ab", 0},
        {STR_INIT("3\nabc\r\n0\r\n\r\n"), 400, NULL, 0},
        {STR_INIT("3\r\nabcd\r\n0\r\n\r\n"), 400, NULL, 0},
        {STR_INIT("3\r\nabc\n0\r\n\r\n"), 400, NULL, 0},
        {STR_INIT("\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0},
        {STR_INIT("g\r\n"), 400, NULL, 0},
        {STR_INIT(" 3\r\nabc\r\n"), 400, NULL, 0},
        {STR_INIT("3 \r\nabc\r\n"), 400, NULL, 0},
        {STR_INIT("-3\r\nabc\r\n"), 400, NULL, 0},
        {STR_INIT("0x3\r\nabc\r\n"), 400, NULL, 0},
        {STR_INIT("fffffffffffffffff\r\n"), 400, NULL, 0},
        {STR_INIT("3\r\nabc\r\n0\r\n\n"), 400, NULL, 0},
        {STR_INIT("65\r\n"), 413, NULL, 0}, /* 101 bytes, the limit is 100 */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        for (size_t piece = 1; piece < 40; piece++) {
            struct buf b;
            size_t used;
            ROW("%zu in pieces of %zu", i, piece);
            buf_init(&b, 100);
            int rc = unchunk(cases[i].in, piece, &b, &used);
            /* The 413 is found when the chunk begins. */
            if (cases[i].want == 413 && rc == CHUNKED_MORE) {
                struct chunked c = {0};
                size_t took;
                rc = chunked_read(&c, "65\r\nx", 5, &took, &b);
            }
            CHECK_INT(rc, cases[i].want);
            if (cases[i].body)
                CHECK_STR(buf_str(&b), cases[i].body);
            if (rc == CHUNKED_DONE)
                CHECK_INT(cases[i].in.n - used, cases[i].left);
            buf_fini(&b);
        }
    }
}
