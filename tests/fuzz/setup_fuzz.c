/* A machine whose files are anything, and every target: a plan or a refusal,
 * and a second plan that says the same. Files that others wrote, too: whatever
 * they hold, an edit keeps it, and a second edit changes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/answers.h"

#include "setup/edit.h"
#include "setup/host.h"
#include "setup/show.h"

static void plan_all(struct machine *m, struct host *h)
{
    struct setup_options o = {.root = h->path,
                              .hostname = "h",
                              .address = "10.0.0.5/24",
                              .interface = "e",
                              .allow = "10.0.0.0/8,fd00::/8",
                              .ports = "8000,8001",
                              .source = "UUID=1",
                              .mount = "/data",
                              .user = "ada",
                              .pod_network = "10.1.0.0/16",
                              .kubernetes = "v1.34"};

    for (int t = 0; t < SETUP_TARGETS; t++) {
        struct buf said[2];
        o.targets[t] = true;
        for (int i = 0; i < 2; i++) {
            struct arena a;
            struct plan p;
            arena_init(&a, 256u << 20);
            buf_init(&said[i], 64u << 20);
            if (!setup_plan(&o, m, h, NULL, &a, &p, NULL)) {
                const struct show_style style = {LANGUAGE_ZH, true};
                show_plan_json(&p, &said[i]);
                show_plan(&p, &style, &said[i]);
                buf_puts(&said[i], p.refused ? p.refused : "");
            }
            arena_fini(&a);
        }
        MUST(str_eq(buf_str(&said[0]), buf_str(&said[1])));
        buf_fini(&said[0]);
        buf_fini(&said[1]);
        o.targets[t] = false;
    }
}

static void edit_all(struct str text)
{
    static const char wanted[] = "{\"a\":{\"b\":[1,\"x\"]},\"c\":2}";
    struct setup_options o = {.root = "/"};
    struct str once, twice;
    struct arena a;

    arena_init(&a, 256u << 20);
    struct plan p = {.arena = &a, .options = &o};
    if (edit_json(text, wanted, &a, &once, NULL) == ERR_OK) {
        MUST(edit_json(once, wanted, &a, &twice, NULL) == ERR_OK);
        MUST(str_eq(once, twice));
    }
    once = edit_line(&p, text, 1, "/m", "x /m ext4");
    twice = edit_line(&p, once, 1, "/m", "x /m ext4");
    MUST(p.failed || str_eq(once, twice));
    once = edit_comment(&p, text, 2, "swap", "# ");
    twice = edit_comment(&p, once, 2, "swap", "# ");
    MUST(p.failed || str_eq(once, twice));
    once = edit_block(&p, text, "n", "1\n");
    twice = edit_block(&p, once, "n", "1\n");
    MUST(p.failed || str_eq(once, twice));
    arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct machine m;
    struct bundle b;
    char tree[] = "/tmp/stoker-fuzz-XXXXXX";
    struct host h;

    /* nothing is in it, and nothing can be run there */
    MUST(mkdtemp(tree) && host_open(tree, NULL, &h, NULL) == ERR_OK);
    MUST(rmdir(tree) == 0);
    fuzz_machine(text, &b, &m);
    plan_all(&m, &h);
    edit_all(text);
    arena_fini(&m.arena);
    host_close(&h);
    return 0;
}
