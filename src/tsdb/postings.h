/* postings.h - which series have a label with a value: lists of series numbers.
 *
 * Lists rise, because series are numbered in the order they come. Not thread
 * safe. */
#ifndef TSDB_POSTINGS_H
#define TSDB_POSTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct posting_list {
    uint64_t key; /* name << 32 | value */
    uint32_t *v;  /* NULL while n <= 1: it is `only` */
    uint32_t n, cap;
    uint32_t only;
};

struct value_list { /* the values that a name has */
    uint32_t name;
    uint32_t *v;
    uint32_t n, cap;
};

struct postings {
    struct posting_list *lists;
    uint32_t n, cap;
    uint32_t *slots; /* index of a list + 1, or 0 */
    uint32_t n_slots;
    struct value_list *names; /* few: looked through */
    uint32_t n_names;
};

void postings_fini(struct postings *p);

/* False when memory ran out; nothing has changed then, except that the name
 * may have been noted. */
bool postings_add(struct postings *p, uint32_t name, uint32_t value,
                  uint32_t series);

/* The numbers, rising; NULL and 0 when there are none. */
const uint32_t *postings_get(const struct postings *p, uint32_t name,
                             uint32_t value, uint32_t *n);

/* The values of a name, in the order they came; NULL when there are none. */
const struct value_list *postings_values(const struct postings *p,
                                         uint32_t name);

#endif
