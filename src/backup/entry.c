#include "backup/entry.h"

#include <string.h>

int entry_compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;

    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
        if (x == y)
            continue;
        if (x == '/' || y == '/')
            return x == '/' ? -1 : 1;
        return x < y ? -1 : 1;
    }
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

bool entry_beneath(struct str path, struct str directory)
{
    return path.n > directory.n && path.p[directory.n] == '/' &&
           memcmp(path.p, directory.p, directory.n) == 0;
}
