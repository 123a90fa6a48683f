/* What a target says, stored; what it no longer says, ended. */
#include "unit/unit.h"

#include "collect/ingest.h"

struct world {
    struct tsdb *db;
    struct ingest_memory memory;
    struct label labels[2];
    struct ingest in;
};

static void begin(struct world *w)
{
    struct tsdb_options o = {0};

    memset(w, 0, sizeof(*w));
    CHECK_INT(tsdb_open(&o, &w->db, NULL), ERR_OK);
    w->labels[0] = (struct label){STR("instance"), STR("h:1")};
    w->labels[1] = (struct label){STR("job"), STR("j")};
}

static void finish(struct world *w)
{
    ingest_fini(&w->memory);
    tsdb_close(w->db);
}

static enum errc ingest_at(struct world *w, int64_t now, const char *text)
{
    w->in = (struct ingest){.db = w->db,
                            .target = {w->labels, 2},
                            .now = now,
                            .max_samples = 5,
                            .memory = &w->memory};
    return ingest_text(&w->in, str_from_cstr(text), EXPOSITION_TEXT, NULL);
}

/* All samples of a metric: labels, times, values. */
static void check_stored(struct world *w, const char *name, const char *want)
{
    struct matcher m = {MATCH_EQUAL, LABEL_NAME, str_from_cstr(name), NULL};
    struct samples s = {0};
    struct tsdb_found found = {NULL, 0};
    struct arena a;
    struct buf b;

    arena_init(&a, 1 << 20);
    buf_init(&b, 10000);
    CHECK_INT(tsdb_select(w->db, &m, 1, &a, &found, NULL), ERR_OK);
    for (size_t i = 0; i < found.n; i++) {
        labels_print(&b, tsdb_labels(w->db, found.v[i], &a));
        CHECK_INT(tsdb_read(w->db, found.v[i], INT64_MIN, INT64_MAX, &s),
                  ERR_OK);
        for (size_t k = 0; k < s.n; k++)
            if (sample_is_stale(s.v[k]))
                buf_printf(&b, " %lld:stale", (long long)s.t[k]);
            else
                buf_printf(&b, " %lld:%g", (long long)s.t[k], s.v[k]);
        buf_putc(&b, ';');
    }
    CHECK_STR(buf_str(&b), want);
    samples_fini(&s);
    buf_fini(&b);
    arena_fini(&a);
}

TEST(samples_get_the_labels_of_their_target)
{
    struct world w;

    begin(&w);
    CHECK_INT(ingest_at(&w, 10, "up 1\nx{job=\"own\",b=\"c\"} 2 5\n"), ERR_OK);
    CHECK_INT(w.in.samples, 2);
    CHECK_INT(w.in.added, 2);
    check_stored(&w, "up", "up{instance=\"h:1\", job=\"j\"} 10:1;");
    check_stored(&w, "x",
                 "x{b=\"c\", exported_job=\"own\", instance=\"h:1\", "
                 "job=\"j\"} 5:2;");
    finish(&w);
}

TEST(what_is_gone_gets_a_stale_marker)
{
    struct world w;

    begin(&w);
    CHECK_INT(ingest_at(&w, 10, "a 1\nb 1\nc 1 3\n"), ERR_OK);
    CHECK_INT(ingest_at(&w, 20, "a 2\n"), ERR_OK);
    CHECK_INT(w.in.added, 0);
    ingest_nothing(&w.in);
    CHECK_INT(ingest_at(&w, 30, "b 3\n"), ERR_OK);
    CHECK_INT(w.in.added, 1);
    w.in.now = 40;
    ingest_nothing(&w.in);
    ingest_own(&w.in, "up", 0);
    check_stored(&w, "b",
                 "b{instance=\"h:1\", job=\"j\"} 10:1 20:stale 30:3 40:stale;");
    /* One with a time of its own does not end. */
    check_stored(&w, "c", "c{instance=\"h:1\", job=\"j\"} 3:1;");
    check_stored(&w, "up", "up{instance=\"h:1\", job=\"j\"} 40:0;");
    finish(&w);
}

TEST(series_are_found_in_any_order)
{
    struct world w;

    begin(&w);
    CHECK_INT(ingest_at(&w, 10, "x{A=\"1\",z=\"2\"} 1\ny{job=\"o\"} 2\n"),
              ERR_OK);
    CHECK_INT(ingest_at(&w, 20, "x{A=\"1\",z=\"2\"} 3\ny{job=\"o\"} 4\n"),
              ERR_OK);
    CHECK_INT(w.in.added, 0);
    CHECK_INT(ingest_at(&w, 30, "y{job=\"o\"} 6\nx{A=\"1\",z=\"2\"} 5\nz 1\n"),
              ERR_OK);
    CHECK_INT(w.in.added, 1);
    CHECK_INT(ingest_at(&w, 40, "x{A=\"1\",z=\"2\"} 7 40\ny{job=\"o\"} 8\n"),
              ERR_OK);
    CHECK_INT(ingest_at(&w, 50, "x{A=\"1\",z=\"2\"} 9\ny{job=\"o\"} 10 50\n"),
              ERR_OK);
    check_stored(&w, "x",
                 "x{A=\"1\", instance=\"h:1\", job=\"j\", z=\"2\"} 10:1 20:3 "
                 "30:5 40:7 50:9;");
    check_stored(&w, "y",
                 "y{exported_job=\"o\", instance=\"h:1\", job=\"j\"} 10:2 "
                 "20:4 30:6 40:8 50:10;");
    check_stored(&w, "z", "z{instance=\"h:1\", job=\"j\"} 30:1 40:stale;");
    finish(&w);
}

TEST(a_page_without_samples_is_one)
{
    struct world w;

    begin(&w);
    CHECK_INT(ingest_at(&w, 10, ""), ERR_OK);
    CHECK_INT(ingest_at(&w, 20, "\n# TYPE\n# HELP\n"), ERR_OK);
    CHECK_INT(ingest_at(&w, 30, "a 1\n"), ERR_OK);
    CHECK_INT(ingest_at(&w, 40, ""), ERR_OK);
    CHECK_INT(ingest_at(&w, 50, ""), ERR_OK);
    check_stored(&w, "a", "a{instance=\"h:1\", job=\"j\"} 30:1 40:stale;");
    finish(&w);
}

TEST(a_mistake_stores_nothing)
{
    struct world w;

    begin(&w);
    CHECK_INT(ingest_at(&w, 10, "a 1\nb oops\n"), ERR_INVALID);
    CHECK_INT(ingest_at(&w, 10, "a 1\na 2\na 3\na 4\na 5\na 6\n"), ERR_LIMIT);
    check_stored(&w, "a", "");
    finish(&w);
}

TEST(a_second_value_at_one_time_is_refused)
{
    struct world w;

    begin(&w);
    CHECK_INT(ingest_at(&w, 10, "a 1\na 1\na 2\n"), ERR_OK);
    CHECK_INT(w.in.refused, 1);
    check_stored(&w, "a", "a{instance=\"h:1\", job=\"j\"} 10:1;");
    finish(&w);
}
