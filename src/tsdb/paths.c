#include "tsdb/paths.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

char *disk_path(const char *dir, const char *kind, uint32_t number)
{
    char *path;

    return asprintf(&path, "%s/%s-%08u", dir, kind, number) < 0 ? NULL : path;
}

uint32_t disk_number(const char *name, const char *kind)
{
    size_t n = strlen(kind);
    uint64_t number;

    if (strncmp(name, kind, n) != 0 || name[n] != '-' ||
        !str_to_u64(str_from_cstr(name + n + 1), &number) ||
        number >= UINT32_MAX)
        return 0;
    return (uint32_t)number;
}
