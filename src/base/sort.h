/* sort.h - sorting in place without memory and without system calls, for
 * processes that may do nothing else: the C library's qsort() asks the system
 * how much memory there is.
 *
 * Heap sort: n log n whatever the input; not stable. */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stddef.h>

/* Order numbers, rising; also for bsearch(). */
int sort_u32(const void *a, const void *b);
int sort_u64(const void *a, const void *b);

/* The same for pointers to texts, by their bytes. */
int sort_texts(const void *a, const void *b);

/* As qsort(). */
void sort_items(void *items, size_t n, size_t size,
                int (*compare)(const void *a, const void *b));

#endif
