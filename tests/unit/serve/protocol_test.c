#include <stdio.h>

#include "fault.h"
#include "serve/protocols.h"
#include "unit/unit.h"

static struct io_spec inputs[] = {
    {.name = "x", .kind = VALUE_TENSOR, .type = DTYPE_F32, .shape = {2, {-1, 3}}, .has_shape = true},
    {.name = "s", .kind = VALUE_TENSOR, .type = DTYPE_STRING, .shape = {1, {-1}}, .has_shape = true, .optional = true},
};
static struct io_spec output = {.name = "y", .kind = VALUE_TENSOR, .type = DTYPE_F32, .shape = {2, {-1, 2}}, .has_shape = true};
static const struct model_spec spec = {.inputs = inputs, .outputs = &output, .n_inputs = 2, .n_outputs = 1};

/* Decodes the body and encodes a fixed result; what came out, or "" and *rc. */
static void round_trip(const struct protocol *p, const char *body, char *out, size_t size, enum errc *rc)
{
    static float y[] = {0.25F, 0.75F, 1.5F, -2.0F};
    struct value value = {.kind = VALUE_TENSOR, .tensor = {.type = DTYPE_F32, .shape = {2, {2, 2}}, .data = y, .count = 4}};
    static char padded[512];
    struct http_request http;
    struct served model = {.name = (char *)(uintptr_t)"m", .version = (char *)(uintptr_t)"1", .spec = &spec, .batchable = true};
    struct err err = {0};
    size_t n = strlen(body);

    memset(&http, 0, sizeof(http));
    memset(padded, 0, sizeof(padded));
    memcpy(padded, body, n);
    out[0] = '\0';
    arena_init(&http.arena, 1 << 20);
    buf_init(&http.out, 1 << 20);
    http.body = (struct str){padded, n};
    struct infer *r = infer_new(&http, &model, p);
    *rc = r ? p->decode(r, &err) : ERR_NOMEM;
    if (!*rc)
        *rc = p->encode(r, &value, &err);
    if (!*rc && http.out.failed)
        *rc = ERR_NOMEM;
    if (!*rc)
        (void)snprintf(out, size, "%.*s", (int)http.out.n, http.out.p);
    else
        CHECK(!r || err.msg[0] != '\0' || *rc == ERR_NOMEM);
    buf_fini(&http.out);
    arena_fini(&http.arena);
}

TEST(protocols_survive_every_failing_allocation)
{
    static const struct {
        const struct protocol *protocol;
        const char *body, *want; /* part of the reply */
    } cases[] = {
        {&protocol_predict, "[[1,2,3],[4,5,6]]", "0.25"},
        {&protocol_predict, "{\"x\":[[1,2,3],[4,5,6]],\"s\":[\"a\",\"b\\u00e9\"]}", "-2.0"},
        {&protocol_oip,
         "{\"id\":\"7\",\"inputs\":[{\"name\":\"x\",\"shape\":[2,3],\"datatype\":\"FP32\",\"data\":[1,2,3,4,5,6]},"
         "{\"name\":\"s\",\"shape\":[1],\"datatype\":\"BYTES\",\"data\":[\"a\"]}]}",
         "\"shape\":[2,2]"},
        {&protocol_tfs_predict, "{\"instances\":[{\"x\":[1,2,3]},{\"x\":[4,5,6]}]}", "predictions"},
        {&protocol_tfs_predict, "{\"inputs\":{\"x\":[[1,2,3],[4,5,6]]}}", "outputs"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char plain[1024], got[1024];
        enum errc rc;
        ROW("%s", cases[i].body);
        round_trip(cases[i].protocol, cases[i].body, plain, sizeof(plain), &rc);
        CHECK_INT(rc, ERR_OK);
        CHECK(strstr(plain, cases[i].want) != NULL);
        long failures = 0;
        FAULT_LOOP(n)
        {
            round_trip(cases[i].protocol, cases[i].body, got, sizeof(got), &rc);
            CHECK(rc == ERR_OK || rc == ERR_NOMEM);
            failures += rc == ERR_NOMEM;
            /* A reply is whole or it is none. */
            CHECK(rc == ERR_NOMEM || strcmp(got, plain) == 0);
        }
        CHECK(failures > 0);
    }
}
