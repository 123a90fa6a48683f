#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "codec/exposition.h"

/* ---- a sink that writes down what it is given --------------------------- */

static void show_labels(struct buf *b, const struct exposition_label *l,
                        size_t n)
{
    buf_putc(b, '{');
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s" STR_FMT "=[" STR_FMT "]", i ? "," : "",
                   STR_ARG(l[i].name), STR_ARG(l[i].value));
    buf_putc(b, '}');
}

static bool on_sample(void *ctx, const struct exposition_sample *s)
{
    struct buf *b = ctx;

    buf_put(b, s->name);
    show_labels(b, s->labels, s->n);
    buf_printf(b, " %g", s->value);
    if (s->has_time)
        buf_printf(b, " @%lld", (long long)s->time);
    if (s->exemplar) {
        buf_puts(b, " # ");
        show_labels(b, s->exemplar->labels, s->exemplar->n);
        buf_printf(b, " %g", s->exemplar->value);
        if (s->exemplar->has_time)
            buf_printf(b, " @%lld", (long long)s->exemplar->time);
    }
    buf_putc(b, '\n');
    return s->name.n != 4 || memcmp(s->name.p, "stop", 4) != 0;
}

static bool on_about(void *ctx, enum exposition_about what, struct str family,
                     struct str text)
{
    static const char *const words[] = {"help", "type", "unit"};

    buf_printf(ctx, "%s " STR_FMT " [" STR_FMT "]\n", words[what],
               STR_ARG(family), STR_ARG(text));
    return true;
}

/* The text behind a copy that is exactly as long: reading past it is seen. */
static enum errc read_text(const char *text, enum exposition_format format,
                           struct buf *out, struct err *err)
{
    struct exposition_sink sink = {out, on_sample, on_about};
    size_t n = strlen(text);
    char *copy = malloc(n + 1);

    memcpy(copy, text, n);
    copy = realloc(copy, n ? n : 1);
    enum errc rc = exposition_read((struct str){copy, n}, format, &sink, err);
    free(copy);
    return rc;
}

static const struct {
    enum exposition_format format;
    const char *text, *want;
} texts[] = {
    {EXPOSITION_TEXT, "", ""},
    {EXPOSITION_TEXT, "\n\n", ""},
    {EXPOSITION_TEXT, "up 1", "up{} 1\n"},
    {EXPOSITION_TEXT, "up 1\n", "up{} 1\n"},
    {EXPOSITION_TEXT, "  up\t1  \n", "up{} 1\n"},
    {EXPOSITION_TEXT, "up{} 1\n", "up{} 1\n"},
    {EXPOSITION_TEXT, "up {a=\"b\"} 1\n", "up{a=[b]} 1\n"},
    {EXPOSITION_TEXT, "up{a=\"b\",} 1 1395066363000\n",
     "up{a=[b]} 1 @1395066363000\n"},
    {EXPOSITION_TEXT, "up 1 -3\n", "up{} 1 @-3\n"},
    {EXPOSITION_TEXT, "up{ b = \"2\" , a = \"1\" } 1\n",
     "up{a=[1],b=[2]} 1\n"},
    {EXPOSITION_TEXT, "up{c=\"\",a=\"x\"} 1\n", "up{a=[x]} 1\n"},
    {EXPOSITION_TEXT, "a:b_c9 +Inf\nx -Inf\ny NaN\nz nan\nw -inf\n",
     "a:b_c9{} inf\nx{} -inf\ny{} nan\nz{} nan\nw{} -inf\n"},
    {EXPOSITION_TEXT, "a .5\nb 5.\nc +5\nd 0x1p-2\ne 1e3\nf -0\n",
     "a{} 0.5\nb{} 5\nc{} 5\nd{} 0.25\ne{} 1000\nf{} -0\n"},
    {EXPOSITION_TEXT, "p{f=\"C:\\\\D\\nx\\\"y\\\"\\q\"} 1\n",
     "p{f=[C:\\D\nx\"y\"\\q]} 1\n"},
    {EXPOSITION_TEXT, "p{l=\"\xe4\xb8\xad\"} 1\n", "p{l=[\xe4\xb8\xad]} 1\n"},
    {EXPOSITION_TEXT, "# HELP a what \\\\ it\\nis \n# TYPE a\tcounter\na 1\n",
     "help a [what \\ it\nis ]\ntype a [counter]\na{} 1\n"},
    {EXPOSITION_TEXT, "# HELP a\n#HELP b c\n# any thing\n#\n",
     "help a []\n"},
    {EXPOSITION_TEXT, "# UNIT a seconds\n# EOF\nb 1\n", "b{} 1\n"},
    {EXPOSITION_TEXT, "{\"http.requests\",a=\"b\"} 1\n",
     "http.requests{a=[b]} 1\n"},
    {EXPOSITION_TEXT, "{a=\"b\",\"m\"} 1\nm{\"a b\"=\"c\"} 2\n",
     "m{a=[b]} 1\nm{a b=[c]} 2\n"},
    {EXPOSITION_TEXT, "# TYPE \"a.b\" gauge\n", "type a.b [gauge]\n"},
    {EXPOSITION_OPENMETRICS, "# EOF\n", ""},
    {EXPOSITION_OPENMETRICS, "# EOF", ""},
    {EXPOSITION_OPENMETRICS,
     "# TYPE a counter\n# UNIT a s\n# HELP a b\na_total 1\n# EOF\n",
     "type a [counter]\nunit a [s]\nhelp a [b]\na_total{} 1\n"},
    {EXPOSITION_OPENMETRICS, "a{b=\"c\"} 1 1.5\n# EOF\n",
     "a{b=[c]} 1 @1500\n"},
    {EXPOSITION_OPENMETRICS,
     "a_bucket{le=\"1\"} 2 # {t=\"x\"} 0.5 3.25\n# EOF\n",
     "a_bucket{le=[1]} 2 # {t=[x]} 0.5 @3250\n"},
    {EXPOSITION_OPENMETRICS, "a 2 7 # {} 0.5\n# EOF\n",
     "a{} 2 @7000 # {} 0.5\n"},
    {EXPOSITION_OPENMETRICS, "# TYPE a stateset\n# EOF\n",
     "type a [stateset]\n"},
};

