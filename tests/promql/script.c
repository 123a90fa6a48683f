/* script.c - see script.h. */
#include "promql/script.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "promql/compare.h"
#include "series/duration.h"
#include "promql/function.h"
#include "promql/native.h"
#include "promql/notation.h"

struct script {
    const char *name;
    const struct script_how *how;
    struct script_counts *counts;
    struct str rest; /* of the text */
    struct str line; /* trimmed */
    bool indented;   /* the line began with a space */
    bool more;       /* there is a line */
    int number;
    struct tsdb *db;
    struct arena arena; /* of one case */
    struct native_names native;
};

/* ---- lines -------------------------------------------------------------- */

static void next_line(struct script *s)
{
    do {
        s->more = s->rest.p != NULL && (s->rest.n || s->rest.p);
        if (!s->more)
            return;
        struct str raw = str_cut(&s->rest, '\n');
        s->number++;
        s->indented = raw.n && (raw.p[0] == ' ' || raw.p[0] == '\t');
        if (raw.n && raw.p[raw.n - 1] == '\r')
            raw.n--;
        s->line = str_trim(raw);
    } while (s->line.n == 0 || s->line.p[0] == '#');
}

static struct str take_word(struct str *s)
{
    size_t n = 0;

    *s = str_trim(*s);
    while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t')
        n++;
    struct str word = str_slice(*s, 0, n);
    *s = str_trim(str_slice(*s, n, s->n));
    return word;
}

PRINTF_LIKE(3, 4)
static void report_failure(struct script *s, int number, const char *fmt, ...)
{
    va_list args;

    s->counts->failed++;
    fprintf(s->how->out, "%s:%d: ", s->name, number);
    va_start(args, fmt);
    vfprintf(s->how->out, fmt, args);
    va_end(args);
    fputc('\n', s->how->out);
}

static void report_skip(struct script *s, int number, const char *why)
{
    s->counts->skipped++;
    if (s->how->verbose)
        fprintf(s->how->out, "%s:%d: skipped: %s\n", s->name, number, why);
}

/* 5m, or seconds. */
static bool read_time(struct str word, int64_t *ms)
{
    char text[64], *end;
    bool minus = word.n && word.p[0] == '-';

    if (duration_parse(str_slice(word, minus, word.n), ms)) {
        *ms = minus ? -*ms : *ms;
        return true;
    }
    if (word.n == 0 || word.n >= sizeof(text))
        return false;
    memcpy(text, word.p, word.n);
    text[word.n] = '\0';
    *ms = (int64_t)llround(strtod(text, &end) * 1000);
    return *end == '\0';
}

/* ---- load and clear ----------------------------------------------------- */

static void clear(struct script *s)
{
    struct tsdb_options options = {.out_of_order = INT64_MAX / 2};

    tsdb_close(s->db);
    s->db = NULL;
    native_clear(&s->native);
    if (tsdb_open(&options, &s->db, NULL))
        abort();
}

static void load_series(struct script *s, int64_t interval)
{
    struct notation series;
    struct err err;
    uint32_t id;

    if (notation_parse(s->line, &s->arena, &series, &err)) {
        report_failure(s, s->number, "%s", err.msg);
        return;
    }
    if (series.native || s->native.classic)
        native_add(&s->native, series.labels);
    tsdb_write_begin(s->db);
    if (tsdb_series(s->db, series.labels, &id, &err))
        report_failure(s, s->number, "%s", err.msg);
    else
        for (size_t i = 0; i < series.n; i++)
            if (!series.v[i].omitted && !series.v[i].native &&
                tsdb_append(s->db, id, (int64_t)i * interval, series.v[i].v))
                report_failure(s, s->number, "a sample was not taken");
    tsdb_write_end(s->db);
}

static void run_load(struct script *s, bool classic)
{
    int64_t interval;
    struct str line = s->line;

    (void)take_word(&line);
    if (!read_time(take_word(&line), &interval)) {
        report_failure(s, s->number, "load without an interval");
        interval = 60000;
    }
    s->native.classic = classic;
    for (next_line(s); s->more && s->indented; next_line(s))
        load_series(s, interval);
    s->native.classic = false;
    arena_reset(&s->arena);
}

/* ---- what is expected --------------------------------------------------- */

