/* paths.h - what the files of a store are called: kind-00000001. */
#ifndef TSDB_PATHS_H
#define TSDB_PATHS_H

#include <stdint.h>

/* dir/kind-00000001; NULL when memory ran out. */
char *disk_path(const char *dir, const char *kind, uint32_t number);

/* The number in "kind-00000001"; 0: it is no such name. */
uint32_t disk_number(const char *name, const char *kind);

#endif
