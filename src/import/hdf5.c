#include "import/hdf5.h"

#include <string.h>

#include "import/hdf5_internal.h"

enum {
    SIZE = 8, /* of offsets and lengths; all files of today */
    MAX_BLOCKS = 64,
    MAX_NODES = 100000,
    MAX_TODO = 4096,
    TREE_DEPTH = 16,
    SYMBOL_SIZE = 40,
    PATH_DEPTH = 32,
};

static const char signature[] = "\x89HDF\r\n\x1a\n";
static const uint64_t undefined = UINT64_MAX;

uint64_t h5_uint(struct h5_cursor *c, int bytes)
{
    uint64_t v = 0;

    if (c->failed || c->rest.n < (size_t)bytes) {
        c->failed = true;
        return 0;
    }
    for (int i = bytes; i-- > 0;)
        v = v << 8 | (unsigned char)c->rest.p[i];
    c->rest = str_slice(c->rest, (size_t)bytes, c->rest.n);
    return v;
}

struct str h5_take(struct h5_cursor *c, uint64_t n)
{
    if (c->failed || c->rest.n < n) {
        c->failed = true;
        return (struct str){"", 0};
    }
    struct str s = str_slice(c->rest, 0, (size_t)n);
    c->rest = str_slice(c->rest, (size_t)n, c->rest.n);
    return s;
}

struct str h5_at(const struct h5 *f, uint64_t address, uint64_t n)
{
    if (address > f->file.n || n > f->file.n - address)
        return (struct str){NULL, 0};
    return (struct str){f->file.p + address, (size_t)n};
}

static enum errc damaged(struct err *err, const char *what, uint64_t address)
{
    return err_set(err, ERR_INVALID,
                   "the HDF5 file is damaged: %s at byte %llu is not what it "
                   "should be",
                   what, (unsigned long long)address);
}

bool h5_looks(struct str file)
{
    return file.n >= 8 && memcmp(file.p, signature, 8) == 0;
}

enum errc h5_open(struct str file, struct arena *arena, struct h5 *f,
                  struct err *err)
{
    *f = (struct h5){.file = file, .arena = arena};
    struct h5_cursor c = {str_slice(file, 0, file.n), false};

    if (!h5_looks(file))
        return err_set(err, ERR_INVALID, "it is not an HDF5 file");
    (void)h5_take(&c, 8);
    unsigned version = (unsigned)h5_uint(&c, 1), offsets, lengths;
    if (version < 2) {
        (void)h5_take(&c, 4);
        offsets = (unsigned)h5_uint(&c, 1);
        lengths = (unsigned)h5_uint(&c, 1);
        (void)h5_take(&c, version == 1 ? 13 : 9);
    } else {
        offsets = (unsigned)h5_uint(&c, 1);
        lengths = (unsigned)h5_uint(&c, 1);
        (void)h5_uint(&c, 1);
    }
    if (c.failed)
        return damaged(err, "the superblock", 0);
    if (version > 3 || offsets != SIZE || lengths != SIZE)
        return err_set(err, ERR_UNSUPPORTED,
                       "HDF5 superblock version %u with offsets of %u bytes is "
                       "not known",
                       version, offsets);
    uint64_t base = h5_uint(&c, SIZE);
    (void)h5_uint(&c, SIZE);
    uint64_t end = h5_uint(&c, SIZE);
    (void)h5_uint(&c, SIZE); /* driver; from version 2 on the root group */
    if (version >= 2) {
        c.rest.p -= SIZE;
        c.rest.n += SIZE;
    } else {
        (void)h5_uint(&c, SIZE);
    }
    f->root = h5_uint(&c, SIZE);
    if (c.failed || base != 0)
        return damaged(err, "the superblock", 0);
    if (end > file.n)
        return err_set(err, ERR_INVALID,
                       "the HDF5 file is cut off: it has %zu of %llu bytes",
                       file.n, (unsigned long long)end);
    return ERR_OK;
}

struct header {
    const struct h5 *f;
    struct h5_object *o;
    unsigned version, flags;
    struct str blocks[MAX_BLOCKS];
    size_t n_blocks, done;
};

