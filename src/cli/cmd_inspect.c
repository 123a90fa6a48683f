#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "cli/command.h"
#include "cli/hint_flags.h"
#include "codec/digest.h"
#include "codec/json.h"
#include "import/process.h"
#include "model/check.h"
#include "model/golden.h"
#include "model/onnx_file.h"
#include "model/repo.h"

enum { WALK_LIMIT = 64 << 20, TEXT_MAX = 1 << 20 };

struct options {
    bool json;
    const char *ort, *verify;
    struct import_hints hints;
};

static const struct flag flags[] = {
    {"json", 0, FLAG_BOOL, offsetof(struct options, json), NULL, 0, 0, 0,
     TEXT_OPT_JSON, false, 0, NULL},
    {"verify", 0, FLAG_TEXT, offsetof(struct options, verify), NULL, 0, 0, 0,
     TEXT_OPT_VERIFY, false, 0, NULL},
    {"ort", 0, FLAG_TEXT, offsetof(struct options, ort), NULL, 0, 0, 0,
     TEXT_OPT_ORT, false, 0, NULL},
    HINT_FLAGS(struct options, hints),
    {.name = ""},
};

/* All that is known of the file. */
struct subject {
    const char *path, *folder;
    struct buf bytes;
    struct arena arena;
    struct onnx_file file;
    struct imported imported; /* of another framework's file */
    bool is_imported, incomplete;
    char sha256[DIGEST_TEXT];
    struct runtime *runtime;
    struct session *session;
    const struct model_spec *spec;
    struct check_job job;
    char devices[128];
};

/* Every device that this library and this machine can use. */
static void find_devices(struct subject *s, const char *library)
{
    static const char *const names[] = {"cuda", "tensorrt", "openvino"};
    size_t n = (size_t)snprintf(s->devices, sizeof(s->devices), "cpu");

    for (size_t i = 0; i < COUNT(names); i++) {
        struct runtime_options o = {
            .library = library, .device = names[i], .threads = 1};
        struct runtime *rt = NULL;
        if (runtime_ort.open(&o, &rt, NULL))
            continue;
        n += (size_t)snprintf(s->devices + n, sizeof(s->devices) - n, ", %s",
                              names[i]);
        runtime_ort.close(rt);
    }
}

static enum errc examine(struct subject *s, const char *library,
                         const struct import_hints *hints, struct err *err)
{
    struct runtime_options o = {
        .library = library, .device = "cpu", .threads = 1};
    enum errc rc = fs_read(s->path, &s->bytes, err);

    if (rc)
        return rc;
    struct str bytes = buf_str(&s->bytes);
    struct err why = {0};
    if (digest_sha256(bytes, s->sha256, &why))
        (void)snprintf(s->sha256, sizeof(s->sha256), "?");
    if (import_needed(import_sniff(bytes))) {
        s->is_imported = true;
        rc = imported_open(s->path, GRAPH_EXTERNAL, hints, &s->imported, err);
        if (rc && s->imported.report.missing[0]) {
            s->incomplete = true; /* what is missing is an answer too */
            return ERR_OK;
        }
        if (rc)
            return rc;
        bytes = s->imported.source.bytes;
        s->job.source = s->imported.source;
    } else {
        s->job.source =
            (struct model_source){.bytes = bytes, .folder = s->folder};
    }
    rc = onnx_file_read(bytes, s->is_imported ? onnx_weights_given : s->folder,
                        &s->arena, &s->file, err);
    if (rc)
        return rc;
    rc = runtime_ort.open(&o, &s->runtime, err);
    if (rc)
        return rc;
    check_forked(&runtime_ort, s->runtime, &s->job, 1);
    if (s->job.rc) {
        *err = s->job.err;
        return s->job.rc;
    }
    rc = runtime_ort.load(s->runtime, &s->job.source, &s->session, err);
    if (rc)
        return rc;
    s->spec = runtime_ort.spec(s->session);
    find_devices(s, library);
    return ERR_OK;
}

static void put_opsets(struct buf *b, const struct onnx_file *f, bool json)
{
    for (size_t i = 0; i < f->n_opsets; i++) {
        struct str domain = f->opsets[i].domain;
        if (domain.n == 0)
            domain = STR("ai.onnx");
        buf_puts(b, i ? json ? "," : ", " : "");
        if (json) {
            buf_puts(b, "{\"domain\":");
            buf_put_quoted(b, domain);
            buf_printf(b, ",\"version\":%lld}",
                       (long long)f->opsets[i].version);
        } else {
            buf_put(b, domain);
            buf_printf(b, " %lld", (long long)f->opsets[i].version);
        }
    }
}

