/* compiler.h - the only place that names compiler extensions. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(fn)            __attribute__((cleanup(fn)))

/* Memory we hold but have not handed out is off limits under ASan. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#define MEM_FORBID(p, n) __asan_poison_memory_region((p), (n))
#define MEM_ALLOW(p, n)  __asan_unpoison_memory_region((p), (n))
#else
#define MEM_FORBID(p, n) ((void)(p), (void)(n))
#define MEM_ALLOW(p, n)  ((void)(p), (void)(n))
#endif

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define EXPORTED    __attribute__((visibility("default")))
#define NORETURN    __attribute__((noreturn))
#define FLAT        __attribute__((always_inline)) inline

__extension__ typedef unsigned __int128 wide; /* of two 64-bit factors */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
