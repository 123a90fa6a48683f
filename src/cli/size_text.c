#include "cli/size_text.h"

#include <stdio.h>

#include "base/compiler.h"

const char *size_text(int64_t bytes, char out[SIZE_TEXT_MAX])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double v = (double)bytes;
    size_t i = 0;

    while (v >= 1000 && i + 1 < COUNT(units)) {
        v /= 1000;
        i++;
    }
    (void)snprintf(out, SIZE_TEXT_MAX, "%.*f %s", i ? 1 : 0, v, units[i]);
    return out;
}
