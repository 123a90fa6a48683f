/* err.h - how functions in this tree fail.
 *
 * A function that can fail returns enum errc, and nothing else does: the
 * return type is the notice. If the caller will have to explain the failure
 * to a person, the function also takes a struct err as its last parameter.
 *
 *   - err may be NULL when nobody will read the words.
 *   - err is written only on failure.
 *   - out parameters are written only on success.
 *
 * ERR_MAP is the single table behind the enum, the names, the HTTP status of
 * an API reply and the exit status of a command.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/compiler.h"

/* clang-format off */
/*    code       http exit  text */
#define ERR_MAP(X)                                                             \
    X(INVALID,   400,  2,  "invalid input")                                    \
    X(DENIED,    403,  3,  "permission denied")                                \
    X(NOT_FOUND, 404,  4,  "not found")                                        \
    X(CONFLICT,  409,  5,  "conflicts with the current state")                 \
    X(LIMIT,     413,  6,  "over a configured limit")                          \
    X(BUSY,      429,  7,  "too much work queued")                             \
    X(IO,        500,  8,  "input/output error")                               \
    X(INTERNAL,  500,  9,  "internal error")                                   \
    X(NOMEM,     503, 10,  "out of memory")                                    \
    X(UNAVAIL,   503, 11,  "not available")                                    \
    X(TIMEOUT,   504, 12,  "timed out")                                        \
    X(UNSUPPORTED, 501, 13, "not supported")                                   \
    X(CANCELED,  499, 14,  "canceled by the client")                           \
    X(WARNED,    500, 20,  "done, with warnings")                              \
    X(UNFIT,     500, 21,  "done, and not all is well")
/* clang-format on */

enum errc {
    ERR_OK = 0,
#define X(code, http, exit, text) ERR_##code,
    ERR_MAP(X)
#undef X
};

struct err {
    enum errc code;
    char msg[512];
};

/* Records a failure and yields its code, so that it reads as
 *     return err_set(err, ERR_INVALID, "port %ld is out of range", port);
 * A macro, so that the compiler sees which constant is returned: as a function
 * it would make every out parameter look possibly uninitialised.
 */
#define err_set(err, code, ...) (err_record((err), (code), __VA_ARGS__), (code))

/* The same, with the message already in err kept behind the new one:
 *     return err_wrap(err, rc, "cannot load model '%s'", name);
 */
#define err_wrap(err, code, ...) \
    (err_prefix((err), (code), __VA_ARGS__), (code))

void err_record(struct err *err, enum errc code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void err_prefix(struct err *err, enum errc code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

const char *errc_text(enum errc code);
int errc_http_status(enum errc code);
int errc_exit_status(enum errc code);
enum errc errc_from_errno(int e);

#endif
