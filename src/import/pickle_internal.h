/* pickle_internal.h - between pickle.c (the machine) and pickle_ops.c (what the
 * opcodes do). */
#ifndef IMPORT_PICKLE_INTERNAL_H
#define IMPORT_PICKLE_INTERNAL_H

#include "import/pickle.h"

enum { MAX_MARKS = 1 << 16, MAX_MEMO = 1 << 24 };

struct machine {
    const char *p, *end, *start;
    const struct pickle_rules *rules;
    struct arena *arena;
    struct err *err;
    struct pickle **stack, **memo;
    size_t n_stack, cap_stack, n_memo, cap_memo;
    size_t marks[MAX_MARKS];
    size_t n_marks;
    bool failed;
    struct pickle none; /* stands in when memory is out */
};

void pickle_failure(struct machine *m, enum errc code, const char *what);
struct pickle *pickle_make(struct machine *m, enum pickle_kind kind);
/* Makes room for one more in an array that lives in the arena. */
bool pickle_grow(struct machine *m, struct pickle ***list, size_t n,
                 size_t *cap, size_t max);
void pickle_push(struct machine *m, struct pickle *v);
size_t pickle_floor_of(const struct machine *m);
struct pickle *pickle_pop(struct machine *m);
struct pickle *pickle_top(struct machine *m);
void pickle_add(struct machine *m, struct pickle *list, struct pickle *item);
/* Everything above the last mark, which goes too. */
size_t pickle_pop_mark(struct machine *m);
uint64_t pickle_number(struct machine *m, int bytes);
struct str pickle_bytes(struct machine *m, uint64_t n);
struct str pickle_line(struct machine *m);

/* Does what the opcode says. False: it is not known. */
bool pickle_opcode(struct machine *m, unsigned char op);

#endif
