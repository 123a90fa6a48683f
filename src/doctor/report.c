#include "doctor/report.h"

#include <string.h>

/* How a verdict looks: mark, colour, word. */
static const struct {
    const char *mark, *colour, *word[LANGUAGES];
} looks[] = {
    [VERDICT_FINE] = {"✓", "\033[32m", {"fine", "正常"}},
    [VERDICT_SKIPPED] = {"-", "", {"skipped", "跳过"}},
    [VERDICT_INFO] = {"i", "\033[36m", {"to know", "提示"}},
    [VERDICT_UNKNOWN] = {"?", "\033[35m", {"unknown", "未知"}},
    [VERDICT_WARNING] = {"!", "\033[33m", {"warnings", "警告"}},
    [VERDICT_HUNG] = {"…", "\033[31m", {"hung", "无响应"}},
    [VERDICT_CRASHED] = {"☠", "\033[31m", {"crashed", "崩溃"}},
    [VERDICT_FAILED] = {"✗", "\033[31m", {"failed", "失败"}},
};

static const char *const seen_word[LANGUAGES] = {"seen: ", "现象："};
static const char *const why_word[LANGUAGES] = {"why:  ", "原因："};
static const char *const fix_word[LANGUAGES] = {"fix:  ", "修复："};

void report_count(const struct results *r, size_t n[VERDICT_FAILED + 1])
{
    memset(n, 0, (VERDICT_FAILED + 1) * sizeof(*n));
    for (size_t i = 0; i < r->n; i++)
        n[r->v[i].verdict]++;
}

/* ---- for people --------------------------------------------------------- */

static void put_mark(const struct report_style *s, enum verdict v,
                     struct buf *out)
{
    if (s->colour)
        buf_printf(out, "%s%s\033[0m", looks[v].colour, looks[v].mark);
    else
        buf_puts(out, looks[v].mark);
}

/* "2 failed, 1 warnings, 18 fine": the worst first. */
static void put_counts(const size_t n[VERDICT_FAILED + 1], enum language l,
                       struct buf *out)
{
    const char *between = "";

    for (int v = VERDICT_FAILED; v >= 0; v--)
        if (n[v]) {
            buf_printf(out, "%s%zu %s", between, n[v], looks[v].word[l]);
            between = l == LANGUAGE_ZH ? "，" : ", ";
        }
}

/* A Chinese character is two places wide. */
static void put_padded(struct buf *out, const char *text, int width)
{
    int places = 0;

    for (const char *p = text; *p; p++)
        if (((unsigned char)*p & 0xc0) != 0x80)
            places += (unsigned char)*p >= 0xe0 ? 2 : 1;
    buf_puts(out, text);
    for (; places < width; places++)
        buf_putc(out, ' ');
}

static void put_lines(struct buf *out, const char *word, const char *text)
{
    struct str rest = str_from_cstr(text);
    bool first = true;

    while (rest.n) {
        struct str line = str_cut(&rest, '\n');
        buf_printf(out, "        %s" STR_FMT "\n", first ? word : "      ",
                   STR_ARG(line));
        first = false;
    }
}

static void put_findings(const struct result *r, const struct report_style *s,
                         struct buf *out)
{
    enum language l = s->language;

    buf_puts(out, "    ");
    put_mark(s, r->verdict, out);
    buf_printf(out, " %s (%s, %s)\n", r->check->title[l], r->check->name,
               r->check->id);
    for (size_t i = 0; i < r->n; i++) {
        buf_printf(out, "        %s\n", r->findings[i].text);
        put_lines(out, fix_word[l], r->findings[i].fix);
    }
    if (*r->evidence)
        put_lines(out, seen_word[l], r->evidence);
    if (r->verdict >= VERDICT_UNKNOWN)
        put_lines(out, why_word[l], r->check->why[l]);
}

/* What is not fine; and what a model needs, which was asked for. */
static bool is_shown(const struct result *r, const struct report_style *s)
{
    return s->all || r->verdict >= VERDICT_INFO ||
           (r->verdict == VERDICT_FINE && r->check->group == DOCTOR_models);
}

static void put_group(const struct results *r, enum doctor_group g,
                      const struct report_style *s, struct buf *out)
{
    size_t n[VERDICT_FAILED + 1] = {0}, all = 0;
    enum verdict worst = VERDICT_SKIPPED;

    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].check->group == g) {
            n[r->v[i].verdict]++;
            all++;
            worst = r->v[i].verdict > worst ? r->v[i].verdict : worst;
        }
    if (!all)
        return;
    put_mark(s, worst, out);
    buf_putc(out, ' ');
    put_padded(out, doctor_group_title(g, s->language), 24);
    put_counts(n, s->language, out);
    buf_putc(out, '\n');
    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].check->group == g && is_shown(&r->v[i], s))
            put_findings(&r->v[i], s, out);
}

void report_text(const struct results *r, const struct report_style *style,
                 struct buf *out)
{
    for (int g = 0; g < DOCTOR_GROUPS; g++)
        put_group(r, (enum doctor_group)g, style, out);
}

/* ---- for programs ------------------------------------------------------- */