static void put_operators(struct buf *b, const struct onnx_file *f, bool json)
{
    for (size_t i = 0; i < f->n_operators; i++) {
        const struct onnx_operator *o = &f->operators[i];
        buf_puts(b, i ? json ? "," : ", " : "");
        if (json) {
            buf_puts(b, "{\"domain\":");
            buf_put_quoted(b, o->domain);
            buf_puts(b, ",\"type\":");
            buf_put_quoted(b, o->type);
            buf_printf(b, ",\"count\":%zu}", o->count);
        } else {
            buf_put(b, o->type);
            if (o->count > 1)
                buf_printf(b, " x%zu", o->count);
        }
    }
}

static const char *type_name(const struct io_spec *io)
{
    switch (io->kind) {
    case VALUE_TENSOR:
        return dtype_oip(io->type);
    case VALUE_SEQUENCE:
        return "SEQUENCE";
    case VALUE_MAP:
        return "MAP";
    case VALUE_NONE:
    case VALUE_OTHER:
        break;
    }
    return "OTHER";
}

static void put_io_json(struct buf *b, const struct io_spec *io, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_puts(b, i ? ",{\"name\":" : "{\"name\":");
        buf_put_quoted(b, str_from_cstr(io[i].name));
        buf_printf(b, ",\"datatype\":\"%s\",\"shape\":", type_name(&io[i]));
        shape_format(b, &io[i].shape, NULL);
        buf_printf(b, ",\"optional\":%s,\"dimensions\":[",
                   io[i].optional ? "true" : "false");
        for (int k = 0; k < io[i].shape.rank; k++) {
            buf_puts(b, k ? "," : "");
            buf_put_quoted(b, str_from_cstr(io[i].dim_names[k]));
        }
        buf_puts(b, "]}");
    }
}

static uint64_t parameters(const struct subject *s)
{
    return s->is_imported ? s->imported.report.parameters
                          : s->file.n_parameters;
}

static void put_report_json(struct buf *b, const struct import_report *r)
{
    buf_puts(b, ",\"framework\":");
    buf_put_quoted(b, str_from_cstr(r->framework));
    buf_puts(b, ",\"model_name\":");
    buf_put_quoted(b, str_from_cstr(r->title));
    buf_puts(b, ",\"missing\":");
    buf_put_quoted(b, str_from_cstr(r->missing));
    buf_puts(b, ",\"note\":");
    buf_put_quoted(b, str_from_cstr(r->note));
    buf_puts(b, ",\"classes\":[");
    for (size_t i = 0; i < r->n_classes; i++) {
        buf_puts(b, i ? ",{\"name\":" : "{\"name\":");
        buf_put_quoted(b, str_from_cstr(r->classes[i]));
        buf_printf(b, ",\"count\":%zu}", r->counts[i]);
    }
    buf_puts(b, "],\"tensors\":[");
    for (size_t i = 0; i < r->n_tensors; i++) {
        buf_puts(b, i ? "," : "");
        buf_put_quoted(b, str_from_cstr(r->tensors[i]));
    }
    buf_putc(b, ']');
}

static void put_json(struct buf *b, const struct subject *s)
{
    const struct onnx_file *f = &s->file;

    buf_puts(b, "{\"file\":");
    buf_put_quoted(b, str_from_cstr(s->path));
    buf_puts(b, ",\"format\":");
    buf_put_quoted(
        b, str_from_cstr(s->is_imported ? s->imported.report.kind : "onnx"));
    if (s->is_imported)
        put_report_json(b, &s->imported.report);
    buf_printf(b,
               ",\"size\":%zu,\"sha256\":\"%s\","
               "\"ir_version\":%lld,\"producer\":",
               s->bytes.n, s->sha256, (long long)f->ir_version);
    buf_put_quoted(b, f->producer);
    buf_puts(b, ",\"opsets\":[");
    put_opsets(b, f, true);
    buf_printf(b,
               "],\"nodes\":%zu,\"parameters\":%llu,\"external\":%zu,"
               "\"operators\":[",
               f->n_nodes, (unsigned long long)parameters(s), f->n_external);
    put_operators(b, f, true);
    buf_puts(b, "],\"inputs\":[");
    put_io_json(b, s->spec->inputs, s->spec->n_inputs);
    buf_puts(b, "],\"outputs\":[");
    put_io_json(b, s->spec->outputs, s->spec->n_outputs);
    buf_printf(b, "],\"batchable\":%s,\"why_not_batchable\":",
               s->job.facts.batchable ? "true" : "false");
    buf_put_quoted(b, str_from_cstr(s->job.facts.why));
    buf_printf(b,
               ",\"run_us\":%.1f,\"devices\":\"%s\",\"onnxruntime\":\"%s\"}"
               "\n",
               (double)s->job.facts.run_ns / 1e3, s->devices,
               runtime_ort.version(s->runtime));
}

