#include "cli/flag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"

enum { NAME_MAX_BYTES = 64 };

static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_BYTES + 1];
    size_t n = strlen(b), m = strlen(a);

    if (n > NAME_MAX_BYTES || m > NAME_MAX_BYTES)
        return NAME_MAX_BYTES;
    for (size_t k = 0; k <= n; k++)
        row[k] = k;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= n; k++) {
            size_t best = diagonal + (a[i - 1] != b[k - 1]);
            best = row[k] + 1 < best ? row[k] + 1 : best;
            best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            diagonal = row[k];
            row[k] = best;
        }
    }
    return row[n];
}

const char *nearest_word(const char *word, const char *const *candidates,
                         size_t n)
{
    const char *best = NULL;
    size_t limit = strlen(word) / 3 + 1;

    for (size_t i = 0; i < n; i++) {
        size_t d = edit_distance(word, candidates[i]);
        if (d <= limit) {
            limit = d ? d - 1 : 0;
            best = candidates[i];
            if (d == 0)
                break;
        }
    }
    return best;
}

const struct flag *flag_find(const struct flag *table, const char *name)
{
    char plain[NAME_MAX_BYTES];
    size_t n = strlen(name);

    if (n >= sizeof(plain))
        return NULL;
    for (size_t i = 0; i <= n; i++)
        plain[i] = name[i] == '_' ? '-' : name[i];
    for (const struct flag *f = table; f->name[0]; f++)
        if (strcmp(f->name, plain) == 0)
            return f;
    return NULL;
}

static const struct flag *find_letter(const struct flag *table, char letter)
{
    for (const struct flag *f = table; f->name[0]; f++)
        if (f->letter == letter)
            return f;
    return NULL;
}

struct unit {
    const char *suffix;
    int64_t scale;
};

static const struct unit durations[] = {
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", 60000000000},
    {"h", 3600000000000},
    {"d", 86400000000000},
    {"w", 604800000000000},
};
static const struct unit sizes[] = {
    {"", 1},
    {"B", 1},
    {"K", 1024},
    {"KiB", 1024},
    {"M", 1048576},
    {"MiB", 1048576},
    {"G", 1 << 30},
    {"GiB", 1 << 30},
    {"T", INT64_C(1) << 40},
    {"TiB", INT64_C(1) << 40},
};

static bool scale_of(const struct unit *units, size_t n, const char *suffix,
                     int64_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(suffix, units[i].suffix) == 0) {
            *out = units[i].scale;
            return true;
        }
    }
    return false;
}

static bool number(const struct flag *f, const char *text, int64_t *out)
{
    char *end;
    int64_t scale = 1;

    errno = 0;
    double v = strtod(text, &end);
    if (errno || end == text || v != v || text[0] == ' ')
        return false;
    if (f->kind == FLAG_INT) {
        if (*end || v != (double)(int64_t)v)
            return false;
    } else if (f->kind == FLAG_DURATION && *end == '\0') {
        scale = f->unit;
    } else if (f->kind == FLAG_DURATION
                   ? !scale_of(durations, COUNT(durations), end, &scale)
                   : !scale_of(sizes, COUNT(sizes), end, &scale)) {
        return false;
    }
    v *= (double)scale;
    if (v > 9e18 || v < -9e18)
        return false;
    *out = (int64_t)v;
    return true;
}

bool flag_is_text(const struct flag *f)
{
    return f->kind >= FLAG_TEXT && f->kind <= FLAG_PAIRS;
}

bool flag_is_list(const struct flag *f)
{
    return f->kind == FLAG_LIST || f->kind == FLAG_FILES ||
           f->kind == FLAG_DIRS;
}

static enum errc take_text(const struct flag *f, const char *shown,
                           const char *value, char *field, enum language l,
                           struct err *err)
{
    struct err why = {0};

    if (f->check && f->check(value, &why))
        return err_set(err, ERR_INVALID, text_in(l, TEXT_WRONG_VALUE), shown,
                       value, why.msg);
    memcpy(field, &value, sizeof(value));
    return ERR_OK;
}

enum errc flag_take(const struct flag *f, const char *shown, const char *value,
                    void *options, enum language l, struct err *err)
{
    char *field = (char *)options + f->offset;
    int64_t v;

    if (f->given)
        *(bool *)((char *)options + f->given) = true;
    if (flag_is_text(f))
        return take_text(f, shown, value, field, l, err);
    if (f->kind == FLAG_BOOL) {
        *(bool *)field = strcmp(value, "false") != 0 && strcmp(value, "0") != 0;
        return ERR_OK;
    }
    if (!number(f, value, &v))
        return err_set(
            err, ERR_INVALID, text_in(l, TEXT_BAD_VALUE), shown, value,
            text_in(l, f->kind == FLAG_INT        ? TEXT_KIND_INT
                       : f->kind == FLAG_DURATION ? TEXT_KIND_DURATION
                                                  : TEXT_KIND_SIZE));
    if (v < f->min || v > f->max) {
        char low[24], high[24];
        int64_t unit = f->kind == FLAG_DURATION ? f->unit : 1;
        (void)snprintf(low, sizeof(low), "%lld", (long long)(f->min / unit));
        (void)snprintf(high, sizeof(high), "%lld", (long long)(f->max / unit));
        return err_set(err, ERR_INVALID, text_in(l, TEXT_OUT_OF_RANGE), shown,
                       value, low, high);
    }
    memcpy(field, &v, sizeof(v));
    return ERR_OK;
}

