#include "codec/exposition.h"

#include <string.h>

#include "base/utf8.h"
#include "codec/exposition_internal.h"

/* ---- labels ----------------------------------------------------------------
 */

struct labels {
    struct exposition_label list[EXPOSITION_MAX_LABELS];
    size_t n;
};

static bool add_label(struct exposition_reader *r, struct labels *l,
                      struct str key, struct str value)
{
    if (l->n == EXPOSITION_MAX_LABELS)
        return expo_too_much(r, "a sample has too many labels");
    l->list[l->n++] = (struct exposition_label){key, value};
    return true;
}

/* name="value", or a quoted name of the metric: {"http.requests", ...}. */
static bool label(struct exposition_reader *r, struct labels *l,
                  struct str *metric)
{
    struct str key, value;
    bool in_quotes = expo_peek(r) == '"';

    if (in_quotes) {
        r->p++;
        if (!expo_quoted(r, &key))
            return false;
        if (key.n == 0)
            return expo_fail(r, "a name is empty");
    } else if (!expo_name(r, false, &key)) {
        return false;
    }
    expo_skip_optional(r);
    if (in_quotes && metric && metric->n == 0 && expo_peek(r) != '=') {
        *metric = key;
        return true;
    }
    if (expo_peek(r) != '=')
        return expo_fail(r, "expected '=' behind the name of a label");
    if (str_eq(key, STR("__name__")))
        return expo_fail(r, "the label \"__name__\" is the metric's name");
    r->p++;
    expo_skip_optional(r);
    if (expo_peek(r) != '"')
        return expo_fail(r, "the value of a label must be in quotes");
    r->p++;
    return expo_quoted(r, &value) && add_label(r, l, key, value);
}

/* Behind the opening brace; metric: where a quoted name may go. */
static bool braces(struct exposition_reader *r, struct labels *l,
                   struct str *metric)
{
    for (;;) {
        expo_skip_optional(r);
        if (expo_peek(r) == '}')
            break;
        if (!label(r, l, metric))
            return false;
        expo_skip_optional(r);
        if (expo_peek(r) == '}')
            break;
        if (expo_peek(r) != ',')
            return expo_fail(r, "expected ',' or '}' between labels");
        r->p++;
    }
    r->p++;
    return true;
}

/* By name; each once. Insertion: there are few, and mostly in order. */
static bool sort_labels(struct exposition_reader *r, struct labels *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct exposition_label x = l->list[i];
        size_t k = n;
        while (k > 0 && str_compare(l->list[k - 1].name, x.name) > 0) {
            l->list[k] = l->list[k - 1];
            k--;
        }
        if (k > 0 && str_eq(l->list[k - 1].name, x.name))
            return expo_fail(r, "a label stands twice");
        l->list[k] = x;
        n++;
    }
    n = 0;
    for (size_t i = 0; i < l->n; i++)
        if (l->list[i].value.n) /* an empty value is no label */
            l->list[n++] = l->list[i];
    l->n = n;
    return true;
}

/* ---- samples ---------------------------------------------------------------
 */

/* " # {trace_id="x"} 0.67 1520879607.789" */
static bool exemplar(struct exposition_reader *r, struct labels *l,
                     struct exposition_exemplar *out)
{
    struct str word;

    r->p++;
    if (!expo_skip_blanks(r) || expo_peek(r) != '{')
        return expo_fail(r, "expected the labels of an exemplar");
    r->p++;
    if (!braces(r, l, NULL))
        return false;
    *out = (struct exposition_exemplar){.labels = l->list, .n = l->n};
    if (!expo_skip_blanks(r) || !expo_number(r, &out->value, &word))
        return expo_fail(r, "expected the value of an exemplar");
    if (expo_at_end_of_line(r))
        return true;
    out->has_time = true;
    return expo_skip_blanks(r) && expo_time(r, &out->time);
}

static bool behind_value(struct exposition_reader *r,
                         struct exposition_sample *s, struct labels *l,
                         struct exposition_exemplar *e)
{
    bool blanks = expo_skip_blanks(r);

    if (blanks && !expo_at_end_of_line(r) && expo_peek(r) != '#') {
        s->has_time = true;
        if (!expo_time(r, &s->time))
            return false;
        blanks = expo_skip_blanks(r);
    }
    if (r->om && blanks && expo_peek(r) == '#') {
        if (!exemplar(r, l, e))
            return false;
        s->exemplar = e;
        blanks = false;
    }
    if (!expo_at_end_of_line(r) || (r->om && blanks))
        return expo_fail(r, "expected the end of the line");
    return true;
}

static bool sample(struct exposition_reader *r)
{
    struct exposition_sample s = {.name = {"", 0}};
    struct exposition_exemplar e;
    struct labels l, of_exemplar;
    struct str word;

    l.n = of_exemplar.n = 0;
    if (expo_peek(r) != '{' && !expo_name(r, true, &s.name))
        return false;
    bool blanks = expo_skip_blanks(r);
    if (expo_peek(r) == '{' && !(r->om && blanks)) {
        r->p++;
        if (!braces(r, &l, &s.name))
            return false;
        blanks = expo_skip_blanks(r);
        if (s.name.n == 0)
            return expo_fail(r, "the sample has no name");
    }
    if (!blanks && r->om)
        return expo_fail(r, "expected a space before the value");
    if (!sort_labels(r, &l) || !expo_number(r, &s.value, &word) ||
        !behind_value(r, &s, &of_exemplar, &e))
        return false;
    s.labels = l.list;
    s.n = l.n;
    if (!r->sink->sample(r->sink->ctx, &s))
        r->rc = err_set(r->err, ERR_CANCELED, "the reading was ended");
    return !r->rc;
}