static void put_io_text(struct buf *b, const struct io_spec *io, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_puts(b, i ? "               " : "");
        buf_printf(b, "%s  %s ", io[i].name, type_name(&io[i]));
        if (io[i].kind == VALUE_TENSOR)
            shape_format(b, &io[i].shape, io[i].dim_names);
        buf_puts(b, io[i].optional ? "  (optional)\n" : "\n");
    }
    if (n == 0)
        buf_putc(b, '\n');
}

static void label(struct buf *b, struct cli *cli, enum text t)
{
    buf_printf(b, "%-14s ", text_in(cli->language, t));
}

static void put_report_text(struct buf *b, struct cli *cli,
                            const struct import_report *r)
{
    label(b, cli, TEXT_FIELD_KIND);
    buf_printf(b, "%s, %s\n", r->kind, r->framework);
    label(b, cli, TEXT_FIELD_CLASSES);
    for (size_t i = 0; i < r->n_classes; i++) {
        buf_printf(b, "%s%s", i ? ", " : "", r->classes[i]);
        if (r->counts[i] > 1)
            buf_printf(b, " x%zu", r->counts[i]);
    }
    buf_puts(b, r->n_classes ? "\n" : "-\n");
    for (size_t i = 0; i < r->n_tensors; i++) {
        label(b, cli, TEXT_FIELD_TENSOR);
        buf_printf(b, "%s\n", r->tensors[i]);
    }
    if (r->missing[0]) {
        label(b, cli, TEXT_FIELD_MISSING);
        buf_printf(b, "%s\n", r->missing);
    }
    if (r->note[0]) {
        label(b, cli, TEXT_FIELD_NOTE);
        buf_printf(b, "%s\n", r->note);
    }
}

/* A file that is not enough to serve. */
static void put_incomplete(struct buf *b, struct cli *cli,
                           const struct subject *s, bool json)
{
    const struct import_report *r = &s->imported.report;

    if (json) {
        buf_puts(b, "{\"file\":");
        buf_put_quoted(b, str_from_cstr(s->path));
        buf_puts(b, ",\"format\":");
        buf_put_quoted(b, str_from_cstr(r->kind));
        put_report_json(b, r);
        buf_printf(b, ",\"size\":%zu,\"sha256\":\"%s\",\"parameters\":%llu}\n",
                   s->bytes.n, s->sha256, (unsigned long long)r->parameters);
        return;
    }
    label(b, cli, TEXT_FIELD_FILE);
    buf_printf(b, "%s\n", s->path);
    label(b, cli, TEXT_FIELD_SIZE);
    buf_printf(b, "%zu B\n", s->bytes.n);
    label(b, cli, TEXT_FIELD_SHA256);
    buf_printf(b, "%s\n", s->sha256);
    put_report_text(b, cli, r);
    label(b, cli, TEXT_FIELD_PARAMETERS);
    buf_printf(b, "%llu\n", (unsigned long long)r->parameters);
}

static void put_text(struct buf *b, struct cli *cli, const struct subject *s)
{
    const struct onnx_file *f = &s->file;
    const struct model_facts *facts = &s->job.facts;

    label(b, cli, TEXT_FIELD_FILE);
    buf_printf(b, "%s\n", s->path);
    label(b, cli, TEXT_FIELD_SIZE);
    buf_printf(b, "%zu B\n", s->bytes.n);
    label(b, cli, TEXT_FIELD_SHA256);
    buf_printf(b, "%s\n", s->sha256);
    if (s->is_imported)
        put_report_text(b, cli, &s->imported.report);
    label(b, cli, TEXT_FIELD_PRODUCER);
    buf_put(b, f->producer);
    buf_putc(b, ' ');
    buf_put(b, f->producer_version);
    buf_putc(b, '\n');
    label(b, cli, TEXT_FIELD_IR);
    buf_printf(b, "%lld\n", (long long)f->ir_version);
    label(b, cli, TEXT_FIELD_OPSETS);
    put_opsets(b, f, false);
    buf_putc(b, '\n');
    label(b, cli, TEXT_FIELD_NODES);
    buf_printf(b, "%zu\n", f->n_nodes);
    label(b, cli, TEXT_FIELD_PARAMETERS);
    buf_printf(b, "%llu\n", (unsigned long long)parameters(s));
    label(b, cli, TEXT_FIELD_OPERATORS);
    put_operators(b, f, false);
    buf_putc(b, '\n');
    label(b, cli, TEXT_FIELD_INPUTS);
    put_io_text(b, s->spec->inputs, s->spec->n_inputs);
    label(b, cli, TEXT_FIELD_OUTPUTS);
    put_io_text(b, s->spec->outputs, s->spec->n_outputs);
    label(b, cli, TEXT_FIELD_BATCHABLE);
    buf_printf(b, "%s%s%s%s\n",
               text_in(cli->language, facts->batchable ? TEXT_YES : TEXT_NO),
               facts->why[0] ? " (" : "", facts->why, facts->why[0] ? ")" : "");
    label(b, cli, TEXT_FIELD_RUN);
    if (facts->tried)
        buf_printf(b, "%.1f us\n", (double)facts->run_ns / 1e3);
    else
        buf_puts(b, "?\n");
    label(b, cli, TEXT_FIELD_DEVICES);
    buf_printf(b, "%s\n", s->devices);
    label(b, cli, TEXT_FIELD_RUNTIME);
    buf_printf(b, "onnxruntime %s\n", runtime_ort.version(s->runtime));
}

