#include "base/sort.h"

#include <stdint.h>
#include <string.h>

int sort_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

int sort_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void swap(char *a, char *b, size_t size)
{
    char room[256];

    while (size) {
        size_t n = size < sizeof(room) ? size : sizeof(room);
        memcpy(room, a, n);
        memcpy(a, b, n);
        memcpy(b, room, n);
        a += n;
        b += n;
        size -= n;
    }
}

/* Lets the item at `at` sink below its larger children. */
static void sink(char *items, size_t n, size_t size, size_t at,
                 int (*compare)(const void *, const void *))
{
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= n)
            return;
        if (child + 1 < n &&
            compare(items + child * size, items + (child + 1) * size) < 0)
            child++;
        if (compare(items + at * size, items + child * size) >= 0)
            return;
        swap(items + at * size, items + child * size, size);
        at = child;
    }
}

void sort_items(void *items, size_t n, size_t size,
                int (*compare)(const void *a, const void *b))
{
    char *p = items;

    for (size_t i = n / 2; i-- > 0;)
        sink(p, n, size, i, compare);
    for (size_t left = n; left > 1; left--) {
        swap(p, p + (left - 1) * size, size);
        sink(p, left - 1, size, 0, compare);
    }
}

int sort_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}