static enum errc unknown(const struct flag *table, const char *arg,
                         enum language l, struct err *err)
{
    const char *names[128];
    char hint[128] = "";
    size_t n = 0;

    for (const struct flag *f = table; f->name[0] && n < COUNT(names); f++)
        if (!f->hidden)
            names[n++] = f->name;
    const char *near = nearest_word(arg + strspn(arg, "-"), names, n);
    if (near) {
        char option[80];
        (void)snprintf(option, sizeof(option), "--%s", near);
        (void)snprintf(hint, sizeof(hint), text_in(l, TEXT_DID_YOU_MEAN),
                       option);
    }
    err_record(err, ERR_INVALID, text_in(l, TEXT_NO_OPTION), arg);
    size_t used = strlen(err->msg);
    if (near)
        (void)snprintf(err->msg + used, sizeof(err->msg) - used, "; %s", hint);
    return ERR_INVALID;
}

/* One option at argv[*i]; moves *i past a value of its own. */
static enum errc one(const struct flag *table, void *options, int argc,
                     char **argv, int *i, enum language l,
                     struct flag_set *given, struct err *err)
{
    const char *arg = argv[*i];
    const char *value = NULL;
    const struct flag *f;

    if (arg[1] == '-') {
        char name[NAME_MAX_BYTES];
        size_t n = strcspn(arg + 2, "=");
        if (n >= sizeof(name))
            return unknown(table, arg, l, err);
        memcpy(name, arg + 2, n);
        name[n] = '\0';
        f = flag_find(table, name);
        value = arg[2 + n] == '=' ? arg + 2 + n + 1 : NULL;
    } else {
        f = find_letter(table, arg[1]);
        value = f && arg[2] ? arg + 2 : NULL;
    }
    if (!f)
        return unknown(table, arg, l, err);
    if (!value && f->kind == FLAG_BOOL)
        value = "true";
    if (!value) {
        if (*i + 1 >= argc)
            return err_set(err, ERR_INVALID, text_in(l, TEXT_NEEDS_VALUE), arg);
        value = argv[++*i];
    }
    flag_set_add(given, (size_t)(f - table));
    return flag_take(f, f->name, value, options, l, err);
}

enum errc flags_default(const struct flag *table, void *options,
                        enum language l, struct err *err)
{
    enum errc rc = ERR_OK;

    for (const struct flag *f = table; f->name[0] && !rc; f++) {
        if (f->fallback)
            rc = flag_take(f, f->name, f->fallback, options, l, err);
        if (f->given)
            *(bool *)((char *)options + f->given) = false;
    }
    return rc;
}

void flags_merge(const struct flag *table, const void *from,
                 const struct flag_set *from_given, void *to,
                 const struct flag_set *to_given)
{
    for (size_t i = 0; table[i].name[0]; i++) {
        const struct flag *f = &table[i];
        size_t size = flag_is_text(f)        ? sizeof(const char *)
                      : f->kind == FLAG_BOOL ? sizeof(bool)
                                             : sizeof(int64_t);
        if (!flag_set_has(from_given, i) || flag_set_has(to_given, i))
            continue;
        memcpy((char *)to + f->offset, (const char *)from + f->offset, size);
        if (f->given)
            *(bool *)((char *)to + f->given) = true;
    }
}

enum errc flags_parse(const struct flag *table, void *options, int argc,
                      char **argv, enum language l, struct flag_args *out,
                      struct err *err)
{
    bool only_args = false;
    enum errc rc = flags_default(table, options, l, err);

    if (rc)
        return rc;
    out->given = (struct flag_set){{0}};
    out->n = 0;
    for (int i = 0; i < argc; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0)
            only_args = true;
        else if (!only_args && argv[i][0] == '-' && argv[i][1])
            rc = one(table, options, argc, argv, &i, l, &out->given, err);
        else if (out->n < (int)COUNT(out->rest))
            out->rest[out->n++] = argv[i];
        if (rc)
            return rc;
    }
    return ERR_OK;
}

static const char *placeholder(const struct flag *f)
{
    switch (f->kind) {
    case FLAG_BOOL:
        return "";
    case FLAG_INT:
        return " N";
    case FLAG_DURATION:
        return " TIME";
    case FLAG_SIZE:
        return " SIZE";
    case FLAG_LIST:
        return " A,B";
    case FLAG_FILE:
        return " FILE";
    case FLAG_FILES:
        return " FILES";
    case FLAG_DIR:
        return " DIR";
    case FLAG_DIRS:
        return " DIRS";
    case FLAG_WORDS:
    case FLAG_PAIRS:
    case FLAG_TEXT:
        break;
    }
    return " TEXT";
}

void flags_help(const struct flag *table, FILE *out, enum language l)
{
    for (const struct flag *f = table; f->name[0]; f++) {
        char left[64], letter[8] = "    ";
        if (f->hidden)
            continue;
        if (f->letter)
            (void)snprintf(letter, sizeof(letter), "-%c, ", f->letter);
        (void)snprintf(left, sizeof(left), "%s--%s%s", letter, f->name,
                       placeholder(f));
        fprintf(out, "  %-28s %s", left, text_in(l, f->help));
        if (f->fallback && f->kind != FLAG_BOOL && f->fallback[0])
            fprintf(out, " (%s: %s)", text_in(l, TEXT_DEFAULT), f->fallback);
        fputc('\n', out);
    }
}
