/* buf.h - a byte string that grows, up to a maximum it was born with.
 *
 * Failure is sticky: an append that does not fit sets `failed` and changes
 * nothing, and so do all that follow. Writers append without looking and check
 * once at the end.
 *
 * Not thread safe. A zeroed buf with a max is ready to use.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

struct buf {
    char *p;
    size_t n, cap;
    size_t max; /* bytes it may ever hold */
    bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b); /* frees; the buf may be used again */

/* Empties it and keeps the memory. */
void buf_clear(struct buf *b);

/* Room for n more bytes at b->p + b->n, or NULL and b->failed. The caller
 * adds what it used to b->n. */
char *buf_reserve(struct buf *b, size_t n);

void buf_put(struct buf *b, struct str s);
void buf_putc(struct buf *b, char c);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_i64(struct buf *b, int64_t v);

/* Text inside a JSON string: quotes, backslashes and controls are escaped,
 * bytes that are not UTF-8 become U+FFFD. Adds no quotes. */
void buf_put_json(struct buf *b, struct str s);

/* The same with the quotes. */
void buf_put_quoted(struct buf *b, struct str s);

/* The same behind `before`, which is written as it is: ,"name": */
void buf_put_field(struct buf *b, const char *before, struct str s);

struct str buf_str(const struct buf *b);

#endif
