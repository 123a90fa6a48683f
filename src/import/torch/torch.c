#include "import/torch/torch.h"

#include <stdio.h>
#include <string.h>

#include "codec/json_tree.h"
#include "import/torch/program.h"

enum {
    TEXT_MAX = 64 << 20,
    PREFIX_MAX = 400,
    MAX_DEPTH = 64,
    HEADER_MAX = 100 << 20,
};

/* The folder that holds data.pkl: its name is the file's, whatever it was. */
static bool find_folder(const struct zip *z, struct str *folder)
{
    for (size_t i = 0; i < z->n; i++) {
        struct str name = z->entries[i].name;
        if (str_ends(name, STR("/data.pkl")) || str_eq(name, STR("data.pkl"))) {
            *folder = str_slice(name, 0, name.n - 8);
            if (!memchr(folder->p, '/', folder->n) ||
                (size_t)((const char *)memchr(folder->p, '/', folder->n) -
                         folder->p) == folder->n - 1)
                return true;
        }
    }
    return false;
}

bool torch_is_archive(const struct zip *z)
{
    struct str folder;

    return pt2_is(z) || find_folder(z, &folder);
}

/* PROTO 2, LONG1 of ten bytes: the magic number 0x1950a86a20f9469cfc6c. */
bool torch_is_legacy(struct str file)
{
    static const char magic[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a"
                                "\xa8\x50\x19\x2e";

    return file.n >= sizeof(magic) - 1 &&
           memcmp(file.p, magic, sizeof(magic) - 1) == 0;
}

static uint64_t header_size(struct str file)
{
    uint64_t n = 0;

    for (int i = 8; i-- > 0 && file.n >= 8;)
        n = n << 8 | (unsigned char)file.p[i];
    return n;
}

bool torch_is_safetensors(struct str file)
{
    uint64_t n = header_size(file);

    return file.n > 10 && n >= 2 && n < HEADER_MAX && file.p[8] == '{';
}

/* What a person without the class can do. */
static void say_missing(struct import *out, const char *what,
                        const char *class_name)
{
    (void)snprintf(
        out->report.missing, sizeof(out->report.missing),
        "%s; how they are connected is in the Python class%s%s, which is not "
        "in the file. Give its source, which is read and never run: --code "
        "model.py [--class %s] [--init '{...}'] [--input 1,3,224,224]. Where "
        "the framework is: m = %s(...); "
        "m.load_state_dict(torch.load('FILE')); m.eval(); "
        "torch.jit.trace(m, torch.zeros(SHAPE)).save('model.pt')  or  "
        "torch.onnx.export(m, torch.zeros(SHAPE), 'model.onnx')",
        what, class_name[0] ? " " : "", class_name,
        class_name[0] ? class_name : "Net", class_name[0] ? class_name : "Net");
}

/* Shared objects can make a small pickle a large tree. */
static enum errc too_much(struct torch_file *f)
{
    return err_set(f->err, ERR_LIMIT,
                   "the pickle's objects refer to each other too often");
}

/* Lists the tensors of a dict or module tree. */
static enum errc list_tensors(struct torch_file *f, const struct pickle *v,
                              const char *prefix, int depth, struct import *out)
{
    enum errc rc = ERR_OK;

    if (depth > MAX_DEPTH || !v)
        return ERR_OK;
    if ((f->work += v->n + 1) > TORCH_MAX_WORK)
        return too_much(f);
    for (size_t i = 0; i + 1 < v->n && !rc; i += 2) {
        const struct pickle *key = v->items[i], *value = v->items[i + 1];
        char name[PREFIX_MAX];
        struct tensor t;
        if (!pickle_is(key, PICKLE_STR))
            continue;
        (void)snprintf(name, sizeof(name), "%s%s%.*s", prefix,
                       *prefix ? "." : "",
                       key->text.n < 150 ? (int)key->text.n : 150, key->text.p);
        if (torch_is_tensor(value)) {
            rc = torch_tensor(f, value, &t);
            if (!rc)
                import_lists(out, str_from_cstr(name), &t);
        } else if (value->kind == PICKLE_DICT ||
                   (value->kind == PICKLE_CALL && value->n)) {
            rc = list_tensors(f, value, name, depth + 1, out);
        }
    }
    return rc;
}

static enum errc list_module(struct torch_file *f, const struct pickle *m,
                             const char *prefix, int depth, struct import *out)
{
    static const char *const parts[] = {"_parameters", "_buffers"};
    enum errc rc = ERR_OK;

    if (depth > MAX_DEPTH || !pickle_is(m, PICKLE_OBJECT))
        return ERR_OK;
    if (++f->work > TORCH_MAX_WORK)
        return too_much(f);
    struct str class_name = pickle_name(m);
    if (str_starts(class_name, STR("torch.nn.modules.")))
        while (memchr(class_name.p, '.', class_name.n))
            (void)str_cut(&class_name, '.');
    import_saw(out, class_name);
    for (size_t i = 0; i < COUNT(parts) && !rc; i++)
        rc =
            list_tensors(f, pickle_get(m->state, parts[i]), prefix, depth, out);
    const struct pickle *children = pickle_get(m->state, "_modules");
    for (size_t i = 0; children && i + 1 < children->n && !rc; i += 2) {
        char name[PREFIX_MAX];
        struct str key = children->items[i]->text;
        (void)snprintf(name, sizeof(name), "%s%s%.*s", prefix,
                       *prefix ? "." : "", key.n < 150 ? (int)key.n : 150,
                       key.p ? key.p : "");
        rc = list_module(f, children->items[i + 1], name, depth + 1, out);
    }
    return rc;
}

/* With the class from somewhere; without --code a failure is what was found
 * and what is missing. */
static enum errc with_class(struct program *p, const char *what,
                            const char *class_name)
{
    enum errc rc = source_import(p);
    struct import_report *r = &p->out->report;

    if (!rc)
        return ERR_OK;
    if (p->out->options.code.n || p->out->options.class_name.n ||
        rc == ERR_DENIED || rc == ERR_LIMIT)
        return rc;
    say_missing(p->out, what, class_name);
    return err_set(p->err, ERR_UNSUPPORTED,
                   "%s: %s, but not the class%s%s that connects them: give "
                   "--code model.py (read, never run) and --input SHAPE; or "
                   "where the framework is: torch.onnx.export(m, "
                   "torch.zeros(SHAPE), 'model.onnx')",
                   r->kind, what, class_name[0] ? " " : "", class_name);
}

/* The class may be that of another state_dict in the file. */
static enum errc any_other(struct torch_file *f, const struct program *first,
                           enum errc rc)
{
    const struct pickle *list[CHECKPOINT_OTHERS];
    size_t n = checkpoint_others(first->whole, first->root, list, 0, 0);

    for (size_t i = 0; i < n && rc && rc != ERR_DENIED && rc != ERR_LIMIT;
         i++) {
        struct err err = {.code = ERR_OK};
        struct program p = {.arena = first->arena,
                            .file = f,
                            .root = list[i],
                            .whole = first->whole,
                            .out = first->out,
                            .err = &err};
        if (checkpoint_weights(f, list[i], &p.weights) || source_import(&p))
            continue;
        *f->err = (struct err){.code = ERR_OK};
        return ERR_OK;
    }
    return rc;
}

/* A file that holds weights but no code. */
static enum errc weights_only(struct torch_file *f, const struct pickle *root,
                              struct import *out)
{
    const struct pickle *model = checkpoint_model(root, 0);
    struct program p = {.arena = out->arena,
                        .file = f,
                        .root = model,
                        .whole = root,
                        .out = out,
                        .err = f->err};
    char class_name[200] = "", what[100];
    enum errc rc;

    if (pickle_is(model, PICKLE_OBJECT)) {
        struct str name = str_behind_last(pickle_name(model), '.');
        (void)snprintf(class_name, sizeof(class_name), STR_FMT, STR_ARG(name));
        out->report.kind = "PyTorch module (pickle)";
        rc = list_module(f, model, "", 0, out);
    } else {
        out->report.kind = "PyTorch state_dict";
        rc = list_tensors(f, root, "", 0, out);
        if (!rc)
            rc = checkpoint_weights(f, model, &p.weights);
    }
    if (rc)
        return rc;
    if (out->report.n_tensors == 0)
        return err_set(f->err, ERR_UNSUPPORTED,
                       "the PyTorch file holds no tensors");
    (void)snprintf(what, sizeof(what), "the file holds %zu tensors",
                   out->report.n_tensors);
    rc = with_class(&p, what, class_name);
    return rc && !class_name[0] && out->options.code.n ? any_other(f, &p, rc)
                                                       : rc;
}

enum errc torch_import_zip(struct str file, const struct zip *z,
                           struct import *out, struct err *err)
{
    struct torch_file f = {
        .arena = out->arena, .err = err, .zip = z, .data = "data/"};
    struct str data, version;
    struct pickle *root;
    (void)file;

    out->report.framework = "PyTorch";
    if (pt2_is(z))
        return pt2_import(&f, out, err);
    if (!find_folder(z, &f.folder))
        return err_set(err, ERR_INVALID, "the archive holds no data.pkl");
    out->report.kind = "PyTorch file";
    enum errc rc = torch_entry(&f, "data.pkl", TEXT_MAX, &data);
    if (!rc)
        rc = torch_entry(&f, "byteorder", 16, &version);
    if (rc)
        return rc;
    if (version.p && !str_eq(version, STR("little")))
        return err_set(err, ERR_UNSUPPORTED,
                       "the file was written on a big-endian machine");
    rc = pickle_read(&data, &torch_rules, out->arena, &root, err);
    if (rc)
        return rc;
    if (data.n)
        return err_set(err, ERR_DENIED,
                       "there are %zu bytes behind the end of the pickle; "
                       "refusing to load it",
                       data.n);
    if (str_starts(pickle_name(root), STR("__torch__"))) {
        out->report.kind = "TorchScript archive";
        return script_import(&f, root, out, err);
    }
    return weights_only(&f, root, out);
}

static bool read_count(struct str *rest, uint64_t *out)
{
    if (rest->n < 8)
        return false;
    *out = header_size(*rest);
    *rest = str_slice(*rest, 8, rest->n);
    return true;
}

/* Bytes of an element of the storages of a legacy file are not written beside
 * them: they follow from the persistent ids. */
static size_t element_size(struct torch_file *f, const struct pickle *v,
                           struct str key, int depth)
{
    static const struct {
        const char *name;
        size_t size;
    } sizes[] = {{"torch.DoubleStorage", 8}, {"torch.LongStorage", 8},
                 {"torch.FloatStorage", 4},  {"torch.IntStorage", 4},
                 {"torch.HalfStorage", 2},   {"torch.BFloat16Storage", 2},
                 {"torch.ShortStorage", 2},  {"torch.ByteStorage", 1},
                 {"torch.CharStorage", 1},   {"torch.BoolStorage", 1}};
    size_t found = 0;

    if (!v || depth > MAX_DEPTH || ++f->work > TORCH_MAX_WORK)
        return 0;
    if (v->kind == PICKLE_PERSISTENT) {
        const struct pickle *k = pickle_at(v->args, 2);
        if (!pickle_is(k, PICKLE_STR) || !str_eq(k->text, key))
            return 0;
        for (size_t i = 0; i < COUNT(sizes); i++)
            if (pickle_named(pickle_at(v->args, 1), sizes[i].name))
                return sizes[i].size;
        return 0;
    }
    for (size_t i = 0; i < v->n && !found; i++)
        found = element_size(f, v->items[i], key, depth + 1);
    if (!found)
        found = element_size(f, v->args, key, depth + 1);
    return found ? found : element_size(f, v->state, key, depth + 1);
}

/* Magic, protocol, system, object, keys; then count and bytes of each. */
enum errc torch_import_legacy(struct str file, struct import *out,
                              struct err *err)
{
    struct torch_file f = {.arena = out->arena, .err = err};
    struct pickle *parts[5];
    struct str rest = file;

    out->report.kind = "PyTorch file (before 1.6)";
    out->report.framework = "PyTorch";
    for (size_t i = 0; i < COUNT(parts); i++) {
        enum errc rc =
            pickle_read(&rest, &torch_rules, out->arena, &parts[i], err);
        if (rc)
            return rc;
    }
    const struct pickle *keys = parts[4];
    if (!pickle_is(keys, PICKLE_LIST))
        return err_set(err, ERR_INVALID, "the file has no list of storages");
    f.storages = arena_new(out->arena, struct torch_storage, keys->n + 1);
    if (!f.storages)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < keys->n; i++) {
        uint64_t count;
        struct str key = pickle_is(keys->items[i], PICKLE_STR)
                             ? keys->items[i]->text
                             : STR("");
        size_t size = element_size(&f, parts[3], key, 0);
        if (!read_count(&rest, &count) || size == 0 || count > rest.n / size)
            return err_set(err, ERR_INVALID,
                           "the file is cut off at its %zuth storage", i + 1);
        f.storages[f.n_storages++] = (struct torch_storage){
            key, str_slice(rest, 0, (size_t)count * size)};
        rest = str_slice(rest, (size_t)count * size, rest.n);
    }
    return weights_only(&f, parts[3], out);
}

