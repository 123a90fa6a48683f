/* kill.c - ends the process at the n-th change of a file system, for tests that
 * stop `stoker setup` everywhere: LD_PRELOAD it and set KILL_AT=n.
 *
 * Counted before each call of those that setup changes things with; forks of
 * ours (commands) count on their own and are not ended. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int count;

static void step(void)
{
    const char *at = getenv("KILL_AT");
    const char *only = getenv("KILL_PID");

    if (at && (!only || atoi(only) == getpid()) && ++count == atoi(at))
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