static void put_json(const struct result *r, enum language l, struct buf *out)
{
    buf_put_field(out, "{\"id\":", str_from_cstr(r->check->id));
    buf_put_field(out, ",\"name\":", str_from_cstr(r->check->name));
    buf_put_field(
        out, ",\"group\":", str_from_cstr(doctor_group_name(r->check->group)));
    buf_put_field(out, ",\"title\":", str_from_cstr(r->check->title[l]));
    buf_put_field(out,
                  ",\"verdict\":", str_from_cstr(verdict_name(r->verdict)));
    buf_put_field(out, ",\"evidence\":", str_from_cstr(r->evidence));
    buf_put_field(out, ",\"why\":", str_from_cstr(r->check->why[l]));
    buf_puts(out, ",\"findings\":[");
    for (size_t i = 0; i < r->n; i++) {
        buf_put_field(out, i ? ",{\"verdict\":" : "{\"verdict\":",
                      str_from_cstr(verdict_name(r->findings[i].verdict)));
        buf_put_field(out, ",\"text\":", str_from_cstr(r->findings[i].text));
        buf_put_field(out, ",\"fix\":", str_from_cstr(r->findings[i].fix));
        buf_putc(out, '}');
    }
    buf_printf(out, "],\"seconds\":%.6f}", (double)r->us / 1e6);
}

void report_json(const struct results *r, enum language l, struct buf *out)
{
    size_t n[VERDICT_FAILED + 1];

    buf_puts(out, "{\"checks\":[");
    for (size_t i = 0; i < r->n; i++) {
        buf_puts(out, i ? ",\n" : "\n");
        put_json(&r->v[i], l, out);
    }
    buf_puts(out, "\n],\"summary\":{");
    report_count(r, n);
    for (int v = 0; v <= VERDICT_FAILED; v++)
        buf_printf(out, "%s\"%s\":%zu", v ? "," : "",
                   verdict_name((enum verdict)v), n[v]);
    buf_puts(out, "}}\n");
}

static int level(enum verdict v)
{
    return v <= VERDICT_INFO      ? 0
           : v == VERDICT_UNKNOWN ? 1
           : v == VERDICT_WARNING ? 2
                                  : 3;
}

void report_prometheus(const struct results *r, struct buf *out)
{
    size_t n[VERDICT_FAILED + 1];

    buf_puts(out, "# HELP stoker_doctor_check What the doctor found: 0 fine, 1 "
                  "unknown, 2 warning, 3 failed.\n"
                  "# TYPE stoker_doctor_check gauge\n");
    for (size_t i = 0; i < r->n; i++)
        buf_printf(out, "stoker_doctor_check{check=\"%s\",group=\"%s\"} %d\n",
                   r->v[i].check->name, doctor_group_name(r->v[i].check->group),
                   level(r->v[i].verdict));
    buf_puts(out, "# HELP stoker_doctor_checks How many checks ended so.\n"
                  "# TYPE stoker_doctor_checks gauge\n");
    report_count(r, n);
    for (int v = 0; v <= VERDICT_FAILED; v++)
        buf_printf(out, "stoker_doctor_checks{verdict=\"%s\"} %zu\n",
                   verdict_name((enum verdict)v), n[v]);
}

/* ---- two machines ------------------------------------------------------- */

static bool differ(const struct result *a, const struct result *b)
{
    return a->verdict != b->verdict || strcmp(a->evidence, b->evidence) != 0;
}

static void put_side(const struct result *r, char name,
                     const struct report_style *s, struct buf *out)
{
    buf_printf(out, "    %c ", name);
    put_mark(s, r->verdict, out);
    buf_printf(out, " %s%s\n", r->evidence,
               r->n ? (*r->evidence ? ": " : "") : "");
    for (size_t i = 0; i < r->n; i++)
        buf_printf(out, "        %s\n", r->findings[i].text);
}

/* Both were made by one table: the same check has the same place. */
size_t report_difference(const struct results *a, const struct results *b,
                         const struct report_style *style, struct buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n && i < b->n; i++) {
        if (!differ(&a->v[i], &b->v[i]))
            continue;
        n++;
        buf_printf(out, "%s (%s, %s)\n", a->v[i].check->title[style->language],
                   a->v[i].check->name, a->v[i].check->id);
        put_side(&a->v[i], 'A', style, out);
        put_side(&b->v[i], 'B', style, out);
    }
    return n;
}

static void put_side_json(const struct result *r, const char *before,
                          struct buf *out)
{
    buf_printf(out, "%s{\"verdict\":\"%s\"", before, verdict_name(r->verdict));
    buf_put_field(out, ",\"evidence\":", str_from_cstr(r->evidence));
    buf_putc(out, '}');
}

size_t report_difference_json(const struct results *a, const struct results *b,
                              struct buf *out)
{
    size_t n = 0;

    buf_putc(out, '[');
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        if (!differ(&a->v[i], &b->v[i]))
            continue;
        buf_printf(out, "%s{\"id\":\"%s\",\"name\":\"%s\"", n ? ",\n" : "\n",
                   a->v[i].check->id, a->v[i].check->name);
        put_side_json(&a->v[i], ",\"a\":", out);
        put_side_json(&b->v[i], ",\"b\":", out);
        buf_putc(out, '}');
        n++;
    }
    buf_puts(out, "\n]\n");
    return n;
}