/* Runs the model on a recorded input and compares with the recorded output. */
static enum errc verify(struct cli *cli, struct subject *s, const char *input,
                        const char *output, bool json, struct err *err)
{
    struct golden_result r;
    struct buf in, out;

    buf_init(&in, GOLDEN_MAX_BYTES);
    buf_init(&out, GOLDEN_MAX_BYTES);
    enum errc rc = json_read_file(input, &in, err);
    if (!rc)
        rc = json_read_file(output, &out, err);
    if (!rc)
        rc = golden_compare(&runtime_ort, s->session, buf_str(&in),
                            buf_str(&out), 1e-3, 1e-4, &r, err);
    if (!rc && json)
        (void)fprintf(cli->out,
                      "{\"verified\":true,\"outputs\":%zu,\"elements\":%zu,"
                      "\"worst\":%.6g}\n",
                      r.outputs, r.elements, r.worst);
    else if (!rc)
        (void)fprintf(cli->out, text_in(cli->language, TEXT_VERIFIED),
                      r.outputs, r.elements, r.worst * 100);
    buf_fini(&in);
    buf_fini(&out);
    return rc;
}

static void release(struct subject *s)
{
    if (s->session)
        runtime_ort.unload(s->session);
    runtime_ort.close(s->runtime);
    if (s->is_imported)
        imported_close(&s->imported);
    buf_fini(&s->bytes);
    arena_fini(&s->arena);
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct repo repo;
    struct subject *s = calloc(1, sizeof(*s));
    struct buf text;

    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    repo_init(&repo);
    arena_init(&s->arena, WALK_LIMIT);
    buf_init(&s->bytes, INT32_MAX);
    buf_init(&text, TEXT_MAX);
    enum errc rc = repo_add(&repo, args->rest[0], err);
    if (!rc && (repo.n == 0 || repo.entries[0].rc))
        rc = err_set(err, ERR_NOT_FOUND, "there is no model in '%s'",
                     args->rest[0]);
    if (!rc) {
        s->path = repo.entries[0].path;
        s->folder = repo.entries[0].folder;
        rc = examine(s, o->ort, &o->hints, err);
        if (rc)
            rc = err_wrap(err, rc, "'%s'", s->path);
    }
    if (!rc && o->verify) {
        if (args->n != 2 || s->incomplete)
            rc = err_set(err, ERR_INVALID, "%s",
                         args->n != 2 ? "--verify needs two files: inspect "
                                        "MODEL --verify INPUT OUTPUT"
                                      : s->imported.report.missing);
        else
            rc = verify(cli, s, o->verify, args->rest[1], o->json, err);
    } else if (!rc && args->n > 1) {
        rc = err_set(err, ERR_INVALID, text_in(cli->language, TEXT_TOO_MANY),
                     "inspect", args->rest[1]);
    } else if (!rc) {
        if (s->incomplete)
            put_incomplete(&text, cli, s, o->json);
        else if (o->json)
            put_json(&text, s);
        else
            put_text(&text, cli, s);
        (void)fwrite(text.p, 1, text.n, cli->out);
    }
    buf_fini(&text);
    release(s);
    free(s);
    repo_fini(&repo);
    return rc;
}

const struct command cmd_inspect = {
    .name = "inspect",
    .args = "MODEL [--verify INPUT OUTPUT]",
    .summary = TEXT_CMD_INSPECT,
    .min_args = 1,
    .max_args = 2,
    .flags = flags,
    .run = run,
};
