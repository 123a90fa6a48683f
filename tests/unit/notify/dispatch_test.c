/* Who is told what and when, with a clock of our own: every case is a script of
 * what happens, and the list of messages that follows. */
#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "notify/dispatch.h"

enum { T0 = 1000000000, SECOND = 1000 };

struct world {
    struct dispatch d;
    struct notify_store *store;
    int64_t now;
    struct buf told;
    enum errc answer; /* what integrations say */
    bool again;
};

static void configure(struct world *w, const char *text)
{
    struct config_held *c = calloc(1, sizeof(*c));
    struct err err = {0};

    if (notify_config_read(&c->c, "test.yml", str_from_cstr(text), NULL, NULL,
                           &err))
        fail_msg("%s", err.msg);
    dispatch_configure(&w->d, config_hold(c), w->now);
}

static void begin(struct world *w, const char *config)
{
    struct err err = {0};

    *w = (struct world){.now = T0};
    buf_init(&w->told, 1 << 20);
    if (notify_store_open(NULL, &w->store, &err) ||
        dispatch_init(&w->d, w->store, STR("http://x"), &err))
        fail_msg("%s", err.msg);
    configure(w, config);
}

static void end(struct world *w)
{
    dispatch_fini(&w->d);
    notify_store_close(w->store);
    buf_fini(&w->told);
}

/* "12 team firing a b, resolved c" */
static void note(struct world *w, const struct delivery *v)
{
    buf_printf(&w->told, "%lld " STR_FMT, (long long)(w->now - T0) / SECOND,
               STR_ARG(v->n.how->receiver->name));
    for (size_t i = 0; i < v->n.n; i++) {
        const struct notified_alert *a = &v->n.alerts[i];
        if (i == 0 || i == v->n.n_firing)
            buf_puts(&w->told, a->ends_at ? " -" : " +");
        buf_printf(&w->told, " " STR_FMT,
                   STR_ARG(labels_get(a->labels, STR("n"))));
    }
    buf_puts(&w->told, w->answer ? " !\n" : "\n");
}

/* Lets time pass up to so many seconds after the start. */
static void until(struct world *w, int64_t seconds)
{
    int64_t stop = T0 + seconds * SECOND;
    const struct told told = {.again = w->again};
    struct delivery *v;

    for (;;) {
        int64_t next = dispatch_step(&w->d, w->now);
        while ((v = dispatch_take(&w->d, w->now))) {
            note(w, v);
            dispatch_done(&w->d, v, w->answer, &told, "no", w->now);
        }
        next = dispatch_step(&w->d, w->now);
        if (next > stop)
            break;
        w->now = next > w->now ? next : w->now + 1;
    }
    w->now = stop;
}

/* The alert n of a name; ends: seconds after the start, 0: it goes on. */
static void alert(struct world *w, const char *name, const char *n,
                  const char *severity, int64_t ends)
{
    struct label v[] = {{STR("alertname"), str_from_cstr(name)},
                        {STR("n"), str_from_cstr(n)},
                        {STR("severity"), str_from_cstr(severity)}};
    const struct incoming in = {.labels = {v, COUNT(v)},
                                .annotations = labels_none(),
                                .generator_url = STR("http://g"),
                                .starts_at = w->now,
                                .ends_at = ends ? T0 + ends * SECOND
                                                : w->now + 3600 * SECOND};

    assert_int_equal(dispatch_alert(&w->d, &in, w->now, NULL), ERR_OK);
}

#define SAYS(w, text)                           \
    do {                                        \
        CHECK_STR(buf_str(&(w)->told), (text)); \
        buf_clear(&(w)->told);                  \
    } while (0)

#define RECEIVER(name)                                      \
    "  - {name: " name ", webhook_configs: [{url: 'http://" \
    "x'}]}\n"

static const char plain[] =
    "route: {receiver: team, group_by: [alertname], group_wait: 30s, "
    "group_interval: 5m, repeat_interval: 1h}\n"
    "receivers:\n" RECEIVER("team");

