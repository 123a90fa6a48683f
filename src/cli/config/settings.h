/* settings.h - stoker.yaml, read by tables: a section of the file is a table of
 * options (cli/flag.h), so that a setting and an option of the command line are
 * one row, with one name, one range and one text.
 *
 *     serve:                    a section that is there once
 *       http_port: 8000
 *     models:                   a section of several blocks, by name
 *       iris: {file: iris.onnx}
 *       resnet: resnet.onnx     a text stands for the section's `shorthand`
 *
 * Values may name the environment: ${NAME}, ${NAME:-otherwise}; $${ is ${
 * itself. Paths are meant from where the file lies. Every mistake is told, with
 * line and column, and reading goes on behind it.
 *
 * Threads: any; settings are not changed once they are read.
 */
#ifndef CLI_CONFIG_SETTINGS_H
#define CLI_CONFIG_SETTINGS_H

#include "cli/flag.h"
#include "codec/yaml_form.h"

enum { SETTINGS_PATH_MAX = 4096 };

struct settings;
struct block;

struct section {
    const char *name;
    const struct flag *flags; /* NULL: it is somebody else's to read */
    size_t size;              /* of the options */
    bool many;
    const char *shorthand;
    const char *const *except; /* rows that are none here, NULL at the end */
    enum text help;
    /* What no row can see; tells by yaml_wrong(). May be NULL. */
    void (*check)(struct yaml_form *f, const struct settings *s,
                  const struct block *b, enum language l);
};

/* The sections, in the order in which they are shown; a row without a name at
 * the end. */
extern const struct section sections[];

struct block {
    const struct section *section;
    const char *name; /* "" when the section is there once */
    const void *options;
    struct flag_set given;
    const struct yaml *node; /* NULL: it is not in the file */
    struct block *next;
};

struct settings {
    const char *path;   /* absolute */
    const char *folder; /* of it */
    struct arena arena;
    const struct yaml *root; /* NULL: an empty file */
    struct block *blocks;    /* in the order of the file */
};

/* The file's path: `given`, if not NULL, else ./stoker.yaml, else
 * /etc/stoker/stoker.yaml. ERR_NOT_FOUND: there is none. */
MUST_CHECK enum errc settings_find(const char *given,
                                   char out[SETTINGS_PATH_MAX], enum language l,
                                   struct err *err);

/* Reads the file. Each mistake goes to report ("4:5: what"), which may be
 * NULL, the first one to err. */
MUST_CHECK enum errc settings_read(const char *path, enum language l,
                                   void (*report)(void *ctx, const char *file,
                                                  const char *message),
                                   void *ctx, struct settings *out,
                                   struct err *err);
void settings_fini(struct settings *s); /* zeroed is fine */

/* The block of that section and name ("" or NULL: the first); NULL: it is not
 * in the file. */
const struct block *settings_block(const struct settings *s,
                                   const char *section, const char *name);

/* The first block of that section behind `after` (NULL: of all). */
const struct block *settings_next(const struct settings *s, const char *section,
                                  const struct block *after);

const struct section *section_find(const char *name);

/* Is the row one of the section's settings? */
bool section_has(const struct section *c, const struct flag *f);

/* "http_port", of a row; out has FLAG_NAME_MAX bytes. */
enum { FLAG_NAME_MAX = 64 };
const char *setting_name(const struct flag *f, char out[FLAG_NAME_MAX]);

/* The value of a row in the file, as it is written there; NULL. */
const struct yaml *block_value(const struct block *b, const struct flag *f);

/* ---- value.c: one value ---------------------------------------------------
 */

struct value_reading {
    struct yaml_form *form;
    const struct settings *settings;
    enum language language;
    const char *shown; /* "serve.http_port", for messages */
};

/* Sets the row's field in the options. False: it was wrong, and told. */
bool value_take(const struct value_reading *r, const struct yaml *n,
                const struct flag *f, void *options);

#endif
