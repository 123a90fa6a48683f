/* yaml_form.h - a YAML map into a struct, by a table of its fields; every
 * mistake is told with its place, and reading goes on behind it.
 *
 * Threads: any.
 */
#ifndef CODEC_YAML_FORM_H
#define CODEC_YAML_FORM_H

#include "base/buf.h"
#include "codec/yaml.h"

/* Where mistakes go. */
struct yaml_form {
    const char *file;
    struct arena *arena; /* of what is made */
    /* Each mistake, "4:5: what"; may be NULL. */
    void (*report)(void *ctx, const char *file, const char *message);
    void *ctx;
    struct err *err; /* the first one, with the file's name before it */
    enum errc rc;
};

void yaml_wrong(struct yaml_form *f, const struct yaml *at, const char *fmt,
                ...) PRINTF_LIKE(3, 4);
void yaml_no_memory(struct yaml_form *f);

/* The file is none that can be read; why->msg begins with the place, if any. */
void yaml_broken(struct yaml_form *f, const struct err *why);

enum yaml_field_kind {
    YAML_FIELD_TEXT,  /* struct str */
    YAML_FIELD_BOOL,  /* bool */
    YAML_FIELD_WHOLE, /* int64_t */
    YAML_FIELD_TEXTS, /* struct yaml_texts */
    YAML_FIELD_OTHER  /* by `take` */
};

struct yaml_texts {
    struct str *v;
    size_t n;
};

struct yaml_field {
    const char *name;
    enum yaml_field_kind kind;
    size_t at; /* offset in the struct */
    void (*take)(struct yaml_form *f, const struct yaml *n, void *field);
};

/* Fields that are missing or null stay as they are. The table ends with a
 * field without a name. */
void yaml_take(struct yaml_form *f, const struct yaml *map,
               const struct yaml_field *fields, void *out);

/* The text of a scalar; empty, and told, when it is none. */
struct str yaml_take_text(struct yaml_form *f, const struct yaml *n);

/* A file that the file names: from where that one lies, unless it begins with
 * a slash. */
void yaml_beside(const struct yaml_form *f, struct str name, char *out,
                 size_t max);

/* The same for each of a list, in the form's arena. */
void yaml_all_beside(struct yaml_form *f, struct yaml_texts *names);

/* A field whose value makes no difference here. */
void yaml_ignore(struct yaml_form *f, const struct yaml *n, void *field);

/* True when n is a list (an absent one is not); told when it is something
 * else. */
bool yaml_is_list(struct yaml_form *f, const struct yaml *n);

/* Room in the form's arena for all entries of a list, each of so many bytes;
 * NULL: there is no list, or no memory, which is told. */
void *yaml_room(struct yaml_form *f, const struct yaml *n, size_t size);

/* The text of a file to be shown: values of keys like password and secret are
 * replaced, URLs by http://secret.invalid. */
void yaml_hide(struct buf *out, struct str text);

#endif
