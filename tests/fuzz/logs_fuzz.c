/* Lines of logs, and what an Elasticsearch answers: whatever they are, nothing
 * but themselves is read, and the document made of a line is JSON. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

#include "codec/json_tree.h"
#include "codec/number.h"
#include "logs/line.h"
#include "logs/ship_internal.h"

static void check_json(struct str lines)
{
    while (lines.n) {
        struct arena a;
        arena_init(&a, 16u << 20);
        struct str line = str_cut(&lines, '\n');
        MUST(line.n == 0 || json_tree_copy(line, &a, NULL));
        arena_fini(&a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct line_filter filters[] = {
        {.least = LOG_WARN},
        {.model = STR_INIT("m")},
        {.request_id = STR_INIT("1"), .contains = STR_INIT("a")},
    };
    size_t n = size < LINE_BYTES_MAX ? size : (size_t)LINE_BYTES_MAX;
    char *text = malloc(n + NUMBER_PAD);
    struct ship_line lines[2];
    struct ship_batch b = {
        .v = lines, .n = 2, .queue = "00000000", .host = "h\"ost"};
    struct err why;
    struct buf body;
    uint64_t failed = 0;

    if (!text)
        return 0;
    memcpy(text, data, n);
    memset(text + n, 0, NUMBER_PAD);
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\n')
            text[i] = ' '; /* a line has none */
    for (size_t i = 0; i < COUNT(filters); i++)
        (void)line_matches((struct str){text, n}, &filters[i]);
    lines[0] = lines[1] = (struct ship_line){{text, n}, 7};
    buf_init(&body, 1u << 20);
    receiver_elasticsearch.put(&b, &body);
    check_json(buf_str(&body));
    buf_clear(&body);
    receiver_loki.put(&b, &body);
    check_json(buf_str(&body));
    receiver_elasticsearch.judge(&b, (struct str){text, n}, &failed, &why);
    MUST(b.n + failed <= 2);
    buf_fini(&body);
    free(text);
    return 0;
}
