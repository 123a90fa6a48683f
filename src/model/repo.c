#include "model/repo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

enum {
    ARENA_LIMIT = 256 << 20,
    CONFIG_MAX = 1 << 20,
    NAME_MAX_BYTES = 128,
};

static const char *const default_names[] = {
    "model.onnx", "saved_model.onnx", "model.keras", "model.h5",
    "model.pt",   "model.pth",        "model.pt2",   "model.safetensors"};

/* What a file's name may end in and a model's name does not. */
static const char *const endings[] = {".onnx", ".keras", ".h5",
                                      ".hdf5", ".pt",    ".pth"};

void repo_init(struct repo *r)
{
    *r = (struct repo){0};
    arena_init(&r->arena, ARENA_LIMIT);
}

void repo_fini(struct repo *r)
{
    free(r->entries);
    arena_fini(&r->arena);
    r->entries = NULL;
    r->n = 0;
}

bool repo_name_valid(struct str name)
{
    if (name.n == 0 || name.n > NAME_MAX_BYTES || name.p[0] == '.')
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.')
            return false;
    }
    return true;
}

static struct repo_entry *new_entry(struct repo *r)
{
    if (r->n == REPO_MAX_ENTRIES)
        return NULL;
    if ((r->n & (r->n - 1)) == 0) {
        size_t cap = r->n ? r->n * 2 : 1;
        struct repo_entry *more =
            realloc(r->entries, cap * sizeof(*r->entries));
        if (!more)
            return NULL;
        r->entries = more;
    }
    struct repo_entry *e = &r->entries[r->n++];
    *e = (struct repo_entry){.version = "1"};
    model_config_init(&e->settings);
    return e;
}

