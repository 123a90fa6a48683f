/* A machine whose files and facts are anything: every check comes to its end,
 * and reads nothing but what it was given. And captures, which are JSON.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/answers.h"

#include "compat/solve.h"
#include "doctor/frames.h"
#include "doctor/texts.h"

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
    struct str text = {(const char *)data, size};
    struct bundle b, read;
    struct wish w = {.n = 0};
    struct machine m;

    fuzz_machine(text, &b, &m);
    run_checks(&m);
    (void)wish_add_lines(&w, &m.arena, text);
    if (bundle_read(text, &m.arena, &read, NULL) == ERR_OK) {
        struct str found;
        for (size_t i = 0; i < read.n; i++)
            (void)bundle_ask(&read, read.v[i].kind, read.v[i].name, &found);
    }
    arena_fini(&m.arena);
    return 0;
}
