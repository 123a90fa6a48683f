/* machine.h - what is examined: this machine, or one that was captured.
 *
 * Checks ask for files by their absolute path and for facts that are in no file
 * (facts.h) by name. Both come from the running system; from a directory that
 * holds a copy of another's: then no link leads out of it, and facts are files
 * in its .stoker/facts; or from a file that holds the answers (bundle.h).
 *
 *   check --machine_read("/etc/os-release")--> this machine, or ROOT/etc/...
 *         --machine_fact("statfs /")---------> a call, or ROOT/.stoker/facts/
 *         <------- text, and whether it was to be had
 *
 * Everything that was handed out lives as long as the machine.
 *
 * Threads: one. Whatever may hang (a file on a dead NFS server, a driver) hangs
 * here too: ask from a process that can be left.
 */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { MACHINE_FILE_MAX = 16 << 20, MACHINE_ENTRIES_MAX = 50000 };

/* What became of a question. Only after FOUND is the answer set. */
enum found {
    FOUND,
    ABSENT,      /* there is none */
    DENIED,      /* not for this user */
    BROKEN,      /* an input error, no file, too large, or too many links */
    NOT_CAPTURED /* nobody asked when the machine was captured */
};

/* Told of every question and its answer, to write them down: kind is 'f' of a
 * file, 'l' of a link (text: what it says), 'd' of a directory (text: names,
 * each with a newline behind), 'e' of a path (text: its type, octal), 'q' of a
 * fact. */
typedef void machine_record(void *ctx, char kind, const char *name,
                            enum found found, struct str text);

struct machine {
    struct arena arena;
    struct known *known;   /* facts that were asked for by another process */
    int root;              /* -1: none */
    struct bundle *bundle; /* NULL: none; neither: this machine */
    machine_record *record;
    void *ctx;
};

/* root NULL or "/": this machine; a directory, or a bundle. ERR_NOT_FOUND and
 * others: there is none. */
MUST_CHECK enum errc machine_open(const char *root, struct machine *out,
                                  struct err *err);
void machine_close(struct machine *m);

bool machine_is_live(const struct machine *m);

/* The file's bytes; a NUL is behind them. A link is followed. */
enum found machine_read(struct machine *m, const char *path, struct str *out);

/* The whole number that the file begins with; `otherwise` if there is none. */
long long machine_number(struct machine *m, const char *path,
                         long long otherwise);

/* A line of /proc/meminfo ("MemAvailable"), in KiB or pages as it is there; -1
 * if there is none. */
long long machine_meminfo(struct machine *m, const char *key);

/* Where the link leads, as it says. ABSENT: it is no link. */
enum found machine_link(struct machine *m, const char *path, struct str *out);

/* Names in a directory, sorted, without . and .. */
struct names {
    struct str *v;
    size_t n;
};
enum found machine_list(struct machine *m, const char *path, struct names *out);

/* What is behind the path, links followed; 0 if nothing that can be seen.
 * S_IFREG, S_IFDIR, ... of st_mode. */
unsigned machine_kind(struct machine *m, const char *path);

/* A fact that is in no file: "uname", "statfs /var"; see facts.h. */
enum found machine_fact(struct machine *m, const char *name, struct str *out);

/* Asks for a fact in a process of its own, which is left when it does not
 * answer in time; from now on the fact is what that said, or BROKEN. For what
 * may hang, such as "nvml". */
void machine_ask_apart(struct machine *m, const char *name, int64_t limit_ms);

/* From now on the fact is what somebody else found out. */
void machine_know(struct machine *m, const char *name, enum found found,
                  struct str text);

/* A path made with printf's conversions, in the machine's memory; "" when there
 * is none left, which no file has. */
const char *machine_path(struct machine *m, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

#endif
