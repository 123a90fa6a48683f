/* The whole program with an allocator that fails now and then: linked into
 * stoker-faults with --wrap. SIGRTMIN to a process makes about one allocation
 * of its threads in FAULT_EVERY fail, SIGRTMIN+1 ends that. Allocations of
 * ONNX Runtime are its own and do not pass here. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

enum { FAULT_EVERY = 13 };

static atomic_bool on;
static atomic_uint turn;

static void change(int signal)
{
    atomic_store(&on, signal == SIGRTMIN);
}

__attribute__((constructor)) static void listen_for_signals(void)
{
    (void)signal(SIGRTMIN, change);
    (void)signal(SIGRTMIN + 1, change);
}

/* Which one fails looks random but depends on the count alone. */
static int fail_now(void)
{
    if (!atomic_load_explicit(&on, memory_order_relaxed))
        return 0;
    unsigned n = atomic_fetch_add(&turn, 1) * 2654435761U;
    if ((n >> 8) % FAULT_EVERY)
        return 0;
    errno = ENOMEM;
    return 1;
}

#define WRAP(name, params, args)                       \
    void *__real_##name params;                        \
    void *__wrap_##name params;                        \
    void *__wrap_##name params                         \
    {                                                  \
        return fail_now() ? NULL : __real_##name args; \
    }

WRAP(malloc, (size_t size), (size))
WRAP(calloc, (size_t n, size_t size), (n, size))
WRAP(realloc, (void *p, size_t size), (p, size))