static enum errc add_message(struct header *h, unsigned type, unsigned flags,
                             struct str body, struct err *err)
{
    struct h5_object *o = h->o;

    if (flags & 2)
        return err_set(err, ERR_UNSUPPORTED,
                       "the HDF5 file uses shared messages");
    if (type == H5_MSG_CONTINUATION) {
        struct h5_cursor c = {body, false};
        uint64_t address = h5_uint(&c, SIZE), n = h5_uint(&c, SIZE);
        struct str block = h5_at(h->f, address, n);
        if (c.failed || !block.p)
            return damaged(err, "a continued header", address);
        if (h->n_blocks == COUNT(h->blocks))
            return err_set(err, ERR_LIMIT,
                           "an HDF5 object header has too many parts");
        if (h->version == 2) {
            if (n < 8 || memcmp(block.p, "OCHK", 4) != 0)
                return damaged(err, "a continued header", address);
            block = str_slice(block, 4, block.n - 4);
        }
        h->blocks[h->n_blocks++] = block;
        return ERR_OK;
    }
    if (o->n == o->cap) {
        size_t cap = o->cap ? o->cap * 2 : 16;
        struct h5_message *more =
            cap > H5_MAX_MESSAGES
                ? NULL
                : arena_new(h->f->arena, struct h5_message, cap);
        if (!more)
            return err_set(err, ERR_LIMIT,
                           "an HDF5 object header is too large");
        if (o->n)
            memcpy(more, o->messages, o->n * sizeof(*more));
        o->messages = more;
        o->cap = cap;
    }
    o->messages[o->n++] = (struct h5_message){type, body};
    return ERR_OK;
}

static enum errc read_block(struct header *h, struct str block, struct err *err)
{
    struct h5_cursor c = {block, false};
    size_t least = h->version == 1 ? 8 : 4;
    enum errc rc = ERR_OK;

    while (!rc && c.rest.n >= least) {
        unsigned type = (unsigned)h5_uint(&c, h->version == 1 ? 2 : 1);
        uint64_t size = h5_uint(&c, 2);
        unsigned flags = (unsigned)h5_uint(&c, 1);
        if (h->version == 1)
            (void)h5_take(&c, 3);
        else if (h->flags & 4)
            (void)h5_take(&c, 2);
        struct str body = h5_take(&c, size);
        if (c.failed)
            return damaged(err, "a header message",
                           (uint64_t)(block.p - h->f->file.p));
        rc = add_message(h, type, flags, body, err);
    }
    return rc;
}

static enum errc first_block(struct header *h, uint64_t address,
                             struct err *err)
{
    struct h5_cursor c = {
        h5_at(h->f, address,
              address < h->f->file.n ? h->f->file.n - address : 1),
        false};
    uint64_t size;

    if (!c.rest.p)
        return damaged(err, "an object header", address);
    if (c.rest.n > 4 && memcmp(c.rest.p, "OHDR", 4) == 0) {
        (void)h5_take(&c, 4);
        h->version = (unsigned)h5_uint(&c, 1);
        h->flags = (unsigned)h5_uint(&c, 1);
        (void)h5_take(&c,
                      (h->flags & 0x20 ? 16 : 0) + (h->flags & 0x10 ? 4 : 0));
        size = h5_uint(&c, 1 << (h->flags & 3));
        if (h->version != 2)
            return damaged(err, "an object header", address);
    } else {
        h->version = (unsigned)h5_uint(&c, 1);
        (void)h5_take(&c, 7);
        size = h5_uint(&c, 4);
        (void)h5_take(&c, 4);
        if (h->version != 1)
            return damaged(err, "an object header", address);
    }
    h->blocks[h->n_blocks++] = h5_take(&c, size);
    return c.failed ? damaged(err, "an object header", address) : ERR_OK;
}

enum errc h5_read_object(const struct h5 *f, uint64_t address,
                         struct h5_object *out, struct err *err)
{
    struct header h = {.f = f, .o = out};

    *out = (struct h5_object){0};
    enum errc rc = first_block(&h, address, err);
    while (!rc && h.done < h.n_blocks)
        rc = read_block(&h, h.blocks[h.done++], err);
    return rc;
}

