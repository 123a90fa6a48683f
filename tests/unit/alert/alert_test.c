/* Rules, groups and what is kept of them, when memory runs out at every place.
 */
#include "unit/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "alert/engine.h"
#include "codec/yaml.h"
#include "fault.h"

static const char text[] =
    "groups:\n"
    "- name: g\n"
    "  rules:\n"
    "  - {record: 'a:b', expr: sum(temp), labels: {x: y}}\n"
    "  - alert: Hot\n"
    "    expr: temp > 80\n"
    "    labels: {l: '{{ $labels.gpu }}'}\n"
    "    annotations: {s: '{{ range query \"temp\" }}{{ .Value }} {{ end "
    "}}'}\n";

static void put(struct tsdb *db, int64_t t, double v)
{
    struct label l[] = {{LABEL_NAME, STR("temp")}, {STR("gpu"), STR("0")}};
    uint32_t series;

    tsdb_write_begin(db);
    if (tsdb_series(db, (struct labels){l, 2}, &series, NULL) == ERR_OK)
        (void)!tsdb_append(db, series, t, v);
    tsdb_write_end(db);
}

static void use(const struct rules *rules, struct tsdb *db)
{
    struct rule_env env = {
        .db = db, .external = {NULL, 0}, .external_url = STR("http://m")};
    struct group g;

    if (group_init(&g, &rules->groups[0], 1000, 0, NULL) == ERR_OK) {
        for (int64_t t = 1000; t < 5000; t += 1000) {
            put(db, t, t < 4000 ? 90 : 10);
            group_eval(&g, &env, t);
        }
    }
    group_fini(&g);
}

TEST(rules_without_memory)
{
    const struct tsdb_options o = {0};

    FAULT_LOOP (n) {
        struct rules rules;
        struct tsdb *db = NULL;
        rules_init(&rules);
        if (rules_read(&rules, "f", str_from_cstr(text), NULL, NULL, NULL) ==
                ERR_OK &&
            tsdb_open(&o, &db, NULL) == ERR_OK)
            use(&rules, db);
        tsdb_close(db);
        rules_fini(&rules);
    }
}

static const struct {
    const char *yaml, *says;
} mistakes[] = {
    {"a: [1, 2", "2:1: did not find expected ',' or ']'"},
    {"a: 1\na: 2", "2:1: the key \"a\" is there already, in line 1"},
    {"{[1]: 2}", "1:2: a key must be a text"},
    {"a: *x", "1:4: an alias of no anchor"},
    {"a: &x [*x]", "1:8: an alias within itself"},
    {"a: \t- b", "1:5: block sequence entries are not allowed in this "
                 "context"},
};

TEST(yaml_says_where)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        const struct yaml *root;
        struct arena a;
        struct err err = {0};
        ROW("%s", mistakes[i].yaml);
        arena_init(&a, 1 << 20);
        CHECK_INT(yaml_read(str_from_cstr(mistakes[i].yaml), &a, &root, &err),
                  ERR_INVALID);
        CHECK_STR(str_from_cstr(err.msg), mistakes[i].says);
        arena_fini(&a);
    }
}

TEST(yaml_does_not_explode)
{
    const struct yaml *root;
    struct arena a;
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_puts(&b, "a: &a0 [x, x, x, x, x, x, x, x]\n");
    for (int i = 0; i < 20; i++)
        buf_printf(&b, "b%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i,
                   i + 1, i, i, i, i, i, i);
    arena_init(&a, 512 << 20);
    CHECK(yaml_read(buf_str(&b), &a, &root, NULL) != ERR_OK);
    arena_fini(&a);
    buf_clear(&b);
    for (int i = 0; i < 100; i++)
        buf_putc(&b, '[');
    arena_init(&a, 1 << 20);
    CHECK_INT(yaml_read(buf_str(&b), &a, &root, NULL), ERR_INVALID);
    arena_fini(&a);
    buf_fini(&b);
}

TEST(alerts_are_kept)
{
    char dir[] = "/tmp/stoker-alerts.XXXXXX", path[64];
    const struct tsdb_options o = {0};
    struct rules rules;
    struct tsdb *db = NULL;
    struct alert_db *kept;
    struct group before, after;
    struct rule_env env = {.external_url = STR("")};

    CHECK(mkdtemp(dir) != NULL);
    (void)snprintf(path, sizeof(path), "%s/a.db", dir);
    rules_init(&rules);
    CHECK_INT(rules_read(&rules, "f", str_from_cstr(text), NULL, NULL, NULL),
              ERR_OK);
    CHECK_INT(tsdb_open(&o, &db, NULL), ERR_OK);
    env.db = db;
    CHECK_INT(group_init(&before, &rules.groups[0], 1000, 0, NULL), ERR_OK);
    CHECK_INT(group_init(&after, &rules.groups[0], 1000, 0, NULL), ERR_OK);
    put(db, 1000, 90);
    group_eval(&before, &env, 1000);
    CHECK_INT(before.runs[1].n, 1);
    CHECK_INT(alert_db_open(path, &kept, NULL), ERR_OK);
    CHECK_INT(alert_db_save(kept, &before, NULL), ERR_OK);
    CHECK_INT(alert_db_load(kept, &after, NULL), ERR_OK);
    CHECK_INT(after.runs[1].n, 1);
    if (after.runs[1].n == 1) {
        const struct alert *x = before.runs[1].alerts[0];
        const struct alert *y = after.runs[1].alerts[0];
        CHECK(labels_eq(x->labels, y->labels) && x->hash == y->hash);
        CHECK(labels_eq(x->annotations, y->annotations));
        CHECK(x->state == y->state && x->value == y->value &&
              x->fired_at == y->fired_at && x->active_at == y->active_at);
    }
    alert_db_close(kept);
    group_fini(&before);
    group_fini(&after);
    tsdb_close(db);
    rules_fini(&rules);
    CHECK_INT(unlink(path), 0);
    CHECK_INT(rmdir(dir), 0);
}
