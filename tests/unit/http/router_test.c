#include "unit/unit.h"

#include "http/router.h"

static void nothing(struct http_request *r)
{
    (void)r;
}

static const struct http_route table[] = {
    {HTTP_GET, "/", nothing, 0},
    {HTTP_POST, "/predict", nothing, 0},
    {HTTP_GET, "/v2/models/stats", nothing, 0},
    {HTTP_GET, "/v2/models/{m}", nothing, 0},
    {HTTP_POST, "/v2/models/{m}/versions/{v}/infer", nothing, 0},
    {HTTP_POST, "/v1/models/{*}", nothing, 0},
    {HTTP_GET, "/v1/models/{*}", nothing, 0},
};

TEST(router_finds_routes_on_the_normal_form)
{
    static const struct {
        unsigned method;
        const char *path;
        int status;
        int route; /* -1: none */
        const char *first;
        bool known;
    } cases[] = {
        {HTTP_GET, "/", 0, 0, NULL, true},
        {HTTP_POST, "/predict", 0, 1, NULL, true},
        {HTTP_POST, "/predict/", 0, 1, NULL, true},
        {HTTP_GET, "/predict", 0, 1, NULL, false},
        {HTTP_HEAD, "/v2/models/stats", 0, 2, NULL, true},
        {HTTP_GET, "/v2/models/a%20b", 0, 3, "a b", true},
        {HTTP_GET, "/v2/models/a%2Fb", 0, 3, "a/b", true},
        {HTTP_POST, "/v2/models/m/versions/3/infer", 0, 4, "m", true},
        {HTTP_POST, "/v1/models/m/versions/1:predict", 0, 5, "m/versions/1:predict", true},
        {HTTP_GET, "/v1/models/m", 0, 6, "m", true},
        {HTTP_GET, "/nothing", 0, -1, NULL, false},
        {HTTP_GET, "predict", 400, -1, NULL, false},
        {HTTP_GET, "//predict", 400, -1, NULL, false},
        {HTTP_GET, "/v2/../predict", 400, -1, NULL, false},
        {HTTP_GET, "/v2/%2e%2e/predict", 400, -1, NULL, false},
        {HTTP_GET, "/./predict", 400, -1, NULL, false},
        {HTTP_GET, "/a%00b", 400, -1, NULL, false},
        {HTTP_GET, "/a%g1", 400, -1, NULL, false},
        {HTTP_GET, "/1/2/3/4/5/6/7/8/9/10/11", 404, -1, NULL, false},
    };
    struct router *r = router_new(table, COUNT(table));

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a;
        struct http_match m;
        ROW("%s", cases[i].path);
        arena_init(&a, 4096);
        CHECK_INT(router_match(r, cases[i].method, str_from_cstr(cases[i].path), &a, &m), cases[i].status);
        CHECK_INT(m.route ? (int)m.index : -1, cases[i].route);
        CHECK_INT(m.method_known, cases[i].known);
        if (cases[i].first)
            CHECK_STR(m.params[0], cases[i].first);
        arena_fini(&a);
    }
    router_free(r);
}
