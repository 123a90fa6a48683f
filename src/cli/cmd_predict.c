#include <string.h>

#include "cli/local.h"

enum { TIMEOUT_MS = 600000, REPLY_MAX = 1 << 30 };

struct options {
    const char *data, *file;
    struct import_hints hints;
};

static const struct flag flags[] = {
    {"data", 'd', FLAG_TEXT, offsetof(struct options, data), NULL, 0, 0, 0,
     TEXT_OPT_DATA, false, 0, NULL},
    {"file", 'f', FLAG_TEXT, offsetof(struct options, file), NULL, 0, 0, 0,
     TEXT_OPT_FILE, false, 0, NULL},
    HINT_FLAGS(struct options, hints),
    {.name = ""},
};

/* A reply that is no success is an error of ours, with the server's words. */
static enum errc judge(int status, const struct buf *reply, struct err *err)
{
    static const struct {
        int status;
        enum errc code;
    } table[] = {
        {403, ERR_DENIED},      {404, ERR_NOT_FOUND}, {413, ERR_LIMIT},
        {415, ERR_UNSUPPORTED}, {429, ERR_BUSY},      {500, ERR_INTERNAL},
        {501, ERR_UNSUPPORTED}, {503, ERR_UNAVAIL},   {504, ERR_TIMEOUT}};
    enum errc rc = ERR_INVALID;

    if (status < 400)
        return ERR_OK;
    for (size_t i = 0; i < COUNT(table); i++)
        if (table[i].status == status)
            rc = table[i].code;
    err_record(err, rc, "status %d: %.*s", status,
               (int)(reply->n < 400 ? reply->n : 400), reply->p);
    return rc;
}

static enum errc ask(struct cli *cli, struct local *l, struct buf *body,
                     bool given, struct err *err)
{
    struct buf reply;
    int status = 0;
    enum errc rc = ERR_OK;

    if (!given || !l->path[0])
        rc = local_example(l, given ? NULL : body, err);
    if (rc)
        return rc;
    struct str bytes = buf_str(body);
    buf_init(&reply, REPLY_MAX);
    rc = client_request(&l->url, l->path, "application/json", &bytes,
                        TIMEOUT_MS, &status, &reply, err);
    if (!rc)
        rc = judge(status, &reply, err);
    if (!rc) {
        (void)fwrite(reply.p, 1, reply.n, cli->out);
        fputc('\n', cli->out);
    }
    buf_fini(&reply);
    return rc;
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct local l = {0};
    struct buf body;
    bool given;
    enum errc rc = local_body(o->data, o->file, &body, &given, err);

    if (!rc)
        rc = local_open(cli, args->rest[0], &o->hints, &l, err);
    if (!rc)
        rc = ask(cli, &l, &body, given, err);
    local_close(&l);
    buf_fini(&body);
    return rc;
}

const struct command cmd_predict = {
    .name = "predict",
    .args = "MODEL.onnx|URL",
    .summary = TEXT_CMD_PREDICT,
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .run = run,
};
