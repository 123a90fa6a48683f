/* book.h - the newest lines, in memory.
 *
 * Lines are numbered from 0; those that there is no room for any more are
 * forgotten, the oldest first.
 *
 * Threads: any.
 */
#ifndef LOGS_BOOK_H
#define LOGS_BOOK_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct book;

/* `bytes`: what the lines may take; memory is used as they come. */
MUST_CHECK enum errc book_new(size_t bytes, struct book **out, struct err *err);
void book_free(struct book *b); /* NULL is fine */

/* Cut off behind LINE_BYTES_MAX. */
void book_add(struct book *b, struct str line);

/* Calls each() for line `from` and all behind it, with the book's lock: it is
 * to be quick. Bytes may be read NUMBER_PAD behind a line. Returns the number
 * of the next line; *lost says how many from `from` on are forgotten. */
uint64_t book_read(struct book *b, uint64_t from,
                   void (*each)(void *ctx, struct str line), void *ctx,
                   uint64_t *lost);

#endif