const struct h5_message *h5_message(const struct h5_object *o, unsigned type)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->messages[i].type == type)
            return &o->messages[i];
    return NULL;
}

/* Calls each(ctx, name, address) for the links of a group until it says
 * false. */
struct visit {
    bool (*each)(void *ctx, struct str name, uint64_t address);
    void *ctx;
    bool stopped;
    size_t links;
};

static enum errc visit_one(struct visit *v, struct str name, uint64_t address,
                           struct err *err)
{
    if (++v->links > H5_MAX_LINKS)
        return err_set(err, ERR_LIMIT, "an HDF5 group has too many members");
    v->stopped = !v->each(v->ctx, name, address);
    return ERR_OK;
}

/* The entries of one symbol table node; names are in the local heap. */
static enum errc visit_symbols(const struct h5 *f, uint64_t address,
                               struct str heap, struct visit *v,
                               struct err *err)
{
    struct str head = h5_at(f, address, 8);
    struct h5_cursor c = {head, false};

    if (!head.p || memcmp(head.p, "SNOD", 4) != 0)
        return damaged(err, "a symbol table", address);
    (void)h5_take(&c, 6);
    uint64_t n = h5_uint(&c, 2);
    c = (struct h5_cursor){h5_at(f, address + 8, n * SYMBOL_SIZE), false};
    if (!c.rest.p)
        return damaged(err, "a symbol table", address);
    enum errc rc = ERR_OK;
    for (uint64_t i = 0; i < n && !rc && !v->stopped; i++) {
        uint64_t name = h5_uint(&c, SIZE), object = h5_uint(&c, SIZE);
        (void)h5_take(&c, SYMBOL_SIZE - 2 * SIZE);
        if (name >= heap.n || !memchr(heap.p + name, 0, heap.n - name))
            return damaged(err, "a name in a symbol table", address);
        rc = visit_one(v, str_from_cstr(heap.p + name), object, err);
    }
    return rc;
}

static enum errc local_heap(const struct h5 *f, uint64_t address,
                            struct str *heap, struct err *err)
{
    struct h5_cursor c = {h5_at(f, address, 32), false};

    if (!c.rest.p || memcmp(c.rest.p, "HEAP", 4) != 0)
        return damaged(err, "a local heap", address);
    (void)h5_take(&c, 8);
    uint64_t size = h5_uint(&c, SIZE);
    (void)h5_uint(&c, SIZE);
    *heap = h5_at(f, h5_uint(&c, SIZE), size);
    return heap->p ? ERR_OK : damaged(err, "a local heap", address);
}

/* A B-tree of symbol tables, walked with a list of nodes still to visit. */
static enum errc visit_tree(const struct h5 *f, uint64_t tree, struct str heap,
                            struct visit *v, struct err *err)
{
    uint64_t todo[MAX_TODO];
    size_t n_todo = 0, nodes = 0;
    enum errc rc = ERR_OK;

    todo[n_todo++] = tree;
    while (n_todo && !rc && !v->stopped) {
        uint64_t at = todo[--n_todo];
        struct str head = h5_at(f, at, 24);
        if (!head.p || memcmp(head.p, "TREE", 4) != 0 || head.p[4] != 0)
            return damaged(err, "a group's B-tree", at);
        unsigned level = (unsigned char)head.p[5];
        struct h5_cursor c = {str_slice(head, 6, 8), false};
        uint64_t n = h5_uint(&c, 2);
        c.rest = h5_at(f, at + 24, n * 2 * SIZE);
        if (!c.rest.p || level > TREE_DEPTH || ++nodes > MAX_NODES ||
            n > MAX_TODO - n_todo)
            return damaged(err, "a group's B-tree", at);
        /* The last child is taken off the list first: put them in reverse. */
        for (uint64_t i = 0; i < n && !rc && !v->stopped; i++) {
            (void)h5_uint(&c, SIZE);
            uint64_t child = h5_uint(&c, SIZE);
            if (level)
                todo[n_todo + n - 1 - i] = child;
            else
                rc = visit_symbols(f, child, heap, v, err);
        }
        n_todo += level ? (size_t)n : 0;
    }
    return rc;
}

