#include "fault.h"
#include "http/client.h"
#include "http/server.h"
#include "unit/unit.h"

static void nothing(struct http_request *r)
{
    (void)r;
}

static const struct http_route table[] = {
    {HTTP_GET, "/", nothing, 0},
    {HTTP_POST, "/v2/models/{m}/infer", nothing, 0},
};

TEST(a_server_is_made_or_it_is_not)
{
    long failures = 0;

    FAULT_LOOP(n)
    {
        struct http_server *s = NULL;
        struct err err = {0};
        enum errc rc = http_server_new(table, COUNT(table), 4, true, &s, &err);
        CHECK(rc == ERR_OK || rc == ERR_NOMEM);
        CHECK((rc == ERR_OK) == (s != NULL));
        if (rc)
            failures++;
        else
            CHECK_INT(http_server_connections(s), 0);
        http_server_free(s);
    }
    CHECK(failures > 0);
}

TEST(client_urls)
{
    static const struct {
        const char *text, *host;
        int port; /* -1: refused */
        const char *path;
    } cases[] = {
        {"http://localhost", "localhost", 80, ""},
        {"http://127.0.0.1:8000/predict?x=1", "127.0.0.1", 8000, "/predict?x=1"},
        {"http://[::1]:8000/", "::1", 8000, "/"},
        {"https://localhost/", "", -1, ""},
        {"http://:80/", "", -1, ""},
        {"http://a:99999/", "", -1, ""},
        {"http://a:/", "", -1, ""},
        {"ftp://a/", "", -1, ""},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct client_url url = {0};
        struct err err = {0};
        ROW("%s", cases[i].text);
        enum errc rc = client_url_parse(cases[i].text, &url, &err);
        CHECK_INT(rc != ERR_OK, cases[i].port < 0);
        if (rc) {
            CHECK(err.msg[0] != '\0');
            continue;
        }
        CHECK_STR(str_from_cstr(url.host), cases[i].host);
        CHECK_INT(url.port, cases[i].port);
        CHECK_STR(str_from_cstr(url.path), cases[i].path);
    }
}
