/* store_dir.h - for tests: a directory, and a store in it whose values can be
 * told from their places, so that a wrong one is seen. */
#ifndef UNIT_STORE_DIR_H
#define UNIT_STORE_DIR_H

#include "tsdb/tsdb.h"

enum { SERIES = 5, STEP = 10000, HOUR = 3600 * 1000 };

void make_dir(char *dir, const char *name); /* of 64 bytes */
void empty_dir(char *dir);
void remove_dir(char *dir);
void copy_dir(const char *from, char *to);

struct listing {
    char names[200][64];
    size_t n;
};

enum errc list_one(void *ctx, const char *name); /* for fs_list() */
size_t count_files(const char *dir, const char *with);

/* Without threads; *said counts what goes wrong, unless it is NULL. */
struct tsdb *open_dir(const char *dir, int64_t retention, uint64_t max_bytes,
                      int *said);
uint32_t series_of(struct tsdb *db, unsigned i);

/* Appends to each series its value at k * STEP. */
enum errc add_step(struct tsdb *db, int64_t k);

/* Every sample that is read must be right. *n is how many there are; returned
 * is how far those of the series that has fewest go from step `first` without
 * a gap. */
int64_t reach(struct tsdb *db, int64_t first, size_t *n);

#endif
