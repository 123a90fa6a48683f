/* database.h - an SQLite database that somebody writes to, copied as it is
 * between two transactions: its file alone would be half of one. */
#ifndef BACKUP_DATABASE_H
#define BACKUP_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Does the file of that name and size have a log or journal with something in
 * it, as a database has that is written to? Then it may change while it seems
 * not to. Without, it is a file like others: SQLite would leave its traces
 * beside it. */
bool database_has_log(int at, const char *name, int64_t size);

/* The open file begins as a database does. */
bool database_is(int fd);

/* Is `name`, in that directory, what SQLite keeps beside a database (-wal,
 * -shm, -journal)? Then the database has its name without that end: its length
 * is the answer; 0: it is not. */
size_t database_owner(int at, const char *name);

/* Copies the database, with what is in its write-ahead log, to a new file,
 * which is not yet on the disk for sure. ERR_UNSUPPORTED: SQLite cannot read
 * it. */
MUST_CHECK enum errc database_copy(int from_at, const char *from, int to_at,
                                   const char *to, struct err *err);

#endif
