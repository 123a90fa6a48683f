/* The store against a plain array, and what selects what. */
#include "unit/unit.h"

#include <stdlib.h>

#include "tsdb/tsdb.h"

static struct tsdb *open_store(uint32_t max_series, int64_t out_of_order)
{
    struct tsdb_options o = {.max_series = max_series,
                             .out_of_order = out_of_order};
    struct tsdb *db = NULL;

    CHECK_INT(tsdb_open(&o, &db, NULL), ERR_OK);
    return db;
}

static uint32_t add(struct tsdb *db, const char *name, const char *a,
                    const char *b)
{
    struct label v[3] = {{LABEL_NAME, str_from_cstr(name)}};
    size_t n = 1;
    uint32_t series = 99;

    if (*a)
        v[n++] = (struct label){STR("a"), str_from_cstr(a)};
    if (*b)
        v[n++] = (struct label){STR("b"), str_from_cstr(b)};
    CHECK_INT(tsdb_series(db, (struct labels){v, n}, &series, NULL), ERR_OK);
    return series;
}

/* ---- a model: samples sorted by time ------------------------------------ */

enum { MODEL_MAX = 5000, SPAN = 20000 };

struct model {
    bool there[SPAN];
    double v[SPAN];
    int64_t last;
};

static enum errc model_append(struct model *m, int64_t t, double v,
                              int64_t window)
{
    if (m->last - t > window)
        return t <= m->last && m->there[t] && m->v[t] == v && t == m->last
                   ? ERR_OK
                   : ERR_INVALID;
    if (m->there[t])
        return m->v[t] == v ? ERR_OK : ERR_CONFLICT;
    m->there[t] = true;
    m->v[t] = v;
    m->last = t > m->last ? t : m->last;
    return ERR_OK;
}

static void compare(struct tsdb *db, uint32_t series, const struct model *m,
                    int64_t from, int64_t to)
{
    struct samples s = {0};
    size_t k = 0;

    CHECK_INT(tsdb_read(db, series, from, to, &s), ERR_OK);
    for (int64_t t = from < 0 ? 0 : from; t <= to && t < SPAN; t++) {
        if (!m->there[t])
            continue;
        CHECK(k < s.n && s.t[k] == t && s.v[k] == m->v[t]);
        k++;
    }
    CHECK_INT(s.n, k);
    samples_fini(&s);
}

TEST(store_agrees_with_an_array)
{
    static struct model m;
    static const int64_t windows[] = {0, 5, 300, 100000};

    for (size_t w = 0; w < COUNT(windows); w++) {
        struct tsdb *db = open_store(0, windows[w]);
        uint32_t series = add(db, "m", "", "");
        ROW("window %lld", (long long)windows[w]);
        memset(&m, 0, sizeof(m));
        m.last = -1000000;
        srand(7);
        int64_t t = 0;
        for (int i = 0; i < MODEL_MAX; i++) {
            t += 1 + rand() % 4;
            int64_t at = rand() % 4 ? t : t - rand() % 400;
            at = at < 0 ? 0 : at >= SPAN ? SPAN - 1 : at;
            double v = rand() % 3 ? rand() % 100 : rand() / 7.0;
            tsdb_write_begin(db);
            enum errc rc = tsdb_append(db, series, at, v);
            tsdb_write_end(db);
            CHECK_INT(rc, model_append(&m, at, v, windows[w]));
        }
        compare(db, series, &m, 0, SPAN);
        for (int i = 0; i < 200; i++)
            compare(db, series, &m, rand() % SPAN, rand() % SPAN);
        tsdb_close(db);
    }
}

/* ---- selection ---------------------------------------------------------- */

struct condition {
    enum match_op op;
    const char *name, *value;
};

static const struct {
    struct condition c[3];
    const char *want; /* numbers of the series */
} selections[] = {
    {{{MATCH_EQUAL, "__name__", "m"}}, "0123"},
    {{{MATCH_EQUAL, "__name__", "none"}}, ""},
    {{{MATCH_EQUAL, "__name__", "m"}, {MATCH_EQUAL, "a", "1"}}, "01"},
    {{{MATCH_EQUAL, "a", ""}}, "345"},
    {{{MATCH_NOT_EQUAL, "a", ""}}, "012"},
    {{{MATCH_REGEX, "a", "1|2"}}, "012"},
    {{{MATCH_REGEX, "a", "2|1|1"}}, "012"},
    {{{MATCH_REGEX, "a", "|1"}}, "01345"},
    {{{MATCH_REGEX, "a", ".*"}}, "012345"},
    {{{MATCH_REGEX, "a", ".+"}}, "012"},
    {{{MATCH_REGEX, "a", "[12]"}, {MATCH_NOT_REGEX, "b", "x.*"}}, "02"},
    {{{MATCH_NOT_REGEX, "a", "1|2"}}, "345"},
    {{{MATCH_EQUAL, "nolabel", "x"}}, ""},
    {{{MATCH_NOT_EQUAL, "nolabel", "x"}, {MATCH_EQUAL, "b", "x1"}}, "15"},
    {{{MATCH_EQUAL, "b", "x1"}, {MATCH_REGEX, "__name__", "n|k"}}, "5"},
};

TEST(matchers_select_series)
{
    struct tsdb *db = open_store(0, 0);
    struct arena a;

    add(db, "m", "1", "");
    add(db, "m", "1", "x1");
    add(db, "m", "2", "");
    add(db, "m", "", "");
    add(db, "n", "", "");
    add(db, "n", "", "x1");
    CHECK_INT(add(db, "m", "2", ""), 2);
    for (size_t i = 0; i < COUNT(selections); i++) {
        struct matcher m[3];
        struct tsdb_found found = {NULL, 0};
        char got[10] = "";
        size_t n = 0;
        ROW("selection %zu", i);
        for (; n < 3 && selections[i].c[n].name; n++) {
            const struct condition *c = &selections[i].c[n];
            CHECK_INT(matcher_init(&m[n], c->op, str_from_cstr(c->name),
                                   str_from_cstr(c->value), NULL),
                      ERR_OK);
        }
        arena_init(&a, 100000);
        CHECK_INT(tsdb_select(db, m, n, &a, &found, NULL), ERR_OK);
        for (size_t k = 0; k < found.n && k < 9; k++)
            got[k] = (char)('0' + found.v[k]);
        CHECK_STR(str_from_cstr(got), selections[i].want);
        while (n)
            matcher_fini(&m[--n]);
        arena_fini(&a);
    }
    tsdb_close(db);
}

TEST(series_have_a_limit)
{
    struct tsdb *db = open_store(2, 0);
    struct label l = {LABEL_NAME, STR("third")};
    struct err err = {0};
    uint32_t series;

    add(db, "one", "", "");
    add(db, "two", "", "");
    CHECK_INT(tsdb_series(db, (struct labels){&l, 1}, &series, &err),
              ERR_LIMIT);
    CHECK_INT(add(db, "one", "", ""), 0);
    tsdb_close(db);
}
