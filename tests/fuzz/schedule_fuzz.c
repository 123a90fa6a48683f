/* Times that somebody wrote: what is taken comes again, or never does. */
#include "fuzz/fuzz.h"

#include "schedule/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct when w;

    if (when_parse(text, &w, NULL) != ERR_OK)
        return 0;
    int64_t after = 1796042096, next = when_next(&w, after);
    MUST(next == -1 || (next > after && next % 60 == 0));
    return 0;
}
