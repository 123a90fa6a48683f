#include "backup/sources.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "backup/store.h"
#include "base/fs.h"

/* "models" of "models=/srv/m"; what is before it has no slash. */
static const char *given_name(const char *given, const char **path,
                              struct arena *a)
{
    const char *equals = strchr(given, '=');
    const char *slash = strchr(given, '/');

    *path = given;
    if (!equals || (slash && slash < equals))
        return NULL;
    *path = equals + 1;
    return arena_cstr(a, (struct str){given, (size_t)(equals - given)});
}

static enum errc find_one(const char *given, struct arena *a,
                          struct source *out, struct err *err)
{
    char real[PATH_MAX];
    const char *path, *name = given_name(given, &path, a);

    if (!realpath(path, real))
        return fs_error(err, "cannot open", path);
    if (!name)
        name = real[1] ? strrchr(real, '/') + 1 : "root";
    *out = (struct source){arena_cstr(a, str_from_cstr(name)),
                           arena_cstr(a, str_from_cstr(real))};
    if (!out->name || !out->path)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!*name || strchr(name, '/') || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0 || strcmp(name, MANIFEST_NAME) == 0 ||
        strcmp(name, SUMS_NAME) == 0)
        return err_set(err, ERR_INVALID,
                       "'%s' cannot be the name of a source: give it one, as "
                       "in NAME=%s",
                       name, path);
    return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct source *x = a, *y = b;

    return strcmp(x->name, y->name);
}

enum errc sources_find(const char *const *given, size_t n, struct arena *a,
                       struct manifest_head *head, struct err *err)
{
    enum errc rc = ERR_OK;

    head->n = 0;
    if (n > SOURCES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d sources", SOURCES_MAX);
    for (size_t i = 0; i < n && !rc; i++) {
        rc = find_one(given[i], a, &head->sources[i], err);
        head->n++;
    }
    if (rc)
        return rc;
    qsort(head->sources, n, sizeof(*head->sources), by_name);
    for (size_t i = 1; i < n; i++)
        if (strcmp(head->sources[i - 1].name, head->sources[i].name) == 0)
            return err_set(err, ERR_INVALID,
                           "two sources are called '%s': give one another "
                           "name, as in NAME=%s",
                           head->sources[i].name, head->sources[i].path);
    return ERR_OK;
}

bool sources_same(const struct manifest_head *a, const struct manifest_head *b)
{
    if (a->n != b->n || strcmp(a->host, b->host) != 0)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->sources[i].name, b->sources[i].name) != 0 ||
            strcmp(a->sources[i].path, b->sources[i].path) != 0)
            return false;
    return true;
}
