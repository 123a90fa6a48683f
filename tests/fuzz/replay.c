/* replay.c - a main() for fuzz targets without libFuzzer: every corpus file,
 * and for each a few thousand damaged copies, always the same ones. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef DAMAGED
#define DAMAGED 300 /* copies of each file; fewer where one takes long */
#endif

enum { MAX = 1 << 20 };

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* In memory of its exact size, so that reading past it is caught. */
static void try(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);

    if (!copy)
        abort();
    memcpy(copy, data, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static void damage(const uint8_t *data, size_t n, uint64_t *seed)
{
    static uint8_t copy[MAX];
    static const char spice[] = "[]{},:\"\\0123456789.eE+-\r\n \x00\x80\xff";

    memcpy(copy, data, n);
    for (uint64_t k = next(seed) % 4 + 1; k && n; k--) {
        size_t at = next(seed) % n;
        switch (next(seed) % 4) {
        case 0:
            copy[at] = (uint8_t)spice[next(seed) % (sizeof(spice) - 1)];
            break;
        case 1:
            copy[at] ^= (uint8_t)(1U << next(seed) % 8);
            break;
        case 2:
            n = at;
            break;
        default:
            memmove(copy + at, copy + at / 2, n - at);
        }
    }
    try(copy, n);
}

int main(int argc, char **argv)
{
    static uint8_t data[MAX];
    uint64_t seed = 88172645463325252;
    struct dirent *d;
    DIR *dir = argc > 1 ? opendir(argv[1]) : NULL;
    int files = 0;

    if (!dir) {
        fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
        return 2;
    }
    while ((d = readdir(dir))) {
        char path[4096];
        if (d->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], d->d_name);
        FILE *f = fopen(path, "rb");
        if (!f)
            return 2;
        size_t n = fread(data, 1, sizeof(data), f);
        fclose(f);
        try(data, n);
        for (int i = 0; i < DAMAGED; i++)
            damage(data, n, &seed);
        files++;
    }
    closedir(dir);
    printf("%s: %d files, %d inputs\n", argv[0], files, files * (DAMAGED + 1));
    return files ? 0 : 2;
}
