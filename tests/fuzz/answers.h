/* answers.h - a machine out of a fuzzer's bytes: a list of answers, each behind
 * a line "=== KIND NAME", kinds as in machine_record. */
#ifndef FUZZ_ANSWERS_H
#define FUZZ_ANSWERS_H

#include "fuzz/fuzz.h"

#include "machine/bundle.h"

struct capturing {
    struct arena *arena;
    struct answer *v;
    size_t n, cap;
};

static inline void fuzz_take(struct capturing *c, struct str head,
                             struct str text)
{
    const char *name =
        head.n > 2 ? arena_cstr(c->arena, str_slice(head, 2, head.n)) : NULL;
    const char *copy = arena_cstr(c->arena, text);

    if (name && copy && strchr("fldeq", head.p[0]) &&
        arena_grow(c->arena, &c->v, c->n, &c->cap, sizeof(*c->v)))
        c->v[c->n++] = (struct answer){head.p[0], name, FOUND, {copy, text.n}};
}

static inline void fuzz_split(struct capturing *c, struct str rest)
{
    static const struct str mark = STR_INIT("=== ");
    struct str head = {NULL, 0};
    const char *from = rest.p;

    while (rest.n) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, mark))
            continue;
        if (head.n)
            fuzz_take(c, head, (struct str){from, (size_t)(line.p - from)});
        head = str_slice(line, mark.n, line.n);
        from = rest.p ? rest.p : line.p + line.n;
    }
    if (head.n && rest.p)
        fuzz_take(c, head,
                  (struct str){from, (size_t)(rest.p + rest.n - from)});
}

/* All of it lives in the machine's arena, which the caller frees. */
static inline void fuzz_machine(struct str text, struct bundle *b,
                                struct machine *out)
{
    *out = (struct machine){.root = -1, .bundle = b};
    arena_init(&out->arena, 256u << 20);
    struct capturing c = {.arena = &out->arena};
    fuzz_split(&c, text);
    if (c.n)
        qsort(c.v, c.n, sizeof(*c.v), answer_compare);
    *b = (struct bundle){c.v, c.n};
}

#endif
