/* text.h - writes metrics in the text format, for collectors.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * Threads: any.
 */
#ifndef COLLECT_TEXT_H
#define COLLECT_TEXT_H

#include "base/buf.h"

/* "# TYPE name counter\n"; type: counter, gauge or untyped. */
void text_family(struct buf *out, const char *name, const char *type);

/* The same with "# HELP name help\n" before it. */
void text_family_help(struct buf *out, const char *name, const char *type,
                      const char *help);

/* name{labels} value; labels is "" or cpu="0",mode="idle", already escaped. */
void text_put(struct buf *out, const char *name, const char *labels, double v);

/* A family of one value. */
void text_one(struct buf *out, const char *name, const char *type, double v);

/* key="value" with the value's \ " and newline escaped. */
void text_label(struct buf *out, const char *key, const char *value);

#endif