TEST(exposition_is_read)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buf b;
        struct err err = {0};
        ROW("%s", texts[i].text);
        buf_init(&b, 10000);
        CHECK_INT(read_text(texts[i].text, texts[i].format, &b, &err), ERR_OK);
        CHECK_STR(buf_str(&b), texts[i].want);
        buf_fini(&b);
    }
}

static const struct {
    enum exposition_format format;
    const char *text, *words;
} mistakes[] = {
    {EXPOSITION_TEXT, "a\n", "line 1, column 2: expected a number"},
    {EXPOSITION_TEXT, "a 1\nb x\n", "line 2, column 3: expected a number"},
    {EXPOSITION_TEXT, "9a 1\n", "column 1: expected the name of a metric"},
    {EXPOSITION_TEXT, "a{b=c} 1\n", "must be in quotes"},
    {EXPOSITION_TEXT, "a{b \"c\"} 1\n", "expected '='"},
    {EXPOSITION_TEXT, "a{b=\"c\" d=\"e\"} 1\n", "expected ',' or '}'"},
    {EXPOSITION_TEXT, "a{b=\"c\n\"} 1\n", "does not end on its line"},
    {EXPOSITION_TEXT, "a{b=\"c\\\"} 1", "does not end on its line"},
    {EXPOSITION_TEXT, "a{b=\"\xff\"} 1\n", "not UTF-8"},
    {EXPOSITION_TEXT, "a{b=\"1\",b=\"2\"} 1\n", "a label stands twice"},
    {EXPOSITION_TEXT, "a{1=\"2\"} 1\n", "the name of a label"},
    {EXPOSITION_TEXT, "a{,} 1\n", "the name of a label"},
    {EXPOSITION_TEXT, "{a=\"b\"} 1\n", "the sample has no name"},
    {EXPOSITION_TEXT, "a{\"\"=\"b\"} 1\n", "a name is empty"},
    {EXPOSITION_TEXT, "a{__name__=\"b\"} 1\n", "is the metric's name"},
    {EXPOSITION_TEXT, "a 1 2 3\n", "expected the end of the line"},
    {EXPOSITION_TEXT, "a 1 1.5\n", "whole milliseconds"},
    {EXPOSITION_TEXT, "a 1 99999999999999999999\n", "whole milliseconds"},
    {EXPOSITION_TEXT, "a nan(1)\n", "expected"},
    {EXPOSITION_TEXT, "a 0x\n", "expected a number"},
    {EXPOSITION_TEXT, "a 1e\n", "expected a number"},
    {EXPOSITION_TEXT, "a infinit\n", "expected a number"},
    {EXPOSITION_TEXT, "# TYPE a thing\n", "type of metric is not known"},
    {EXPOSITION_TEXT, "# TYPE a\n", "type of metric is not known"},
    {EXPOSITION_TEXT, "# HELP 1 x\n", "the name of a metric"},
    {EXPOSITION_TEXT, "# HELP a \xff\n", "not UTF-8"},
    {EXPOSITION_TEXT, "a 1 # {b=\"c\"} 1\n", "expected the end of the line"},
    {EXPOSITION_OPENMETRICS, "", "does not end in # EOF"},
    {EXPOSITION_OPENMETRICS, "a 1\n", "does not end in # EOF"},
    {EXPOSITION_OPENMETRICS, "# EOF\n\n", "text behind # EOF"},
    {EXPOSITION_OPENMETRICS, "# EOF\na 1\n", "text behind # EOF"},
    {EXPOSITION_OPENMETRICS, "# EOF x\n", "expected the end of the line"},
    {EXPOSITION_OPENMETRICS, "\n# EOF\n", "an empty line"},
    {EXPOSITION_OPENMETRICS, " a 1\n# EOF\n", "the name of a metric"},
    {EXPOSITION_OPENMETRICS, "a  1\n# EOF\n", "expected a number"},
    {EXPOSITION_OPENMETRICS, "a 1 \n# EOF\n", "the end of the line"},
    {EXPOSITION_OPENMETRICS, "a{b=\"c\"}1\n# EOF\n", "expected a space"},
    {EXPOSITION_OPENMETRICS, "a {b=\"c\"} 1\n# EOF\n", "expected a number"},
    {EXPOSITION_OPENMETRICS, "# a comment\n# EOF\n", "expected # HELP"},
    {EXPOSITION_OPENMETRICS, "#EOF\n", "expected # HELP"},
    {EXPOSITION_OPENMETRICS, "# TYPE a untyped\n# EOF\n", "not known"},
    {EXPOSITION_OPENMETRICS, "a 1 # 2\n# EOF\n", "of an exemplar"},
    {EXPOSITION_OPENMETRICS, "a 1 1e300\n# EOF\n", "out of range"},
};

