#include "cli/command.h"
#include "model/runtime.h"

struct options {
    bool json;
};

static const struct flag flags[] = {
    {"json", 0, FLAG_BOOL, offsetof(struct options, json), NULL, 0, 0, 0,
     TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const struct options *o = options;
    struct runtime_options ro = {.device = "cpu", .threads = 1};
    struct runtime *rt = NULL;
    struct err why = {0};
    const char *version = "", *library = "";
    (void)args;
    (void)err;

    if (runtime_ort.open(&ro, &rt, &why) == ERR_OK) {
        version = runtime_ort.version(rt);
        library = runtime_ort.library(rt);
    }
    if (o->json)
        fprintf(cli->out,
                "{\"version\":\"%s\",\"onnxruntime\":\"%s\",\"library\":\"%s\"}"
                "\n",
                STOKER_VERSION, version, library);
    else
        fprintf(cli->out, "stoker %s\nonnxruntime %s%s%s%s\n", STOKER_VERSION,
                *version ? version : why.msg, *library ? " (" : "", library,
                *library ? ")" : "");
    runtime_ort.close(rt);
    return ERR_OK;
}

const struct command cmd_version = {
    .name = "version",
    .args = "",
    .summary = TEXT_CMD_VERSION,
    .flags = flags,
    .run = run,
};
