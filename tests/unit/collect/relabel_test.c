/* What rules do to labels. Checked against Prometheus in
 * tests/system/test_scrape_config.py; here what is at the edges. */
#include "unit/unit.h"

#include "collect/relabel.h"
#include "fault.h"

static const struct {
    const char *rules, *labels, *result; /* result NULL: dropped */
} rows[] = {
    {"[]", "{a: b}", "{a=\"b\"}"},
    {"[{source_labels: [a], target_label: c}]", "{a: b}", "{a=\"b\", c=\"b\"}"},
    {"[{source_labels: [a, x], target_label: c}]", "{a: b}",
     "{a=\"b\", c=\"b;\"}"},
    {"[{source_labels: [a], regex: 'b(.*)', target_label: c}]", "{a: b}",
     "{a=\"b\"}"},
    {"[{source_labels: [a], regex: 'x', target_label: a}]", "{a: b}",
     "{a=\"b\"}"},
    {"[{target_label: a, replacement: ''}]", "{a: b}", "{}"},
    {"[{source_labels: [a], regex: '(.)(.)', target_label: '${1}_${2}x', "
     "replacement: '$2${1}$$'}]",
     "{a: bc}", "{a=\"bc\", b_cx=\"cb$\"}"},
    {"[{source_labels: [a], regex: 'b', action: keep}]", "{a: b}", "{a=\"b\"}"},
    {"[{source_labels: [a], regex: 'b', action: keep}]", "{a: bb}", NULL},
    {"[{source_labels: [a], regex: 'b', action: Drop}]", "{a: b}", NULL},
    {"[{source_labels: [x], regex: '', action: drop}]", "{a: b}", NULL},
    {"[{source_labels: [a], target_label: b, action: keepequal}]",
     "{a: x, b: x}", "{a=\"x\", b=\"x\"}"},
    {"[{source_labels: [a], target_label: b, action: dropequal}]",
     "{a: x, b: x}", NULL},
    {"[{source_labels: [a], modulus: 8, target_label: m, action: hashmod}]",
     "{a: foo}", "{a=\"foo\", m=\"0\"}"},
    {"[{regex: 'm_(.*)', action: labelmap}]", "{m_a: 1, m_b: 2, c: 3}",
     "{a=\"1\", b=\"2\", c=\"3\", m_a=\"1\", m_b=\"2\"}"},
    {"[{regex: 'm_.*', action: labeldrop}]", "{m_a: 1, m_b: 2, c: 3}",
     "{c=\"3\"}"},
    {"[{regex: 'm_.*', action: labelkeep}]", "{m_a: 1, m_b: 2, c: 3}",
     "{m_a=\"1\", m_b=\"2\"}"},
    {"[{source_labels: [a], target_label: a, action: uppercase}]",
     "{a: 'bC\xc3\xa9'}", "{a=\"BC\xc3\xa9\"}"},
    {"[{source_labels: [a], regex: 'b', action: drop}, {target_label: c, "
     "replacement: d}]",
     "{a: x}", "{a=\"x\", c=\"d\"}"},
};

static bool read_all(const char *rules, const char *labels, struct arena *a,
                     struct relabel_rules *r, struct labels *l)
{
    const struct yaml *root = NULL, *map = NULL;
    struct err err = {0};
    struct yaml_form f = {.file = "t", .arena = a, .err = &err};
    struct labels_builder b;

    if (yaml_read(str_from_cstr(rules), a, &root, &err) ||
        yaml_read(str_from_cstr(labels), a, &map, &err))
        return false;
    *r = (struct relabel_rules){.n = 0};
    relabel_take(&f, root, r);
    labels_build(&b, a, labels_none());
    for (const struct yaml *c = map->first; c; c = c->next)
        labels_set(&b, c->key, c->text);
    return !f.rc && labels_built(&b, l);
}

TEST(labels_are_changed)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct relabel_rules r;
        struct labels l, out;
        struct arena a;
        struct buf b;
        bool keep;
        arena_init(&a, 1 << 20);
        buf_init(&b, 1 << 16);
        ROW("%s %s", rows[i].rules, rows[i].labels);
        if (!read_all(rows[i].rules, rows[i].labels, &a, &r, &l))
            fail_msg("%s", rows[i].rules);
        CHECK_INT(relabel_apply(&r, l, &a, &out, &keep, NULL), ERR_OK);
        CHECK_INT(keep, rows[i].result != NULL);
        if (rows[i].result) {
            labels_print(&b, out);
            CHECK_STR(buf_str(&b), rows[i].result);
        }
        relabel_fini(&r);
        arena_fini(&a);
        buf_fini(&b);
    }
}

TEST(labels_without_memory)
{
    FAULT_LOOP (n) {
        struct relabel_rules r = {.n = 0};
        struct labels l, out;
        struct arena a;
        bool keep;
        arena_init(&a, 1 << 20);
        if (read_all(rows[6].rules, rows[6].labels, &a, &r, &l))
            (void)!relabel_apply(&r, l, &a, &out, &keep, NULL);
        relabel_fini(&r);
        arena_fini(&a);
    }
}
