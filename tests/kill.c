/* kill.c - ends the process at the n-th change of a file system, for tests that
 * stop `stoker setup` and `stoker backup` everywhere: LD_PRELOAD it and set
 * KILL_AT=n.
 *
 * Counted before each call of those that they change things with; forks of
 * ours (commands) count on their own and are not ended. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int count;

static void step(void)
{
    const char *at = getenv("KILL_AT");
    const char *only = getenv("KILL_PID");

    if (at && (!only || atoi(only) == getpid()) && __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) == atoi(at))
        raise(SIGKILL);
}

#define NEXT(name) \
    static __typeof__(name) *next; \
    if (!next) \
        next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name); \
    step()

int renameat(int a, const char *b, int c, const char *d)
{
    NEXT(renameat);
    return next(a, b, c, d);
}

int mkdirat(int a, const char *b, mode_t c)
{
    NEXT(mkdirat);
    return next(a, b, c);
}

int symlinkat(const char *a, int b, const char *c)
{
    NEXT(symlinkat);
    return next(a, b, c);
}

int unlinkat(int a, const char *b, int c)
{
    NEXT(unlinkat);
    return next(a, b, c);
}

int fdatasync(int a)
{
    NEXT(fdatasync);
    return next(a);
}

int fsync(int a)
{
    NEXT(fsync);
    return next(a);
}

int fchmod(int a, mode_t b)
{
    NEXT(fchmod);
    return next(a, b);
}

int linkat(int a, const char *b, int c, const char *d, int e)
{
    NEXT(linkat);
    return next(a, b, c, d, e);
}

int renameat2(int a, const char *b, int c, const char *d, unsigned e)
{
    NEXT(renameat2);
    return next(a, b, c, d, e);
}

int mkfifoat(int a, const char *b, mode_t c)
{
    NEXT(mkfifoat);
    return next(a, b, c);
}

int ftruncate(int a, off_t b)
{
    NEXT(ftruncate);
    return next(a, b);
}

ssize_t copy_file_range(int a, off_t *b, int c, off_t *d, size_t e, unsigned f)
{
    NEXT(copy_file_range);
    return next(a, b, c, d, e, f);
}

int syncfs(int a)
{
    NEXT(syncfs);
    return next(a);
}

int futimens(int a, const struct timespec b[2])
{
    NEXT(futimens);
    return next(a, b);
}
