#include "setup/mirrors.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/sort.h"
#include "http/fetch.h"

enum { TRIES = 3, LIMIT_MS = 3000, LIST_MAX = 1 << 16, ANSWER_MAX = 1 << 20 };

static enum errc ask(const char *url, int64_t *us, struct err *err)
{
    char whole[1024];
    struct buf answer;
    int64_t start = clock_mono_ns();

    (void)snprintf(whole, sizeof(whole), "%s%sv2/", url,
                   url[strlen(url) - 1] == '/' ? "" : "/");
    struct fetch f = {.url = whole, .timeout_ms = LIMIT_MS};
    buf_init(&answer, ANSWER_MAX);
    enum errc rc = fetch_run(&f, &answer, err);
    buf_fini(&answer);
    *us = (clock_mono_ns() - start) / 1000;
    if (!rc && f.status != 200 && f.status != 401)
        rc =
            err_set(err, ERR_UNAVAIL, "status %d: it is no registry", f.status);
    return rc;
}

static void measure(struct mirror *m, struct arena *a)
{
    struct err err = {.code = ERR_OK};

    m->us = -1;
    for (int i = 0; i < TRIES; i++) {
        int64_t us = 0;
        if (ask(m->url, &us, &err)) {
            m->why = arena_cstr(a, str_from_cstr(err.msg));
            m->us = -1;
            return;
        }
        m->us = m->us < 0 || us < m->us ? us : m->us;
    }
}

static int compare(const void *a, const void *b)
{
    const struct mirror *x = a, *y = b;
    uint64_t p = (uint64_t)x->us, q = (uint64_t)y->us; /* -1 is last */

    return p < q ? -1 : p > q;
}

static enum errc add(struct str line, struct arena *a, struct mirror *out,
                     size_t *n, struct err *err)
{
    static const char odd[] = " \t\"\\'<>";

    line = str_trim(line);
    if (!line.n || line.p[0] == '#')
        return ERR_OK;
    char *url = arena_cstr(a, line);
    if (!url)
        return err_set(err, ERR_NOMEM, "mirrors: out of memory");
    if ((strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) ||
        strpbrk(url, odd) || line.n > 500)
        return err_set(err, ERR_INVALID,
                       "'%.100s' is no URL of a mirror "
                       "(https://...)",
                       url);
    if (*n == MIRRORS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d mirrors", MIRRORS_MAX);
    out[(*n)++] = (struct mirror){.url = url, .us = -1, .why = ""};
    return ERR_OK;
}

enum errc mirrors_rank(const char *said, struct arena *a,
                       struct mirror out[MIRRORS_MAX], size_t *n,
                       struct err *err)
{
    bool list = strstr(said, "://") != NULL;
    struct buf file;

    *n = 0;
    buf_init(&file, LIST_MAX);
    enum errc rc = list ? fetch_init(err) : fs_read(said, &file, err);
    if (!rc && !list)
        rc = fetch_init(err);
    struct str rest = list ? str_from_cstr(said) : buf_str(&file);
    while (!rc && rest.n)
        rc = add(str_cut(&rest, list ? ',' : '\n'), a, out, n, err);
    buf_fini(&file);
    for (size_t i = 0; !rc && i < *n; i++)
        measure(&out[i], a);
    if (!rc && *n)
        sort_items(out, *n, sizeof(*out), compare);
    return rc;
}