TEST(a_group_waits_and_then_tells_all_at_once)
{
    struct world w;

    begin(&w, plain);
    alert(&w, "Hot", "1", "", 0);
    until(&w, 10);
    alert(&w, "Hot", "2", "", 0);
    alert(&w, "Cold", "3", "", 0);
    until(&w, 60);
    SAYS(&w, "30 team + 1 2\n40 team + 3\n");
    ROW("nothing new: silence for an hour");
    until(&w, 3600);
    SAYS(&w, "");
    alert(&w, "Hot", "1", "", 0);
    alert(&w, "Hot", "2", "", 0);
    alert(&w, "Cold", "3", "", 0);
    until(&w, 4000);
    ROW("and again when it is over: at the next flush");
    SAYS(&w, "3930 team + 1 2\n3940 team + 3\n");
    end(&w);
}

TEST(news_wait_for_the_next_flush)
{
    struct world w;

    begin(&w, plain);
    alert(&w, "Hot", "1", "", 0);
    until(&w, 40);
    alert(&w, "Hot", "2", "", 0);
    until(&w, 320);
    SAYS(&w, "30 team + 1\n");
    until(&w, 340);
    SAYS(&w, "330 team + 1 2\n");
    ROW("one is over");
    alert(&w, "Hot", "1", "", 350);
    until(&w, 640);
    SAYS(&w, "630 team + 2 - 1\n");
    ROW("all are over, and then it is forgotten");
    alert(&w, "Hot", "2", "", 700);
    until(&w, 940);
    SAYS(&w, "930 team - 2\n");
    until(&w, 9000);
    SAYS(&w, "");
    CHECK(!w.d.groups);
    ROW("what comes again is new");
    alert(&w, "Hot", "1", "", 0);
    until(&w, 9050);
    SAYS(&w, "9030 team + 1\n");
    end(&w);
}

TEST(what_is_over_before_it_is_told_is_not_told)
{
    struct world w;

    begin(&w, plain);
    alert(&w, "Hot", "1", "", 20);
    until(&w, 1000);
    SAYS(&w, "");
    ROW("nor the end of what was never told");
    CHECK(!w.d.groups);
    end(&w);
}

TEST(flapping_is_told_once_a_flush)
{
    struct world w;

    begin(&w, plain);
    alert(&w, "Hot", "1", "", 0);
    until(&w, 31);
    for (int i = 0; i < 10; i++) {
        alert(&w, "Hot", "1", "", 40 + i * 20);
        until(&w, 45 + i * 20);
        alert(&w, "Hot", "1", "", 0);
        until(&w, 50 + i * 20);
    }
    until(&w, 400);
    SAYS(&w, "30 team + 1\n");
    end(&w);
}

TEST(what_does_not_want_the_end_is_not_told_of_it)
{
    struct world w;

    begin(&w, "route: {receiver: team, group_wait: 10s, group_interval: 1m}\n"
              "receivers: [{name: team, webhook_configs: [{url: 'http://x', "
              "send_resolved: false}]}]\n");
    alert(&w, "Hot", "1", "", 0);
    alert(&w, "Hot", "2", "", 0);
    until(&w, 20);
    alert(&w, "Hot", "1", "", 21);
    until(&w, 80);
    alert(&w, "Hot", "2", "", 81);
    until(&w, 1000);
    SAYS(&w, "10 team + 1 2\n");
    CHECK(!w.d.groups);
    ROW("and what begins again is news");
    alert(&w, "Hot", "1", "", 0);
    until(&w, 1100);
    SAYS(&w, "1010 team + 1\n");
    end(&w);
}

/* ---- routes ------------------------------------------------------------- */

static const char tree[] = "route:\n"
                           "  receiver: root\n"
                           "  group_wait: 0s\n"
                           "  routes:\n"
                           "    - matchers: [severity=page]\n"
                           "      receiver: phone\n"
                           "      continue: true\n"
                           "      routes:\n"
                           "        - matchers: ['n=~\"1|2\"']\n"
                           "          receiver: first\n"
                           "    - matchers: ['severity!=\"\"']\n"
                           "      receiver: mail\n"
                           "receivers:\n" RECEIVER("root") RECEIVER("phone")
                               RECEIVER("first") RECEIVER("mail");