/* The bytes where they are, or a copy if they are not aligned. */
static enum errc in_place(struct arena *arena, const char *from,
                          struct tensor *t, struct err *err)
{
    t->data = (void *)(uintptr_t)from;
    if ((uintptr_t)from % dtype_size(t->type) == 0)
        return ERR_OK;
    t->data = arena_bytes(arena, tensor_bytes(t) + 1);
    if (!t->data)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(t->data, from, tensor_bytes(t));
    return ERR_OK;
}

/* One entry of the header; bytes: what stands behind it. */
static enum errc read_entry(const struct json_node *v, struct str bytes,
                            struct arena *arena, struct tensor *t,
                            struct err *err)
{
    static const struct {
        const char *name;
        enum dtype type;
    } types[] = {{"F32", DTYPE_F32},   {"F16", DTYPE_F16}, {"BF16", DTYPE_BF16},
                 {"F64", DTYPE_F64},   {"I64", DTYPE_I64}, {"I32", DTYPE_I32},
                 {"I16", DTYPE_I16},   {"I8", DTYPE_I8},   {"U8", DTYPE_U8},
                 {"BOOL", DTYPE_BOOL}, {"U16", DTYPE_U16}, {"U32", DTYPE_U32},
                 {"U64", DTYPE_U64}};
    const struct json_node *offsets = json_get(v, "data_offsets");
    int64_t from = json_i64_or(json_at(offsets, 0), -1), count;
    int64_t to = json_i64_or(json_at(offsets, 1), -1);
    const struct json_node *shape = json_get(v, "shape");