/* expect fail msg: text, and the older words for it. */
static bool read_expectation(struct script *s, struct expected *e)
{
    static const struct {
        const char *word;
        enum expect_kind kind;
    } words[] = {
        {"ordered", EXPECT_ORDERED}, {"fail", EXPECT_FAIL},
        {"warn", EXPECT_WARN},       {"no_warn", EXPECT_NO_WARN},
        {"info", EXPECT_INFO},       {"no_info", EXPECT_NO_INFO},
        {"string", EXPECT_STRING},   {"range", EXPECT_RANGE},
    };
    struct str line = s->line, word = take_word(&line);
    struct expect *x = &e->expects[e->n_expects];

    if (str_eq(word, STR("expected_fail_message")))
        *x = (struct expect){EXPECT_FAIL, line, false};
    else if (str_eq(word, STR("expected_fail_regexp")))
        *x = (struct expect){EXPECT_FAIL, line, true};
    else if (!str_eq(word, STR("expect")))
        return false;
    if (str_eq(word, STR("expect"))) {
        word = take_word(&line);
        for (size_t i = 0; i < COUNT(words); i++)
            if (str_eq(word, str_from_cstr(words[i].word)))
                x->kind = words[i].kind;
        x->text = line;
        if (str_starts(line, STR("msg:")))
            x->text = str_trim(str_slice(line, 4, line.n));
        x->regex = str_starts(line, STR("regex:"));
        if (x->regex)
            x->text = str_trim(str_slice(line, 6, line.n));
    }
    if (!x->kind || e->n_expects + 1 >= EXPECTS_MAX)
        report_failure(s, s->number, "cannot read this expectation");
    else
        e->n_expects++;
    return true;
}

