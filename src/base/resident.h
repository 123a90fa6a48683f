/* resident.h - how much of a process that mostly waits stays in memory. */
#ifndef BASE_RESIDENT_H
#define BASE_RESIDENT_H

#include <stddef.h>

/* Number of objects (the program and its libraries) that are loaded now. Ask
 * before the first dlopen: those stay loaded, and nobody rewrites their code.
 */
size_t resident_objects(void);

/* Gives back what is free in the heap, and the pages of code and constants of
 * the first `objects` objects. The latter stay in the system's page cache and
 * come back when they are used, so that what only the start needed is let go.
 * From any thread. Objects whose code was relocated (DT_TEXTREL) are left
 * alone. */
void resident_trim(size_t objects);

#endif
