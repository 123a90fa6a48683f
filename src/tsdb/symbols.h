/* symbols.h - every text once: a text becomes a small number and back.
 *
 * Texts stay where they are until symbols_fini(). Not thread safe. */
#ifndef TSDB_SYMBOLS_H
#define TSDB_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

#define SYMBOL_NONE UINT32_MAX

struct symbols {
    struct arena texts;
    struct str *v; /* by number */
    uint32_t n, cap;
    uint32_t *slots; /* number + 1, or 0 */
    uint32_t n_slots;
};

void symbols_init(struct symbols *s);
void symbols_fini(struct symbols *s);

/* SYMBOL_NONE when there is none. */
uint32_t symbols_find(const struct symbols *s, struct str text);

/* Finds or adds; SYMBOL_NONE when memory ran out. */
uint32_t symbols_add(struct symbols *s, struct str text);

#endif
