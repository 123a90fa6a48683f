/* template_call.h - for the functions of templates: arguments in, a value out.
 */
#ifndef ALERT_TEMPLATE_CALL_H
#define ALERT_TEMPLATE_CALL_H

#include "alert/template_internal.h"

enum { MANY = 100 }; /* arguments */

#define CALL(name)                                                           \
    static enum errc name(struct run *r, const struct value *args, size_t n, \
                          struct value *out)
#define UNUSED() ((void)r, (void)args, (void)n)

/* Tables; a row without a name ends one. */
extern const struct template_function template_texts[], template_logic[],
    template_lists[], template_times[];

static inline enum errc call_text_argument(struct run *r, const struct value *v,
                                           struct str *out)
{
    if (v->kind != VALUE_TEXT)
        return template_fail(r, "wrong type: expected a text, found %s",
                             value_type(v));
    *out = v->text;
    return ERR_OK;
}

static inline enum errc call_give_text(struct value *out, struct str s)
{
    *out = value_of_text(s);
    return ERR_OK;
}

static inline enum errc call_give_bool(struct value *out, bool b)
{
    *out = (struct value){.kind = VALUE_BOOL, .b = b};
    return ERR_OK;
}

#endif
