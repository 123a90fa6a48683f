/* What is read keeps its promises (labels by name, each once, none empty), and
 * written down it is read as the same again. */
#include <math.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "codec/exposition.h"
#include "fuzz/fuzz.h"

static void put_quoted(struct buf *b, struct str s)
{
    buf_putc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' || c == '\\' || c == '\n')
            buf_putc(b, '\\');
        buf_putc(b, c == '\n' ? 'n' : c);
    }
    buf_putc(b, '"');
}

static bool write_down(void *ctx, const struct exposition_sample *s)
{
    struct buf *b = ctx;

    MUST(s->name.n > 0 && utf8_valid(s->name));
    buf_putc(b, '{');
    put_quoted(b, s->name);
    for (size_t i = 0; i < s->n; i++) {
        MUST(s->labels[i].name.n && s->labels[i].value.n);
        MUST(utf8_valid(s->labels[i].value));
        MUST(i == 0 ||
             str_compare(s->labels[i - 1].name, s->labels[i].name) < 0);
        buf_putc(b, ',');
        put_quoted(b, s->labels[i].name);
        buf_putc(b, '=');
        put_quoted(b, s->labels[i].value);
    }
    buf_printf(b, "} %.17g", s->value);
    if (s->has_time)
        buf_printf(b, " %lld", (long long)s->time);
    buf_putc(b, '\n');
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once, twice;
    struct exposition_sink sink = {&once, write_down, NULL};
    struct err err;

    if (size < 1)
        return 0;
    enum exposition_format format =
        data[0] & 1 ? EXPOSITION_OPENMETRICS : EXPOSITION_TEXT;
    /* Exactly as long as the input: a byte read behind it is seen. */
    char *text = malloc(size);
    MUST(text);
    memcpy(text, data + 1, size - 1);
    buf_init(&once, 8 << 20);
    buf_init(&twice, 8 << 20);
    if (!exposition_read((struct str){text, size - 1}, format, &sink, &err) &&
        once.n && !once.failed) {
        sink.ctx = &twice;
        MUST(!exposition_read(buf_str(&once), EXPOSITION_TEXT, &sink, &err));
        MUST(once.n == twice.n && memcmp(once.p, twice.p, once.n) == 0);
    }
    buf_fini(&once);
    buf_fini(&twice);
    free(text);
    return 0;
}
