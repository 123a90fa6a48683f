#include "cli/ask.h"

#include <time.h>

#include "base/clock.h"
#include "cli/plan.h"
#include "daemon/control_socket.h"

enum { MEMORY_MAX = 16 << 20, PAUSE_NS = 50000000 };

#define SILENCE_NS INT64_C(3000000000)

enum errc ask(const char *what, const char *const *services, size_t n,
              const char *program, struct answer *out, struct err *err)
{
    char place[STATE_PATH_MAX];
    struct buf q, reply;
    enum errc rc = plan_place("up", place, err);

    *out = (struct answer){0};
    arena_init(&out->arena, MEMORY_MAX);
    buf_init(&q, CONTROL_MESSAGE_MAX);
    buf_init(&reply, CONTROL_MESSAGE_MAX);
    buf_put_field(&q, "{\"do\":", str_from_cstr(what));
    buf_puts(&q, ",\"services\":[");
    for (size_t i = 0; i < n; i++) {
        buf_puts(&q, i ? "," : "");
        buf_put_quoted(&q, str_from_cstr(services[i]));
    }
    buf_put_field(&q, "],\"program\":", str_from_cstr(program ? program : ""));
    buf_putc(&q, '}');
    if (!rc)
        rc = control_socket_ask(place, buf_str(&q), &reply, err);
    if (!rc) {
        out->root = json_tree_copy(buf_str(&reply), &out->arena, err);
        const char *copy = arena_cstr(&out->arena, buf_str(&reply));
        out->text = (struct str){copy, copy ? reply.n : 0};
        rc = out->root && copy ? ERR_OK : ERR_INVALID;
    }
    if (!rc && json_get(out->root, "error"))
        rc = err_set(
            err, (enum errc)json_i64_or(json_get(out->root, "code"), 1),
            STR_FMT, STR_ARG(json_str_or(json_get(out->root, "error"), "")));
    buf_fini(&q);
    buf_fini(&reply);
    if (rc)
        answer_free(out);
    return rc;
}

void answer_free(struct answer *a)
{
    arena_fini(&a->arena);
    *a = (struct answer){0};
}

enum errc ask_to(const char *what, const char *const *services, size_t n,
                 const char *program, struct err *err)
{
    struct answer a;
    enum errc rc = ask(what, services, n, program, &a, err);

    if (!rc)
        answer_free(&a);
    return rc;
}

bool answer_has_trouble(const struct answer *a, enum errc *rc, struct err *err)
{
    struct str trouble = json_str_or(json_get(a->root, "trouble"), "");

    if (trouble.n)
        *rc = err_set(err, ERR_UNFIT, STR_FMT, STR_ARG(trouble));
    return trouble.n > 0;
}

const struct json_node *answer_unit(const struct answer *a, const char *name)
{
    const struct json_node *units = json_get(a->root, "units");

    for (size_t i = 0; units && i < units->n; i++)
        if (json_says(json_get(json_at(units, i), "name"), name))
            return json_at(units, i);
    return NULL;
}

enum errc await(bool (*look)(void *ctx, const struct answer *a, enum errc *rc,
                             struct err *err),
                void *ctx, bool gone, int64_t timeout_ns, struct err *err)
{
    const struct timespec pause = {0, PAUSE_NS};
    int64_t now = clock_mono_ns(), end = now + timeout_ns, heard = now;

    for (;;) {
        struct answer a;
        enum errc rc = ask("status", NULL, 0, NULL, &a, err);
        bool done = rc != ERR_OK;
        now = clock_mono_ns();
        if (rc == ERR_UNAVAIL && gone)
            return ERR_OK;
        if (!rc) {
            heard = now;
            done = look(ctx, &a, &rc, err);
            answer_free(&a);
        } else if (rc == ERR_UNAVAIL || rc == ERR_IO) {
            done = now - heard > SILENCE_NS; /* it may be another program now */
        }
        if (done)
            return rc;
        if (now > end)
            return err_set(err, ERR_TIMEOUT,
                           "it takes longer than %lld s; 'stoker status' shows "
                           "how it goes",
                           (long long)(timeout_ns / 1000000000));
        (void)nanosleep(&pause, NULL);
    }
}