/* A series with its values, or a number for a scalar. */
static void read_series(struct script *s, struct expected *e)
{
    struct notation *n;
    struct err err;

    if (!arena_grow(&s->arena, &e->series, e->n, &e->cap, sizeof(*e->series)))
        abort();
    n = &e->series[e->n];
    *n = (struct notation){.labels = labels_none()};
    char c = s->line.p[0];
    bool number = (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' ||
                  str_eq(s->line, STR("NaN")) || str_eq(s->line, STR("Inf"));
    if (number && notation_values(s->line, &s->arena, n, NULL) == ERR_OK) {
        e->scalar = true;
    } else if (notation_parse(s->line, &s->arena, n, &err)) {
        report_failure(s, s->number, "%s", err.msg);
        return;
    }
    e->native = e->native || n->native;
    e->n++;
}

static void read_expected(struct script *s, struct expected *e)
{
    for (next_line(s); s->more && s->indented; next_line(s))
        if (!read_expectation(s, e))
            read_series(s, e);
}

/* expect range vector from 10s to 1m step 10s */
static bool read_moments(struct expected *e, struct str text)
{
    int64_t ms;

    while (text.n) {
        struct str word = take_word(&text);
        if (str_eq(word, STR("vector")))
            continue;
        if (!read_time(take_word(&text), &ms))
            return false;
        if (str_eq(word, STR("from")))
            e->start = ms;
        else if (str_eq(word, STR("to")))
            e->end = ms;
        else if (str_eq(word, STR("step")))
            e->step = ms;
        else
            return false;
    }
    return true;
}

/* ---- eval --------------------------------------------------------------- */

struct query_case {
    int number;
    bool range;
    struct promql_how how;
    struct str text;
    struct expected expected;
};

/* True when the failure is about what is not supported on purpose. */
static bool is_experimental(struct str query)
{
    static const char *const words[] = {
        " anchored", " smoothed", "limitk",  "limit_ratio", " fill",
        "{{",        "step()",    "range()", " </",         " >/"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (memmem(query.p, query.n, words[i], strlen(words[i])))
            return true;
    for (size_t at = 0; at < query.n; at++) {
        size_t n = at;
        while (n < query.n &&
               (query.p[n] == '_' || (query.p[n] >= 'a' && query.p[n] <= 'z')))
            n++;
        if (n > at && n < query.n && query.p[n] == '(' &&
            function_is_experimental(str_slice(query, at, n)))
            return true;
        at = n > at ? n : at;
    }
    return false;
}

/* At one moment a query must say what it says in the middle of a range. */
static bool check_as_range(const struct query_case *c,
                           const struct promql_expr *x, struct buf *why)
{
    struct promql_how how = c->how;
    struct promql_result r;
    struct err err;

    if (c->expected.ordered || x->root->type == PROMQL_MATRIX ||
        x->root->type == PROMQL_STRING)
        return true;
    how.start -= 60000;
    how.end += 60000;
    how.step = 60000;
    how.range = true;
    if (promql_query(x, &how, &r, &err)) {
        buf_printf(why, "as a range: %s", err.msg);
        return false;
    }
    bool ok = compare_middle(&c->expected, &r, c->how.start, why);
    promql_result_fini(&r);
    return ok;
}

static bool check_case(const struct query_case *c, struct buf *why)
{
    struct promql_expr *x;
    struct promql_result r;
    struct err err;

    enum errc rc = promql_parse(c->text, &x, &err);
    if (rc) {
        buf_puts(why, err.msg);
        return c->expected.fails && compare_failure(&c->expected, err.msg, why);
    }
    rc = promql_query(x, &c->how, &r, &err);
    bool ok;
    if (rc) {
        buf_puts(why, err.msg);
        ok = c->expected.fails && compare_failure(&c->expected, err.msg, why);
    } else {
        ok = compare_result(&c->expected, &r, c->range, why);
        promql_result_fini(&r);
        if (ok && !c->range && !c->expected.fails)
            ok = check_as_range(c, x, why);
    }
    promql_free(x);
    return ok;
}

static void run_case(struct script *s, struct query_case *c)
{
    struct expected *e = &c->expected;
    struct buf why;

    for (size_t i = 0; i < e->n_expects; i++) {
        e->fails = e->fails || e->expects[i].kind == EXPECT_FAIL;
        e->ordered = e->ordered || e->expects[i].kind == EXPECT_ORDERED;
        if (e->expects[i].kind == EXPECT_RANGE &&
            !read_moments(e, e->expects[i].text))
            report_failure(s, c->number, "cannot read the range expected");
    }
    buf_init(&why, 100000);
    if (check_case(c, &why))
        s->counts->passed++;
    else if (is_experimental(c->text))
        report_skip(s, c->number, "experimental in Prometheus");
    else if (e->native || native_needed(&s->native, c->text))
        report_skip(s, c->number, "native histograms");
    else
        report_failure(s, c->number, STR_FMT "\n    " STR_FMT, STR_ARG(c->text),
                       STR_ARG(buf_str(&why)));
    buf_fini(&why);
}

static bool take_time_after(struct str *line, struct str word, int64_t *ms)
{
    return str_eq(take_word(line), word) && read_time(take_word(line), ms);
}

static void run_eval(struct script *s, struct str command)
{
    struct query_case c = {.number = s->number,
                           .how = {.db = s->db,
                                   .prometheus2 = s->how->prometheus2,
                                   .late_names = !s->how->prometheus2}};
    struct str line = s->line;
    bool ok;

    (void)take_word(&line);
    c.range = str_eq(take_word(&line), STR("range"));
    if (c.range) {
        ok = take_time_after(&line, STR("from"), &c.how.start) &&
             take_time_after(&line, STR("to"), &c.how.end) &&
             take_time_after(&line, STR("step"), &c.how.step);
        c.how.range = true;
    } else {
        ok = take_time_after(&line, STR("at"), &c.how.start);
        c.how.end = c.how.start;
    }
    c.text = line;
    c.expected.start = c.how.start;
    c.expected.end = c.how.end;
    c.expected.step = c.how.step;
    c.expected.fails = str_eq(command, STR("eval_fail"));
    c.expected.ordered = str_eq(command, STR("eval_ordered"));
    if (str_eq(command, STR("eval_warn")))
        c.expected.expects[c.expected.n_expects++].kind = EXPECT_WARN;
    if (str_eq(command, STR("eval_info")))
        c.expected.expects[c.expected.n_expects++].kind = EXPECT_INFO;
    if (!ok)
        report_failure(s, s->number, "cannot read the times of this command");
    read_expected(s, &c.expected);
    if (ok)
        run_case(s, &c);
    arena_reset(&s->arena);
}

/* ---- the whole ---------------------------------------------------------- */

static void run_command(struct script *s)
{
    struct str line = s->line, command = take_word(&line);

    if (str_eq(command, STR("clear"))) {
        clear(s);
        next_line(s);
    } else if (str_eq(command, STR("load"))) {
        run_load(s, false);
    } else if (str_eq(command, STR("load_with_nhcb"))) {
        run_load(s, true);
    } else if (str_starts(command, STR("eval"))) {
        run_eval(s, command);
    } else if (str_eq(command, STR("ignore"))) {
        next_line(s);
    } else {
        report_failure(s, s->number, "unknown command '" STR_FMT "'",
                       STR_ARG(command));
        next_line(s);
    }
}

void script_run(const char *name, struct str text, const struct script_how *how,
                struct script_counts *counts)
{
    struct script s = {
        .name = name, .how = how, .counts = counts, .rest = text};

    arena_init(&s.arena, (size_t)1 << 30);
    native_init(&s.native);
    clear(&s);
    for (next_line(&s); s.more;)
        run_command(&s);
    tsdb_close(s.db);
    native_fini(&s.native);
    arena_fini(&s.arena);
}
