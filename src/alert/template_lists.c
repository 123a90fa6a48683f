/* template_lists.c - functions of lists of texts, which messages to people use
 * (Alertmanager's). */
#include "alert/template_call.h"

CALL(call_join)
{
    UNUSED();
    struct str between;
    struct buf b;
    enum errc rc = call_text_argument(r, &args[0], &between);

    if (!rc && args[1].kind != VALUE_TEXTS)
        rc = template_fail(r, "join needs a list of texts, not %s",
                           value_type(&args[1]));
    if (rc)
        return rc;
    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    for (size_t i = 0; i < args[1].n; i++) {
        buf_put(&b, i ? between : STR(""));
        buf_put(&b, args[1].texts[i]);
    }
    return value_from_buf(r, &b, out);
}

CALL(call_string_slice)
{
    struct str *v = arena_new(&r->arena, struct str, n + 1);
    enum errc rc = v ? ERR_OK : template_fail(r, "out of memory");

    for (size_t i = 0; i < n && !rc; i++)
        rc = call_text_argument(r, &args[i], &v[i]);
    *out = (struct value){.kind = VALUE_TEXTS, .texts = v, .n = n};
    return rc;
}

CALL(call_trim_space)
{
    UNUSED();
    struct str text;
    enum errc rc = call_text_argument(r, &args[0], &text);

    return rc ? rc : call_give_text(out, str_trim(text));
}

const struct template_function template_lists[] = {
    {"join", 2, 2, call_join},
    {"stringSlice", 0, MANY, call_string_slice},
    {"trimSpace", 1, 1, call_trim_space},
    {NULL, 0, 0, NULL},
};
