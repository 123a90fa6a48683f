/* Tables that somebody wrote, and what is asked of them: each behind a line
 * "=== NAME" of a table, or "=== requirements". Whatever they hold, an answer
 * comes, and one that is given has no misfit.
 */
#include "fuzz/fuzz.h"

#include "compat/marker.h"
#include "compat/solve.h"

enum { SIZE_MAX_BYTES = 4096 };

static struct tables built_in(struct arena *a)
{
    struct tables t;

    (void)setenv("STOKER_COMPAT", "/nowhere", 1);
    MUST(compat_open(a, &t, NULL) == ERR_OK);
    return t;
}

/* True when the tables are whole. */
static bool take(struct tables *t, struct wish *w, struct arena *a,
                 struct str name, struct str text)
{
    if (str_eq(name, STR("requirements")))
        (void)wish_add_lines(w, a, text);
    for (int i = 0; i < TABLE_COUNT; i++) {
        struct table fresh = {.name = t->v[i].name};
        if (!str_eq(name, str_from_cstr(fresh.name)))
            continue;
        if (compat_parse(text, a, &fresh, NULL) != ERR_OK)
            return false;
        (void)compat_age_days(&fresh, 1800000000);
        t->v[i] = fresh;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct wish w = {.n = 0};
    struct solution s;
    bool whole = true;

    if (size > SIZE_MAX_BYTES)
        return 0;
    arena_init(&a, 64u << 20);
    struct str rest = fuzz_padded(&a, data, size);
    struct tables t = built_in(&a);
    struct judgement j = {
        .tables = &t, .language = LANGUAGE_ZH, .today = "2026-11", .arena = &a};
    while (rest.n && whole) {
        static const char mark[] = "\n=== ";
        const char *next = memmem(rest.p, rest.n, mark, sizeof(mark) - 1);
        struct str text =
            str_slice(rest, 0, next ? (size_t)(next - rest.p) + 1 : rest.n);
        rest = str_slice(rest, text.n, rest.n);
        struct str head = str_cut(&text, '\n');
        whole = take(&t, &w, &a,
                     str_slice(head, head.n < 4 ? head.n : 4, head.n), text);
    }
    w.torch = w.torch || (!w.tensorflow && !w.onnxruntime);
    w.given.capability = gpu_capability(&t, STR("NVIDIA H100 80GB HBM3"));
    if (whole && solve(&j, &w, &s))
        MUST(judged(&j) != FIT_NO);
    arena_fini(&a);
    return 0;
}
