#include "import/pickle.h"

#include <string.h>

#include "import/pickle_internal.h"

enum {
    MAX_OPCODES = 50 * 1000 * 1000,
    MAX_STACK = 1 << 20,
    MAX_LINE = 1 << 20,
};

void pickle_failure(struct machine *m, enum errc code, const char *what)
{
    if (!m->failed)
        err_record(m->err, code, "the pickle is damaged: %s at byte %zu", what,
                   (size_t)(m->p - m->start));
    m->failed = true;
}

struct pickle *pickle_make(struct machine *m, enum pickle_kind kind)
{
    struct pickle *v = arena_new(m->arena, struct pickle, 1);

    if (!v) {
        if (!m->failed)
            err_record(m->err, ERR_LIMIT, "the pickle needs too much memory");
        m->failed = true;
        return &m->none;
    }
    v->kind = kind;
    return v;
}

/* Makes room for one more in an array that lives in the arena. */
bool pickle_grow(struct machine *m, struct pickle ***list, size_t n,
                 size_t *cap, size_t max)
{
    if (n < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 8;
    struct pickle **p =
        n >= max ? NULL : arena_new(m->arena, struct pickle *, more);
    if (!p) {
        if (!m->failed)
            err_record(m->err, ERR_LIMIT, "the pickle is too large");
        m->failed = true;
        return false;
    }
    if (n)
        memcpy(p, *list, n * sizeof(*p));
    *list = p;
    *cap = more;
    return true;
}

void pickle_push(struct machine *m, struct pickle *v)
{
    if (pickle_grow(m, &m->stack, m->n_stack, &m->cap_stack, MAX_STACK))
        m->stack[m->n_stack++] = v;
}

size_t pickle_floor_of(const struct machine *m)
{
    return m->n_marks ? m->marks[m->n_marks - 1] : 0;
}

struct pickle *pickle_pop(struct machine *m)
{
    if (m->n_stack <= pickle_floor_of(m)) {
        pickle_failure(m, ERR_INVALID, "the stack is empty");
        return pickle_make(m, PICKLE_NONE);
    }
    return m->stack[--m->n_stack];
}

struct pickle *pickle_top(struct machine *m)
{
    if (m->n_stack <= pickle_floor_of(m)) {
        pickle_failure(m, ERR_INVALID, "the stack is empty");
        return pickle_make(m, PICKLE_NONE);
    }
    return m->stack[m->n_stack - 1];
}

void pickle_add(struct machine *m, struct pickle *list, struct pickle *item)
{
    if (pickle_grow(m, &list->items, list->n, &list->cap, SIZE_MAX / 16))
        list->items[list->n++] = item;
}

/* Everything above the last mark, which goes too. */
size_t pickle_pop_mark(struct machine *m)
{
    if (m->n_marks == 0) {
        pickle_failure(m, ERR_INVALID, "there is no mark");
        return m->n_stack;
    }
    return m->marks[--m->n_marks];
}

uint64_t pickle_number(struct machine *m, int bytes)
{
    uint64_t v = 0;

    if (m->end - m->p < bytes) {
        pickle_failure(m, ERR_INVALID, "it is cut off");
        return 0;
    }
    for (int i = bytes; i-- > 0;)
        v = v << 8 | (unsigned char)m->p[i];
    m->p += bytes;
    return v;
}

struct str pickle_bytes(struct machine *m, uint64_t n)
{
    struct str s = {m->p, (size_t)n};

    if ((uint64_t)(m->end - m->p) < n) {
        pickle_failure(m, ERR_INVALID, "it is cut off");
        return (struct str){"", 0};
    }
    m->p += n;
    return s;
}

struct str pickle_line(struct machine *m)
{
    size_t left = (size_t)(m->end - m->p);
    const char *nl = memchr(m->p, '\n', left < MAX_LINE ? left : MAX_LINE);

    if (!nl) {
        pickle_failure(m, ERR_INVALID, "a line has no end");
        return (struct str){"", 0};
    }
    struct str s = {m->p, (size_t)(nl - m->p)};
    m->p = nl + 1;
    return s;
}

enum errc pickle_read(struct str *from, const struct pickle_rules *rules,
                      struct arena *arena, struct pickle **out, struct err *err)
{
    struct machine *m = arena_new(arena, struct machine, 1);
    struct err own = {0};

    if (!m)
        return err_set(err, ERR_NOMEM, "out of memory");
    *m = (struct machine){.p = from->p,
                          .end = from->p + from->n,
                          .start = from->p,
                          .rules = rules,
                          .arena = arena,
                          .err = err ? err : &own};
    for (long count = 0; !m->failed; count++) {
        if (m->p >= m->end || count > MAX_OPCODES) {
            pickle_failure(m, ERR_INVALID, "it does not end");
            break;
        }
        unsigned char op = (unsigned char)*m->p++;
        if (op == '.')
            break;
        if (!pickle_opcode(m, op))
            pickle_failure(m, ERR_UNSUPPORTED, "an opcode is not known");
    }
    if (!m->failed && (m->n_stack != 1 || m->n_marks))
        pickle_failure(m, ERR_INVALID, "it does not leave one object");
    if (m->failed)
        return m->err->code;
    *out = m->stack[0];
    *from = (struct str){m->p, (size_t)(m->end - m->p)};
    return ERR_OK;
}

bool pickle_is(const struct pickle *v, enum pickle_kind kind)
{
    return v && v->kind == kind;
}

struct pickle *pickle_get(const struct pickle *dict, const char *key)
{
    struct str want = str_from_cstr(key);

    /* An OrderedDict is an object with items. */
    for (size_t i = 0; dict && dict->kind != PICKLE_LIST && i + 1 < dict->n;
         i += 2)
        if (pickle_is(dict->items[i], PICKLE_STR) &&
            str_eq(dict->items[i]->text, want))
            return dict->items[i + 1];
    return NULL;
}

struct pickle *pickle_at(const struct pickle *list, size_t i)
{
    return list && i < list->n ? list->items[i] : NULL;
}

struct str pickle_name(const struct pickle *v)
{
    if (pickle_is(v, PICKLE_GLOBAL))
        return v->text;
    if ((pickle_is(v, PICKLE_CALL) || pickle_is(v, PICKLE_OBJECT)) &&
        pickle_is(v->callable, PICKLE_GLOBAL))
        return v->callable->text;
    return STR("");
}

bool pickle_named(const struct pickle *v, const char *name)
{
    return str_eq(pickle_name(v), str_from_cstr(name));
}
