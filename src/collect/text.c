#include "collect/text.h"

#include "codec/go_float.h"

void text_family(struct buf *out, const char *name, const char *type)
{
    buf_printf(out, "# TYPE %s %s\n", name, type);
}

void text_family_help(struct buf *out, const char *name, const char *type,
                      const char *help)
{
    buf_printf(out, "# HELP %s %s\n", name, help);
    text_family(out, name, type);
}

void text_put(struct buf *out, const char *name, const char *labels, double v)
{
    char text[GO_FLOAT_MAX];

    buf_puts(out, name);
    if (*labels)
        buf_printf(out, "{%s}", labels);
    buf_putc(out, ' ');
    buf_put(out, (struct str){text, go_float(text, 'g', v)});
    buf_putc(out, '\n');
}

void text_one(struct buf *out, const char *name, const char *type, double v)
{
    text_family(out, name, type);
    text_put(out, name, "", v);
}

void text_label(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "%s=\"", key);
    for (const char *p = value; *p; p++) {
        if (*p == '\n')
            buf_puts(out, "\\n");
        else if (*p == '"' || *p == '\\')
            buf_printf(out, "\\%c", *p);
        else
            buf_putc(out, *p);
    }
    buf_putc(out, '"');
}
