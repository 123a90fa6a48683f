#include "cli/cell.h"

#include <stdlib.h>

static int places(struct str text)
{
    int used = 0;

    for (size_t i = 0; i < text.n; i++)
        used += ((unsigned char)text.p[i] & 0xc0) == 0xc0   ? 2
                : ((unsigned char)text.p[i] & 0xc0) == 0x80 ? 0
                                                            : 1;
    return used;
}

void cell(FILE *out, struct str text, int width)
{
    int used = places(text), room = abs(width);
    int pad = used < room ? room - used : 0;

    fprintf(out, "%*s" STR_FMT "%*s", width < 0 ? pad : 0, "", STR_ARG(text),
            width < 0 ? 2 : pad + 2, "");
}