TEST(the_deepest_route_tells)
{
    static const struct {
        const char *n, *severity, *told;
    } rows[] = {{"1", "page", "0 mail + 1\n0 first + 1\n"},
                {"3", "page", "0 mail + 3\n0 phone + 3\n"},
                {"3", "warn", "0 mail + 3\n"},
                {"3", "", "0 root + 3\n"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        begin(&w, tree);
        ROW("%s %s", rows[i].n, rows[i].severity);
        alert(&w, "Hot", rows[i].n, rows[i].severity, 0);
        until(&w, 1);
        SAYS(&w, rows[i].told);
        end(&w);
    }
}

/* ---- mutes -------------------------------------------------------------- */

static const char inhibiting[] =
    "route: {receiver: team, group_by: ['...'], group_wait: 1s, "
    "group_interval: 10s}\n"
    "inhibit_rules:\n"
    "  - {source_matchers: [severity=page], target_matchers: "
    "['severity=~\"warn|page\"'], equal: [alertname]}\n"
    "receivers:\n" RECEIVER("team");

TEST(an_alert_that_explains_others_inhibits_them)
{
    struct world w;

    begin(&w, inhibiting);
    alert(&w, "Down", "1", "page", 0);
    alert(&w, "Down", "2", "warn", 0);
    alert(&w, "Other", "3", "warn", 0);
    until(&w, 5);
    SAYS(&w, "1 team + 3\n1 team + 1\n");
    ROW("two that could inhibit each other do not");
    alert(&w, "Down", "4", "page", 0);
    until(&w, 7);
    SAYS(&w, "6 team + 4\n");
    ROW("until it is over");
    alert(&w, "Down", "1", "page", 12);
    alert(&w, "Down", "4", "page", 12);
    until(&w, 30);
    SAYS(&w, "16 team - 4\n21 team + 2\n21 team - 1\n");
    end(&w);
}

static void silence(struct world *w, const char *matcher, int64_t from,
                    int64_t to, char id[SILENCE_ID])
{
    struct new_silence new = {.id = STR(""),
                              .by = STR("me"),
                              .comment = STR("x"),
                              .starts_at = T0 + from * SECOND,
                              .ends_at = T0 + to * SECOND};
    struct arena a;

    arena_init(&a, 1 << 16);
    assert_int_equal(
        matchers_parse(&new.matchers, str_from_cstr(matcher), &a, NULL),
        ERR_OK);
    assert_int_equal(silences_put(&w->d.silences, &new, w->now, id, NULL),
                     ERR_OK);
    matchers_fini(&new.matchers);
    arena_fini(&a);
}

TEST(a_silence_holds_for_its_time)
{
    char id[SILENCE_ID];
    struct world w;

    begin(&w, plain);
    silence(&w, "n=1", 0, 1000, id);
    silence(&w, "alertname=~\"C.*\"", 100, 200, id);
    alert(&w, "Hot", "1", "", 0);
    alert(&w, "Hot", "2", "", 0);
    alert(&w, "Cold", "3", "", 0);
    until(&w, 900);
    SAYS(&w, "30 team + 3\n30 team + 2\n");
    until(&w, 1300);
    SAYS(&w, "1230 team + 1 2\n");
    ROW("it ends when it is said");
    silence(&w, "n=4", 1000, 9000, id);
    alert(&w, "Late", "4", "", 0);
    until(&w, 1400);
    SAYS(&w, "");
    assert_int_equal(
        silences_expire(&w.d.silences, str_from_cstr(id), w.now, NULL), ERR_OK);
    CHECK_INT(silences_expire(&w.d.silences, str_from_cstr(id), w.now, NULL),
              ERR_CONFLICT);
    until(&w, 1700);
    SAYS(&w, "1630 team + 4\n");
    end(&w);
}

TEST(hours_of_the_week)
{
    struct world w;

    /* T0 is 1970-01-12 13:46:40 UTC, a Monday. */
    begin(&w, "route: {receiver: team, group_wait: 0s, group_interval: 10m, "
              "routes: [{matchers: [n=1], mute_time_intervals: [lunch]}, "
              "{matchers: [n=2], active_time_intervals: [lunch]}]}\n"
              "time_intervals: [{name: lunch, time_intervals: [{times: "
              "[{start_time: '13:00', end_time: '14:00'}], weekdays: "
              "['monday:friday']}]}]\n"
              "receivers:\n" RECEIVER("team"));
    alert(&w, "Hot", "1", "", 0);
    alert(&w, "Hot", "2", "", 0);
    until(&w, 1300);
    SAYS(&w, "0 team + 2\n1200 team + 1\n");
    end(&w);
}

/* ---- what goes wrong ---------------------------------------------------- */

TEST(a_failure_is_tried_again_until_the_next_flush)
{
    struct world w;

    begin(&w, plain);
    w.answer = ERR_UNAVAIL;
    w.again = true;
    alert(&w, "Hot", "1", "", 0);
    until(&w, 100);
    SAYS(&w, "30 team + 1 !\n31 team + 1 !\n33 team + 1 !\n37 team + 1 !\n"
             "45 team + 1 !\n61 team + 1 !\n93 team + 1 !\n");
    ROW("then with what is new");
    until(&w, 320);
    buf_clear(&w.told);
    alert(&w, "Hot", "2", "", 0);
    w.answer = ERR_OK;
    until(&w, 700);
    SAYS(&w, "330 team + 1 2\n");
    CHECK_INT(w.d.stats[0].sent, 1);
    end(&w);
}

TEST(a_refusal_is_not_tried_again_before_the_next_flush)
{
    struct world w;

    begin(&w, plain);
    w.answer = ERR_UNAVAIL;
    alert(&w, "Hot", "1", "", 0);
    until(&w, 320);
    SAYS(&w, "30 team + 1 !\n");
    CHECK_INT(w.d.stats[0].failed, 1);
    ROW("the end of what nobody heard of is not told");
    alert(&w, "Hot", "1", "", 325);
    w.answer = ERR_OK;
    until(&w, 700);
    SAYS(&w, "");
    end(&w);
}

TEST(the_end_is_told_although_the_first_try_fails)
{
    struct world w;

    begin(&w, plain);
    alert(&w, "Hot", "1", "", 0);
    until(&w, 100);
    alert(&w, "Hot", "1", "", 110);
    w.answer = ERR_UNAVAIL;
    until(&w, 400);
    w.answer = ERR_OK;
    until(&w, 2000);
    SAYS(&w, "30 team + 1\n330 team - 1 !\n630 team - 1\n");
    CHECK(!w.d.groups);
    end(&w);
}

TEST(a_new_configuration_forgets_nothing)
{
    struct world w;

    begin(&w, plain);
    alert(&w, "Hot", "1", "", 0);
    until(&w, 100);
    SAYS(&w, "30 team + 1\n");
    configure(&w, plain);
    until(&w, 200);
    SAYS(&w, "");
    alert(&w, "Hot", "1", "", 210);
    until(&w, 1000);
    SAYS(&w, "400 team - 1\n");
    end(&w);
}

TEST(dispatch_without_memory)
{
    FAULT_LOOP (n) {
        struct world w = {.now = T0};
        struct notify_store *store = NULL;
        if (notify_store_open(NULL, &store, NULL))
            continue;
        if (dispatch_init(&w.d, store, STR(""), NULL) == ERR_OK) {
            struct config_held *c = calloc(1, sizeof(*c));
            if (c && notify_config_read(&c->c, "x", str_from_cstr(tree), NULL,
                                        NULL, NULL) == ERR_OK)
                dispatch_configure(&w.d, config_hold(c), T0);
            else
                free(c);
            struct label v[] = {{STR("a"), STR("b")}};
            const struct incoming in = {.labels = {v, 1},
                                        .annotations = labels_none(),
                                        .generator_url = STR("")};
            (void)!dispatch_alert(&w.d, &in, T0, NULL);
            (void)dispatch_step(&w.d, T0 + 60000);
            dispatch_fini(&w.d);
        }
        notify_store_close(store);
    }
}