    *t = (struct tensor){.type = DTYPE_NONE};
    for (size_t i = 0; i < COUNT(types); i++)
        if (json_says(json_get(v, "dtype"), types[i].name))
            t->type = types[i].type;
    for (const struct json_node *d = shape ? shape->first : NULL;
         d && t->shape.rank < SHAPE_MAX_RANK; d = d->next)
        t->shape.dim[t->shape.rank++] = json_i64_or(d, -1);
    if (t->type == DTYPE_NONE || !shape_count(&t->shape, &count) || from < 0 ||
        to < from || (uint64_t)to > bytes.n ||
        (uint64_t)(to - from) != (uint64_t)count * dtype_size(t->type))
        return err_set(err, ERR_INVALID,
                       "the tensor '" STR_FMT
                       "' of the safetensors file does not fit",
                       STR_ARG(v->key));
    t->count = (size_t)count;
    return in_place(arena, bytes.p + from, t, err);
}

/* 8 bytes of length, JSON, bytes: https://github.com/huggingface/safetensors */
enum errc torch_import_safetensors(struct str file, struct import *out,
                                   struct err *err)
{
    struct torch_file f = {.arena = out->arena, .err = err};
    struct program p = {
        .arena = out->arena, .file = &f, .out = out, .err = err};
    uint64_t n = header_size(file);

    out->report.kind = "safetensors file";
    out->report.framework = "safetensors";
    if (n > file.n - 8)
        return err_set(err, ERR_INVALID, "the safetensors file is cut off");
    struct json_node *root =
        json_tree(str_slice(file, 8, 8 + (size_t)n), out->arena, err);
    if (!root)
        return err_wrap(err, err->code, "the safetensors header");
    p.weights.list = arena_new(out->arena, struct weight, root->n + 1);
    if (!p.weights.list)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (struct json_node *v = root->first; v; v = v->next) {
        struct tensor t;
        if (str_eq(v->key, STR("__metadata__")))
            continue;
        enum errc rc = read_entry(v, str_slice(file, 8 + (size_t)n, file.n),
                                  out->arena, &t, err);
        if (rc)
            return rc;
        import_lists(out, v->key, &t);
        p.weights.list[p.weights.n++] =
            (struct weight){.name = v->key, .tensor = t};
    }
    char what[100];
    (void)snprintf(what, sizeof(what), "the file holds %zu tensors",
                   out->report.n_tensors);
    return with_class(&p, what, "");
}