/* A link message: what newer files have instead of a symbol table. */
static enum errc visit_link(struct str body, struct visit *v, struct err *err)
{
    struct h5_cursor c = {body, false};
    unsigned version = (unsigned)h5_uint(&c, 1);
    unsigned flags = (unsigned)h5_uint(&c, 1);
    unsigned type = flags & 8 ? (unsigned)h5_uint(&c, 1) : 0;

    (void)h5_take(&c, (flags & 4 ? 8 : 0) + (flags & 0x10 ? 1 : 0));
    struct str name = h5_take(&c, h5_uint(&c, 1 << (flags & 3)));
    if (type != 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "the HDF5 file has soft or external links");
    uint64_t address = h5_uint(&c, SIZE);
    if (c.failed || version != 1)
        return err_set(err, ERR_INVALID, "the HDF5 file has a damaged link");
    return visit_one(v, name, address, err);
}

static enum errc visit_group(const struct h5 *f, uint64_t group,
                             struct visit *v, struct err *err)
{
    struct h5_object o;
    struct str heap;
    enum errc rc = h5_read_object(f, group, &o, err);

    for (size_t i = 0; i < o.n && !rc && !v->stopped; i++) {
        struct h5_cursor c = {o.messages[i].body, false};
        if (o.messages[i].type == H5_MSG_SYMBOL_TABLE) {
            uint64_t tree = h5_uint(&c, SIZE), names = h5_uint(&c, SIZE);
            rc = c.failed ? damaged(err, "a group", group)
                          : local_heap(f, names, &heap, err);
            if (!rc)
                rc = visit_tree(f, tree, heap, v, err);
        } else if (o.messages[i].type == H5_MSG_LINK) {
            rc = visit_link(o.messages[i].body, v, err);
        } else if (o.messages[i].type == H5_MSG_LINK_INFO) {
            (void)h5_uint(&c, 1);
            if (h5_uint(&c, 1) & 1)
                (void)h5_uint(&c, SIZE);
            if (h5_uint(&c, SIZE) != undefined)
                rc = err_set(err, ERR_UNSUPPORTED,
                             "the HDF5 file stores a group densely; save the "
                             "model again without libver='latest'");
        }
    }
    return rc;
}

struct search {
    struct str name;
    uint64_t found;
};

static bool is_it(void *ctx, struct str name, uint64_t address)
{
    struct search *s = ctx;

    if (!str_eq(name, s->name))
        return true;
    s->found = address;
    return false;
}

enum errc h5_find(const struct h5 *f, uint64_t from, struct str path,
                  uint64_t *out, struct err *err)
{
    struct str rest = path;

    for (int depth = 0; rest.p; depth++) {
        struct search s = {str_cut(&rest, '/'), undefined};
        struct visit v = {.each = is_it, .ctx = &s};
        if (s.name.n == 0)
            continue;
        if (depth > PATH_DEPTH)
            return err_set(err, ERR_LIMIT, "the HDF5 path is too deep");
        enum errc rc = visit_group(f, from, &v, err);
        if (rc)
            return rc;
        if (s.found == undefined)
            return err_set(err, ERR_NOT_FOUND,
                           "there is no '" STR_FMT "' in the HDF5 file",
                           STR_ARG(path));
        from = s.found;
    }
    *out = from;
    return ERR_OK;
}

struct names {
    struct arena *arena;
    struct str *list;
    size_t n, cap;
    bool failed;
};

static bool collect(void *ctx, struct str name, uint64_t address)
{
    struct names *l = ctx;
    (void)address;

    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 32;
        struct str *more = arena_new(l->arena, struct str, cap);
        if (!more) {
            l->failed = true;
            return false;
        }
        if (l->n)
            memcpy(more, l->list, l->n * sizeof(*more));
        l->list = more;
        l->cap = cap;
    }
    l->list[l->n++] = name;
    return true;
}

enum errc h5_names(const struct h5 *f, uint64_t group, struct str **names,
                   size_t *n, struct err *err)
{
    struct names l = {.arena = f->arena};
    struct visit v = {.each = collect, .ctx = &l};
    enum errc rc = visit_group(f, group, &v, err);

    if (!rc && l.failed)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc) {
        *names = l.list;
        *n = l.n;
    }
    return rc;
}
