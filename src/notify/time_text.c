#include "notify/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void time_put(struct buf *out, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    if (ms == 0) {
        buf_puts(out, "0001-01-01T00:00:00Z");
        return;
    }
    clock_format(ms * 1000000, text);
    size_t n = strlen(text) - 1; /* without the Z */
    while (text[n - 1] == '0' && text[n - 2] != ':')
        n--;
    if (text[n - 1] == '.')
        n--;
    if (ms % 1000 == 0)
        n = strlen("2026-11-25T12:00:00");
    buf_put(out, (struct str){text, n});
    buf_putc(out, 'Z');
}

void fingerprint_text(uint64_t v, char out[17])
{
    (void)snprintf(out, 17, "%016" PRIx64, v);
}