static const char *join(struct repo *r, const char *dir, const char *name)
{
    size_t n = strlen(dir) + strlen(name) + 2;
    char *p = arena_bytes(&r->arena, n);

    if (p)
        (void)snprintf(p, n, "%s/%s", dir, name);
    return p;
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static const char *folder_of(struct repo *r, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    return arena_cstr(&r->arena, (struct str){path, (size_t)(slash - path)});
}

/* "my model (1).onnx" becomes my_model__1_. */
static const char *name_of(struct repo *r, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str base = str_from_cstr(slash ? slash + 1 : path);

    for (size_t i = 0; i < COUNT(endings); i++) {
        size_t n = strlen(endings[i]);
        if (base.n > n && memcmp(base.p + base.n - n, endings[i], n) == 0) {
            base.n -= n;
            break;
        }
    }
    if (base.n > NAME_MAX_BYTES)
        base.n = NAME_MAX_BYTES;
    char *name = arena_cstr(&r->arena, base);
    for (size_t i = 0; name && i < base.n; i++)
        if (!repo_name_valid((struct str){&name[i], 1}) &&
            !(name[i] == '.' && i))
            name[i] = '_';
    return name && *name ? name : "model";
}

static void read_config(struct repo *r, const char *path, struct repo_entry *e)
{
    struct buf text;

    buf_init(&text, CONFIG_MAX);
    e->rc = fs_read(path, &text, &e->err);
    if (!e->rc) {
        struct str kept = {arena_cstr(&r->arena, buf_str(&text)), text.n};
        e->rc = model_config_parse(kept, &r->arena, &e->settings, &e->err);
    }
    if (e->rc)
        e->rc = err_wrap(&e->err, e->rc, "'%s'", path);
    e->config = path;
    buf_fini(&text);
}

static enum errc add_file(struct repo *r, const char *name, const char *path,
                          struct err *err)
{
    struct repo_entry *e = new_entry(r);

    if (!e)
        return err_set(err, ERR_LIMIT, "too many models");
    e->path = arena_cstr(&r->arena, str_from_cstr(path));
    e->folder = folder_of(r, path);
    e->name =
        name ? arena_cstr(&r->arena, str_from_cstr(name)) : name_of(r, path);
    return ERR_OK;
}

/* The versions of a model directory, as numbers. */
struct versions {
    int64_t number[256];
    size_t n;
};

static enum errc collect_version(void *ctx, const char *name)
{
    struct versions *v = ctx;
    uint64_t number;

    if (str_to_u64(str_from_cstr(name), &number) && number <= INT64_MAX &&
        v->n < COUNT(v->number))
        v->number[v->n++] = (int64_t)number;
    return ERR_OK;
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static bool wanted(const struct model_config *c, int64_t version, size_t rank)
{
    if (c->all_versions)
        return true;
    for (size_t i = 0; i < c->n_versions; i++)
        if (c->versions[i] == version)
            return true;
    return c->n_versions == 0 && rank < (size_t)(c->latest ? c->latest : 1);
}

static const char *model_file(struct repo *r, const char *dir,
                              const struct model_config *c)
{
    if (c->file_name.n) {
        const char *name = arena_cstr(&r->arena, c->file_name);
        return name && repo_name_valid(c->file_name) ? join(r, dir, name)
                                                     : NULL;
    }
    for (size_t i = 0; i < COUNT(default_names); i++) {
        const char *path = join(r, dir, default_names[i]);
        if (path && is_file(path))
            return path;
    }
    return NULL;
}

/* One directory that holds versions, or the model file itself. */
static enum errc add_model_dir(struct repo *r, const char *name,
                               const char *dir, struct err *err)
{
    struct repo_entry base = {.version = "1"};
    struct versions v = {.n = 0};
    const char *config = join(r, dir, "config.pbtxt");
    enum errc rc;

    model_config_init(&base.settings);
    base.name = arena_cstr(&r->arena, str_from_cstr(name));
    if (!config || !base.name)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (is_file(config))
        read_config(r, config, &base);
    rc = fs_list(dir, collect_version, &v, err);
    if (rc)
        return rc;
    qsort(v.number, v.n, sizeof(v.number[0]), newest_first);

    size_t before = r->n;
    for (size_t i = 0; i < v.n; i++) {
        char number[24];
        (void)snprintf(number, sizeof(number), "%lld", (long long)v.number[i]);
        const char *folder = join(r, dir, number);
        if (!folder || !wanted(&base.settings, v.number[i], i))
            continue;
        struct repo_entry *e = new_entry(r);
        if (!e)
            return err_set(err, ERR_LIMIT, "too many models");
        *e = base;
        e->version = arena_cstr(&r->arena, str_from_cstr(number));
        e->folder = folder;
        e->path = model_file(r, folder, &base.settings);
        if (!e->path && !e->rc)
            e->rc = err_set(&e->err, ERR_NOT_FOUND,
                            "there is no model.onnx in '%s'", folder);
    }
    if (r->n > before)
        return ERR_OK;
    const char *file = model_file(r, dir, &base.settings);
    struct repo_entry *e = new_entry(r);
    if (!e)
        return err_set(err, ERR_LIMIT, "too many models");
    *e = base;
    e->path = file;
    e->folder = arena_cstr(&r->arena, str_from_cstr(dir));
    if (!file && !e->rc)
        e->rc = err_set(&e->err, ERR_NOT_FOUND,
                        "'%s' has neither a version directory (1/model.onnx) "
                        "nor a model.onnx",
                        dir);
    return ERR_OK;
}

struct scan {
    struct repo *repo;
    const char *dir;
    struct err *err;
};

static enum errc scan_one(void *ctx, const char *name)
{
    struct scan *s = ctx;
    const char *path = join(s->repo, s->dir, name);

    if (!path || !is_dir(path) || !repo_name_valid(str_from_cstr(name)))
        return ERR_OK;
    return add_model_dir(s->repo, name, path, s->err);
}

enum errc repo_scan(struct repo *r, const char *dir, struct err *err)
{
    struct scan s = {r, dir, err};
    return fs_list(dir, scan_one, &s, err);
}

enum errc repo_find(struct repo *r, const char *dir, const char *name,
                    struct err *err)
{
    if (!repo_name_valid(str_from_cstr(name)))
        return err_set(err, ERR_INVALID,
                       "a model name has letters, digits, '_', '-' and '.', "
                       "and does not begin with a dot");
    const char *path = join(r, dir, name);
    if (!path || !is_dir(path))
        return err_set(err, ERR_NOT_FOUND,
                       "the repository '%s' has no model '%s'", dir, name);
    return add_model_dir(r, name, path, err);
}

/* A directory may be one model as well as a repository. */
static enum errc add_dir(struct repo *r, const char *name, const char *dir,
                         struct err *err)
{
    struct versions v = {.n = 0};
    enum errc rc = fs_list(dir, collect_version, &v, err);
    char trimmed[4096];

    if (rc)
        return rc;
    if (snprintf(trimmed, sizeof(trimmed), "%s", dir) >= (int)sizeof(trimmed))
        return err_set(err, ERR_LIMIT, "a path is too long");
    for (size_t n = strlen(trimmed); n > 1 && trimmed[n - 1] == '/'; n--)
        trimmed[n - 1] = '\0';
    struct model_config none;
    model_config_init(&none);
    if (v.n == 0 && !model_file(r, trimmed, &none) && !name)
        return repo_scan(r, trimmed, err);
    return add_model_dir(r, name ? name : name_of(r, trimmed), trimmed, err);
}

enum errc repo_add(struct repo *r, const char *spec, struct err *err)
{
    const char *eq = strchr(spec, '=');
    const char *path = spec, *name = NULL;

    /* A file whose own name has an equals sign is taken as it is. */
    if (eq && access(spec, F_OK) != 0) {
        struct str given = {spec, (size_t)(eq - spec)};
        if (!repo_name_valid(given))
            return err_set(err, ERR_INVALID,
                           "'" STR_FMT
                           "' is not a model name: use letters, digits, '_', "
                           "'-' and '.'",
                           STR_ARG(given));
        name = arena_cstr(&r->arena, given);
        path = eq + 1;
    }
    if (access(path, F_OK) != 0)
        return fs_error(err, "cannot find the model", path);
    return is_dir(path) ? add_dir(r, name, path, err)
                        : add_file(r, name, path, err);
}