TEST(exposition_mistakes_are_named)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        struct buf b;
        struct err err = {0};
        ROW("%s", mistakes[i].text);
        buf_init(&b, 10000);
        CHECK_INT(read_text(mistakes[i].text, mistakes[i].format, &b, &err),
                  ERR_INVALID);
        CHECK(strstr(err.msg, mistakes[i].words) != NULL);
        if (!strstr(err.msg, mistakes[i].words))
            CHECK_STR(str_from_cstr(err.msg), mistakes[i].words);
        buf_fini(&b);
    }
}

TEST(exposition_has_limits)
{
    struct buf text, out;
    struct err err = {0};

    buf_init(&text, 1 << 20);
    buf_init(&out, 1 << 20);
    buf_puts(&text, "a{");
    for (int i = 0; i <= EXPOSITION_MAX_LABELS; i++)
        buf_printf(&text, "l%d=\"x\",", i);
    buf_puts(&text, "} 1\n");
    buf_putc(&text, '\0');
    CHECK_INT(read_text(text.p, EXPOSITION_TEXT, &out, &err), ERR_LIMIT);
    CHECK(strstr(err.msg, "too many labels") != NULL);
    text.n = 0;
    buf_puts(&text, "a{b=\"\\\\");
    for (int i = 0; i < 2 * EXPOSITION_MAX_ESCAPED / 8; i++)
        buf_puts(&text, "xxxxxxxx");
    buf_puts(&text, "\"} 1\n");
    buf_putc(&text, '\0');
    CHECK_INT(read_text(text.p, EXPOSITION_TEXT, &out, &err), ERR_LIMIT);
    CHECK_INT(read_text("a 1\nstop 2\nb 3\n", EXPOSITION_TEXT, &out, &err),
              ERR_CANCELED);
    buf_fini(&text);
    buf_fini(&out);
}

static bool keep_value(void *ctx, const struct exposition_sample *s)
{
    memcpy(ctx, &s->value, sizeof(s->value));
    return true;
}

/* The staleness marker is a NaN of its own, which no text can bring in. */
TEST(exposition_reads_one_nan)
{
    static const char *const nans[] = {"a NaN", "a nan", "a NAN"};
    struct err err = {0};

    for (size_t i = 0; i < COUNT(nans); i++) {
        uint64_t bits = 0;
        struct exposition_sink sink = {&bits, keep_value, NULL};
        ROW("%s", nans[i]);
        CHECK_INT(exposition_read(str_from_cstr(nans[i]), EXPOSITION_TEXT,
                                  &sink, &err),
                  ERR_OK);
        CHECK(bits == UINT64_C(0x7ff8000000000001));
    }
}
