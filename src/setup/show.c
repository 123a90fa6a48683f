#include "setup/show.h"

#include <stdio.h>
#include <string.h>

#include "setup/step.h"

enum { AROUND = 3, LINES_MAX = 400 };

/* ---- differences ----------------------------------------------------- */

struct lines {
    struct str v[LINES_MAX];
    size_t n;
    bool all; /* they fitted */
};

static void cut_lines(struct str text, struct lines *out)
{
    out->n = 0;
    while (text.n && out->n < LINES_MAX)
        out->v[out->n++] = str_cut(&text, '\n');
    out->all = text.n == 0;
}

static void put_line(struct buf *out, char mark, struct str line, bool colour)
{
    const char *start = !colour       ? ""
                        : mark == '+' ? "\033[32m"
                        : mark == '-' ? "\033[31m"
                                      : "";

    buf_printf(out, "      %s%c", start, mark);
    for (size_t i = 0; i < line.n; i++) /* nothing that moves the cursor */
        buf_putc(out, (unsigned char)line.p[i] < ' ' && line.p[i] != '\t'
                          ? '?'
                          : line.p[i]);
    buf_puts(out, *start ? "\033[0m\n" : "\n");
}

void show_difference(struct str before, struct str after, bool colour,
                     struct buf *out)
{
    struct lines a, b;
    size_t head = 0, tail = 0;

    cut_lines(before, &a);
    cut_lines(after, &b);
    if (!a.all || !b.all) {
        buf_printf(out, "      (%zu -> %zu bytes)\n", before.n, after.n);
        return;
    }
    while (head < a.n && head < b.n && str_eq(a.v[head], b.v[head]))
        head++;
    while (tail < a.n - head && tail < b.n - head &&
           str_eq(a.v[a.n - 1 - tail], b.v[b.n - 1 - tail]))
        tail++;
    size_t from = head > AROUND ? head - AROUND : 0;
    size_t to = tail > AROUND ? a.n - tail + AROUND : a.n;
    for (size_t i = from; i < head; i++)
        put_line(out, ' ', a.v[i], colour);
    for (size_t i = head; i < a.n - tail; i++)
        put_line(out, '-', a.v[i], colour);
    for (size_t i = head; i < b.n - tail; i++)
        put_line(out, '+', b.v[i], colour);
    for (size_t i = a.n - tail; i < to; i++)
        put_line(out, ' ', a.v[i], colour);
}

/* ---- for people ------------------------------------------------------ */

static bool is_text(struct str s)
{
    return !memchr(s.p ? s.p : "", '\0', s.n);
}

static void show_put(const struct step *s, const struct show_style *style,
                     struct buf *out)
{
    bool text = is_text(s->before.text) && is_text(s->after.text);

    if (s->after.kind == NODE_DIRECTORY)
        return; /* the title names it */
    buf_printf(out, "      %s\n", s->path);
    if (s->after.kind == NODE_LINK)
        buf_printf(out, "      -> " STR_FMT "\n", STR_ARG(s->after.text));
    else if (!text)
        buf_printf(out, "      (%zu -> %zu bytes)\n", s->before.text.n,
                   s->after.text.n);
    else
        show_difference(s->before.kind == NODE_FILE ? s->before.text : STR(""),
                        s->after.text, style->colour, out);
    if (s->before.kind == NODE_FILE && s->after.kind == NODE_FILE &&
        s->before.mode != s->after.mode)
        buf_printf(out, "      mode %04o -> %04o\n", s->before.mode,
                   s->after.mode);
}

static void show_step(const struct step *s, const struct show_style *style,
                      struct buf *out)
{
    const char *mark = s->kind == STEP_NOTE ? "!" : s->already ? "=" : "+";
    const char *colour = s->kind == STEP_NOTE ? "\033[33m"
                         : s->already         ? "\033[2m"
                                              : "\033[32m";

    buf_printf(out, "  %s%s %s%s\n", style->colour ? colour : "", mark,
               s->title, style->colour ? "\033[0m" : "");
    if (s->already)
        return;
    if (s->kind == STEP_PUT)
        show_put(s, style, out);
    else if (s->kind == STEP_PACKAGES)
        buf_printf(out, "      %s\n", s->missing);
    else
        buf_printf(out, "      $ %s\n", s->does);
}

void show_plan(const struct plan *p, const struct show_style *s,
               struct buf *out)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct target_facts *t = &setup_targets[p->v[i].target];
        if (i == 0 || p->v[i].target != p->v[i - 1].target)
            buf_printf(out, "%s%s%s  %s\n", s->colour ? "\033[1m" : "", t->name,
                       s->colour ? "\033[0m" : "", t->title[s->language]);
        show_step(&p->v[i], s, out);
    }
}

/* ---- for programs ---------------------------------------------------- */

static void put_node_json(struct buf *out, const char *key,
                          const struct node *n)
{
    static const char *const kinds[] = {"absent", "file", "directory", "link",
                                        "other"};

    buf_printf(out, ",\"%s\":{\"kind\":\"%s\"", key, kinds[n->kind]);
    if (n->kind != NODE_ABSENT)
        buf_printf(out, ",\"mode\":\"%04o\",\"uid\":%u,\"gid\":%u", n->mode,
                   n->uid, n->gid);
    if (n->kind == NODE_FILE)
        buf_put_field(out, ",\"text\":", n->text);
    if (n->kind == NODE_LINK)
        buf_put_field(out, ",\"to\":", n->text);
    buf_puts(out, "}");
}

static void put_step_json(struct buf *out, const struct step *s)
{
    static const char *const kinds[] = {"put", "packages", "run", "refresh",
                                        "note"};

    buf_printf(out, "{\"target\":\"%s\",\"kind\":\"%s\"",
               setup_targets[s->target].name, kinds[s->kind]);
    buf_put_field(out, ",\"title\":", str_from_cstr(s->title));
    buf_printf(out, ",\"already\":%s", s->already ? "true" : "false");
    if (s->kind == STEP_PUT) {
        buf_put_field(out, ",\"path\":", str_from_cstr(s->path));
        put_node_json(out, "before", &s->before);
        put_node_json(out, "after", &s->after);
    } else if (s->kind == STEP_PACKAGES) {
        buf_put_field(out, ",\"packages\":", str_from_cstr(s->names));
        buf_put_field(out, ",\"missing\":", str_from_cstr(s->missing));
    } else if (s->kind != STEP_NOTE) {
        buf_put_field(out, ",\"does\":", str_from_cstr(s->does));
        buf_put_field(out, ",\"undo\":", str_from_cstr(s->undo));
    }
    buf_puts(out, "}");
}

void show_plan_json(const struct plan *p, struct buf *out)
{
    buf_puts(out, "[");
    for (size_t i = 0; i < p->n; i++) {
        buf_puts(out, i ? ",\n " : "");
        put_step_json(out, &p->v[i]);
    }
    buf_puts(out, "]\n");
}
