/* cpu.h - the processors we may use, and how idle the machine is. */
#ifndef IO_CPU_H
#define IO_CPU_H

#include <stdint.h>

/* How many this process may keep busy at once: the affinity mask and the
 * cgroup's CPU quota, rounded up; at least 1. */
unsigned cpu_count(void);

/* Idle time of all processors together since boot, nanoseconds; -1 if the
 * machine does not tell. */
int64_t cpu_idle_ns(void);

#endif
