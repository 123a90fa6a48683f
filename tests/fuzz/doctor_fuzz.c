/* A machine whose files and facts are anything: every check comes to its end,
 * and reads nothing but what it was given. And captures, which are JSON.
 *
 * An input is a list of answers, each behind a line "=== KIND NAME", kinds as
 * in machine_record. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

#include "compat/solve.h"
#include "doctor/frames.h"
#include "doctor/texts.h"
#include "machine/bundle.h"

struct capturing {
    struct arena *arena;
    struct answer *v;
    size_t n, cap;
};

static void take(struct capturing *c, struct str head, struct str text)
{
    const char *name =
        head.n > 2 ? arena_cstr(c->arena, str_slice(head, 2, head.n)) : NULL;
    const char *copy = arena_cstr(c->arena, text);

    if (name && copy && strchr("fldeq", head.p[0]) &&
        arena_grow(c->arena, &c->v, c->n, &c->cap, sizeof(*c->v)))
        c->v[c->n++] = (struct answer){head.p[0], name, FOUND, {copy, text.n}};
}

static void split(struct capturing *c, struct str rest)
{
    static const struct str mark = STR_INIT("=== ");
    struct str head = {NULL, 0};
    const char *from = rest.p;

    while (rest.n) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, mark))
            continue;
        if (head.n)
            take(c, head, (struct str){from, (size_t)(line.p - from)});
        head = str_slice(line, mark.n, line.n);
        from = rest.p ? rest.p : line.p + line.n;
    }
    if (head.n && rest.p)
        take(c, head, (struct str){from, (size_t)(rest.p + rest.n - from)});
}

static void run_checks(struct machine *m)
{
    for (int l = 0; l < LANGUAGES; l++) {
        const struct doctor_options o = {.language = (enum language)l};
        for (size_t i = 0; i < doctor_n_checks; i++) {
            struct buf out;
            buf_init(&out, 16u << 20);
            struct exam x = {.m = m, .options = &o, .out = &out};
            doctor_functions[i](&x);
            struct str rest = buf_str(&out), body;
            char kind;
            while (frame_take(&rest, &kind, &body))
                MUST(strchr("evx", kind));
            MUST(rest.n == 0 || out.failed);
            buf_fini(&out);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine m = {.root = -1};
    struct bundle b, read;
    struct wish w = {.n = 0};

    arena_init(&m.arena, 256u << 20);
    struct capturing c = {.arena = &m.arena};
    struct str text = {(const char *)data, size};
    split(&c, text);
    if (c.n)
        qsort(c.v, c.n, sizeof(*c.v), answer_compare);
    b = (struct bundle){c.v, c.n};
    m.bundle = &b;
    run_checks(&m);
    (void)wish_add_file(&w, &m.arena, text);
    if (bundle_read(text, &m.arena, &read, NULL) == ERR_OK) {
        struct str found;
        for (size_t i = 0; i < read.n; i++)
            (void)bundle_ask(&read, read.v[i].kind, read.v[i].name, &found);
    }
    arena_fini(&m.arena);
    return 0;
}