/* ---- metadata --------------------------------------------------------------
 */

static struct str rest_of_line(struct exposition_reader *r)
{
    const char *from = r->p;
    const char *stop = memchr(from, '\n', (size_t)(r->end - from));

    r->p = stop ? stop : r->end;
    return (struct str){from, (size_t)(r->p - from)};
}

bool exposition_is_type(struct str word, enum exposition_format format)
{
    static const struct {
        const char *word;
        bool text, om;
    } types[] = {{"counter", true, true},       {"gauge", true, true},
                 {"histogram", true, true},     {"summary", true, true},
                 {"untyped", true, false},      {"unknown", true, true},
                 {"info", false, true},         {"stateset", false, true},
                 {"gaugehistogram", true, true}};

    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq(word, str_from_cstr(types[i].word)))
            return format == EXPOSITION_TEXT ? types[i].text : types[i].om;
    return false;
}

static bool family_name(struct exposition_reader *r, struct str *out)
{
    if (expo_peek(r) != '"')
        return expo_name(r, true, out);
    r->p++;
    return expo_quoted(r, out);
}

static bool tell(struct exposition_reader *r, enum exposition_about what,
                 struct str family, struct str text)
{
    if (r->sink->about && !r->sink->about(r->sink->ctx, what, family, text))
        r->rc = err_set(r->err, ERR_CANCELED, "the reading was ended");
    return !r->rc;
}

/* Behind "# HELP", "# TYPE" or "# UNIT". */
static bool about(struct exposition_reader *r, enum exposition_about what)
{
    struct str family, text;

    if (!expo_skip_blanks(r) || !family_name(r, &family))
        return expo_fail(r, "expected the name of a metric");
    if (!expo_at_end_of_line(r) && !expo_skip_blanks(r))
        return expo_fail(r, "expected a space behind the name");
    const char *from = r->p;
    text = rest_of_line(r);
    if (what == ABOUT_TYPE) {
        text = r->om ? text : str_trim(text);
        if (!exposition_is_type(text, r->om ? EXPOSITION_OPENMETRICS
                                            : EXPOSITION_TEXT)) {
            r->p = from;
            return expo_fail(r, "this type of metric is not known");
        }
    }
    if (!utf8_valid(text))
        return expo_fail(r, "the text is not UTF-8");
    if (what == ABOUT_HELP && memchr(text.p, '\\', text.n) &&
        !expo_unescaped(r, text, &text))
        return false;
    return tell(r, what, family, text);
}

static bool word_is(struct exposition_reader *r, const char *word)
{
    size_t n = strlen(word);
    bool is = (size_t)(r->end - r->p) >= n && memcmp(r->p, word, n) == 0;
    bool ends = r->p + n >= r->end || r->p[n] == '\n';

    /* In plain text, "# TYPE" with nothing behind it is some comment. */
    is = is && (ends ? r->om : expo_is_space(r->p[n]));

    r->p += is ? n : 0;
    return is;
}

/* A line that begins with '#'. *eof: it was OpenMetrics' last. */
static bool comment(struct exposition_reader *r, bool *eof)
{
    const char *from = r->p++;
    bool blanks = expo_skip_blanks(r);

    if (r->om && blanks && word_is(r, "EOF")) {
        *eof = true;
        return expo_at_end_of_line(r) ||
               expo_fail(r, "expected the end of the line");
    }
    if (blanks && word_is(r, "HELP"))
        return about(r, ABOUT_HELP);
    if (blanks && word_is(r, "TYPE"))
        return about(r, ABOUT_TYPE);
    if (r->om && blanks && word_is(r, "UNIT"))
        return about(r, ABOUT_UNIT);
    if (r->om) {
        r->p = from;
        return expo_fail(r, "expected # HELP, # TYPE, # UNIT or # EOF");
    }
    (void)rest_of_line(r);
    return true;
}

/* ---- the text --------------------------------------------------------------
 */

static bool line(struct exposition_reader *r, bool *eof)
{
    expo_skip_optional(r);
    if (expo_at_end_of_line(r))
        return !r->om || expo_fail(r, "an empty line");
    return expo_peek(r) == '#' ? comment(r, eof) : sample(r);
}

enum errc exposition_read(struct str text, enum exposition_format format,
                          const struct exposition_sink *sink, struct err *err)
{
    struct exposition_reader r = {.text = text,
                                  .p = text.p,
                                  .end = text.p + text.n,
                                  .om = format == EXPOSITION_OPENMETRICS,
                                  .sink = sink,
                                  .err = err};
    bool eof = false;

    arena_init(&r.line, EXPOSITION_MAX_ESCAPED);
    while (r.p < r.end && !eof && line(&r, &eof)) {
        r.p += r.p < r.end; /* the newline */
        arena_reset(&r.line);
    }
    if (!r.rc && r.om && !eof)
        (void)expo_fail(&r, "the text does not end in # EOF");
    if (!r.rc && eof && r.p < r.end)
        (void)expo_fail(&r, "there is text behind # EOF");
    arena_fini(&r.line);
    return r.rc;
}
