#include "import/pickle.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_OPCODES = 50 * 1000 * 1000,
    MAX_MEMO = 1 << 24,
    MAX_STACK = 1 << 20,
    MAX_MARKS = 1 << 16,
    MAX_LINE = 1 << 20,
};

struct machine {
    const char *p, *end, *start;
    const struct pickle_rules *rules;
    struct arena *arena;
    struct err *err;
    struct pickle **stack, **memo;
    size_t n_stack, cap_stack, n_memo, cap_memo;
    size_t marks[MAX_MARKS];
    size_t n_marks;
    bool failed;
};

static void failure(struct machine *m, enum errc code, const char *what)
{
    if (!m->failed)
        err_record(m->err, code, "the pickle is damaged: %s at byte %zu", what,
                   (size_t)(m->p - m->start));
    m->failed = true;
}

static struct pickle *make(struct machine *m, enum pickle_kind kind)
{
    static struct pickle none; /* stands in when memory is out */
    struct pickle *v = arena_new(m->arena, struct pickle, 1);

    if (!v) {
        if (!m->failed)
            err_record(m->err, ERR_LIMIT, "the pickle needs too much memory");
        m->failed = true;
        return &none;
    }
    v->kind = kind;
    return v;
}

/* Makes room for one more in an array that lives in the arena. */
static bool grow(struct machine *m, struct pickle ***list, size_t n,
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

static void push(struct machine *m, struct pickle *v)
{
    if (grow(m, &m->stack, m->n_stack, &m->cap_stack, MAX_STACK))
        m->stack[m->n_stack++] = v;
}

static size_t floor_of(const struct machine *m)
{
    return m->n_marks ? m->marks[m->n_marks - 1] : 0;
}

static struct pickle *pop(struct machine *m)
{
    if (m->n_stack <= floor_of(m)) {
        failure(m, ERR_INVALID, "the stack is empty");
        return make(m, PICKLE_NONE);
    }
    return m->stack[--m->n_stack];
}

static struct pickle *top(struct machine *m)
{
    if (m->n_stack <= floor_of(m)) {
        failure(m, ERR_INVALID, "the stack is empty");
        return make(m, PICKLE_NONE);
    }
    return m->stack[m->n_stack - 1];
}

static void add(struct machine *m, struct pickle *list, struct pickle *item)
{
    if (grow(m, &list->items, list->n, &list->cap, SIZE_MAX / 16))
        list->items[list->n++] = item;
}

/* Everything above the last mark, which goes too. */
static size_t pop_mark(struct machine *m)
{
    if (m->n_marks == 0) {
        failure(m, ERR_INVALID, "there is no mark");
        return m->n_stack;
    }
    return m->marks[--m->n_marks];
}

static uint64_t number(struct machine *m, int bytes)
{
    uint64_t v = 0;

    if (m->end - m->p < bytes) {
        failure(m, ERR_INVALID, "it is cut off");
        return 0;
    }
    for (int i = bytes; i-- > 0;)
        v = v << 8 | (unsigned char)m->p[i];
    m->p += bytes;
    return v;
}

static struct str bytes(struct machine *m, uint64_t n)
{
    struct str s = {m->p, (size_t)n};

    if ((uint64_t)(m->end - m->p) < n) {
        failure(m, ERR_INVALID, "it is cut off");
        return (struct str){"", 0};
    }
    m->p += n;
    return s;
}

static struct str line(struct machine *m)
{
    size_t left = (size_t)(m->end - m->p);
    const char *nl = memchr(m->p, '\n', left < MAX_LINE ? left : MAX_LINE);

    if (!nl) {
        failure(m, ERR_INVALID, "a line has no end");
        return (struct str){"", 0};
    }
    struct str s = {m->p, (size_t)(nl - m->p)};
    m->p = nl + 1;
    return s;
}

static void push_text(struct machine *m, enum pickle_kind kind, struct str s)
{
    struct pickle *v = make(m, kind);

    v->text = s;
    push(m, v);
}

static void push_int(struct machine *m, int64_t n)
{
    struct pickle *v = make(m, PICKLE_INT);

    v->whole = n;
    push(m, v);
}

/* Little-endian two's complement of any length. */
static void push_long(struct machine *m, uint64_t n)
{
    struct str s = bytes(m, n);

    if (s.n > 8) {
        push_text(m, PICKLE_BIG, s);
        return;
    }
    uint64_t v = s.n && (s.p[s.n - 1] & 0x80) ? UINT64_MAX : 0;
    for (size_t i = s.n; i-- > 0;)
        v = v << 8 | (unsigned char)s.p[i];
    push_int(m, (int64_t)v);
}

static void push_decimal(struct machine *m, bool real)
{
    char text[64];
    struct str s = line(m);
    char *end;

    if (s.n && s.p[s.n - 1] == 'L')
        s.n--;
    if (s.n == 0 || s.n >= sizeof(text)) {
        failure(m, ERR_INVALID, "a number is none");
        return;
    }
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    struct pickle *v = make(m, real ? PICKLE_FLOAT : PICKLE_INT);
    if (real)
        v->number = strtod(text, &end);
    else
        v->whole = strtoll(text, &end, 10);
    if (*end)
        failure(m, ERR_INVALID, "a number is none");
    if (!real && (str_eq(s, STR("00")) || str_eq(s, STR("01")))) {
        v->kind = PICKLE_BOOL;
        v->boolean = s.p[1] == '1';
    }
    push(m, v);
}

static void push_double(struct machine *m)
{
    uint64_t v = __builtin_bswap64(number(m, 8));
    struct pickle *f = make(m, PICKLE_FLOAT);

    memcpy(&f->number, &v, sizeof(v));
    push(m, f);
}

static void push_global(struct machine *m, struct str module, struct str name)
{
    struct pickle *v = make(m, PICKLE_GLOBAL);
    size_t n = module.n + name.n + 1;
    char *p = n > 4096 ? NULL : arena_bytes(m->arena, n + 1);

    if (!p) {
        failure(m, ERR_LIMIT, "a name is too long");
        return;
    }
    memcpy(p, module.p, module.n);
    p[module.n] = '.';
    memcpy(p + module.n + 1, name.p, name.n);
    v->text = (struct str){p, n};
    push(m, v);
}

static void collect(struct machine *m, enum pickle_kind kind, size_t from)
{
    struct pickle *v = make(m, kind);

    for (size_t i = from; i < m->n_stack; i++)
        add(m, v, m->stack[i]);
    m->n_stack = from;
    push(m, v);
}

static void refuse(struct machine *m, struct str name, const char *what)
{
    if (!m->failed)
        err_record(m->err, ERR_DENIED,
                   "the pickle %s '%.*s', which is not an allowed tensor or "
                   "layer type; refusing to load it",
                   what, name.n < 120 ? (int)name.n : 120, name.p);
    m->failed = true;
}

static void call(struct machine *m, struct pickle *callable,
                 struct pickle *args, bool instance)
{
    /* Older PyTorch files name a class by a persistent id that also holds its
     * source: ("module", class, file, source). */
    if (callable->kind == PICKLE_PERSISTENT &&
        pickle_is(pickle_at(callable->args, 0), PICKLE_STR) &&
        str_eq(callable->args->items[0]->text, STR("module")) &&
        pickle_is(pickle_at(callable->args, 1), PICKLE_GLOBAL))
        callable = callable->args->items[1];
    struct str name = pickle_name(callable);
    struct pickle *v = make(m, instance ? PICKLE_OBJECT : PICKLE_CALL);
    bool known = callable->kind == PICKLE_GLOBAL;

    if (!known ||
        (instance ? !m->rules->instance(name) && !m->rules->callable(name)
                  : !m->rules->callable(name)))
        refuse(m, known ? name : STR("an object"),
               instance ? "makes an instance of" : "calls");
    v->callable = callable;
    v->args = args;
    push(m, v);
}

/* obj.__setstate__ or obj.__dict__.update: nothing of the kind, a note. */
static void build(struct machine *m)
{
    struct pickle *state = pop(m), *on = top(m);

    if (on->kind != PICKLE_OBJECT && on->kind != PICKLE_CALL) {
        refuse(m, pickle_name(on), "sets the state of");
        return;
    }
    on->state = state;
}

/* Lists, dicts, sets, and objects that behave like one. */
static bool takes_items(const struct pickle *v)
{
    return v->kind == PICKLE_LIST || v->kind == PICKLE_DICT ||
           v->kind == PICKLE_SET || v->kind == PICKLE_OBJECT ||
           v->kind == PICKLE_CALL;
}

static void put_items(struct machine *m, size_t from, bool pairs)
{
    size_t n = m->n_stack;

    m->n_stack = from;
    struct pickle *to = top(m);
    if (!takes_items(to) || (pairs && (n - from) % 2)) {
        failure(m, ERR_INVALID, "items for what has none");
        return;
    }
    for (size_t i = from; i < n && !m->failed; i++)
        add(m, to, m->stack[i]);
}

static void memo_put(struct machine *m, uint64_t i)
{
    struct pickle *v = top(m);

    if (i >= MAX_MEMO) {
        failure(m, ERR_LIMIT, "the memo is too large");
        return;
    }
    while (m->n_memo <= i && !m->failed)
        if (grow(m, &m->memo, m->n_memo, &m->cap_memo, MAX_MEMO))
            m->memo[m->n_memo++] = NULL;
    if (!m->failed)
        m->memo[i] = v;
}

static void memo_get(struct machine *m, uint64_t i)
{
    if (i >= m->n_memo || !m->memo[i])
        failure(m, ERR_INVALID, "the memo has no such entry");
    else
        push(m, m->memo[i]);
}

static uint64_t decimal(struct machine *m)
{
    uint64_t v = 0;

    if (!str_to_u64(line(m), &v))
        failure(m, ERR_INVALID, "a number is none");
    return v;
}

/* Numbers, texts and bytes. False: it is another opcode. */
static bool literal(struct machine *m, unsigned char op)
{
    switch (op) {
    case 'N':
        push(m, make(m, PICKLE_NONE));
        return true;
    case 0x88: /* NEWTRUE */
    case 0x89: {
        struct pickle *v = make(m, PICKLE_BOOL);
        v->boolean = op == 0x88;
        push(m, v);
        return true;
    }
    case 'J':
        push_int(m, (int32_t)number(m, 4));
        return true;
    case 'K':
        push_int(m, (int64_t)number(m, 1));
        return true;
    case 'M':
        push_int(m, (int64_t)number(m, 2));
        return true;
    case 'I':
    case 'L':
        push_decimal(m, false);
        return true;
    case 'F':
        push_decimal(m, true);
        return true;
    case 0x8a: /* LONG1 */
        push_long(m, number(m, 1));
        return true;
    case 0x8b:
        push_long(m, number(m, 4));
        return true;
    case 'G':
        push_double(m);
        return true;
    case 'X':
        push_text(m, PICKLE_STR, bytes(m, number(m, 4)));
        return true;
    case 0x8c: /* SHORT_BINUNICODE */
    case 'U':
        push_text(m, PICKLE_STR, bytes(m, number(m, 1)));
        return true;
    case 0x8d:
        push_text(m, PICKLE_STR, bytes(m, number(m, 8)));
        return true;
    case 'T':
        push_text(m, PICKLE_STR, bytes(m, number(m, 4)));
        return true;
    case 'V':
        push_text(m, PICKLE_STR, line(m));
        return true;
    case 'S': {
        struct str s = line(m);
        if (s.n >= 2)
            s = str_slice(s, 1, s.n - 1);
        push_text(m, PICKLE_STR, s);
        return true;
    }
    case 'C':
        push_text(m, PICKLE_BYTES, bytes(m, number(m, 1)));
        return true;
    case 'B':
        push_text(m, PICKLE_BYTES, bytes(m, number(m, 4)));
        return true;
    case 0x8e:
    case 0x96: /* BYTEARRAY8 */
        push_text(m, PICKLE_BYTES, bytes(m, number(m, 8)));
        return true;
    default:
        return false;
    }
}

static bool container(struct machine *m, unsigned char op)
{
    switch (op) {
    case '(':
        if (m->n_marks == MAX_MARKS)
            failure(m, ERR_LIMIT, "it is nested too deeply");
        else
            m->marks[m->n_marks++] = m->n_stack;
        return true;
    case ')':
        push(m, make(m, PICKLE_TUPLE));
        return true;
    case ']':
        push(m, make(m, PICKLE_LIST));
        return true;
    case '}':
        push(m, make(m, PICKLE_DICT));
        return true;
    case 0x8f: /* EMPTY_SET */
        push(m, make(m, PICKLE_SET));
        return true;
    case 't':
        collect(m, PICKLE_TUPLE, pop_mark(m));
        return true;
    case 'l':
        collect(m, PICKLE_LIST, pop_mark(m));
        return true;
    case 'd':
        collect(m, PICKLE_DICT, pop_mark(m));
        return true;
    case 0x91: /* FROZENSET */
        collect(m, PICKLE_SET, pop_mark(m));
        return true;
    case 0x85: /* TUPLE1 to TUPLE3 */
    case 0x86:
    case 0x87: {
        size_t n = op - 0x84U;
        if (m->n_stack < floor_of(m) + n)
            failure(m, ERR_INVALID, "the stack is empty");
        else
            collect(m, PICKLE_TUPLE, m->n_stack - n);
        return true;
    }
    case 'a':
    case 's': {
        size_t n = op == 'a' ? 1 : 2;
        if (m->n_stack < floor_of(m) + n + 1)
            failure(m, ERR_INVALID, "the stack is empty");
        else
            put_items(m, m->n_stack - n, op == 's');
        return true;
    }
    case 'e':
    case 'u':
    case 0x90: /* ADDITEMS */
        put_items(m, pop_mark(m), op == 'u');
        return true;
    default:
        return false;
    }
}

static bool naming(struct machine *m, unsigned char op)
{
    struct pickle *a, *b;
    size_t from;

    switch (op) {
    case 'c': {
        struct str module = line(m);
        push_global(m, module, line(m));
        return true;
    }
    case 0x93: /* STACK_GLOBAL */
        b = pop(m);
        a = pop(m);
        if (a->kind != PICKLE_STR || b->kind != PICKLE_STR)
            failure(m, ERR_INVALID, "a name is no text");
        else
            push_global(m, a->text, b->text);
        return true;
    case 'R':
    case 0x81: /* NEWOBJ */
        b = pop(m);
        a = pop(m);
        call(m, a, b, op == 0x81);
        return true;
    case 0x92: /* NEWOBJ_EX: class, args, keywords */
        (void)pop(m);
        b = pop(m);
        a = pop(m);
        call(m, a, b, true);
        return true;
    case 'i': { /* INST */
        struct str module = line(m);
        struct str name = line(m);
        collect(m, PICKLE_TUPLE, pop_mark(m));
        b = pop(m);
        push_global(m, module, name);
        a = pop(m);
        call(m, a, b, true);
        return true;
    }
    case 'o': /* OBJ: mark, class, args */
        from = pop_mark(m);
        if (from >= m->n_stack) {
            failure(m, ERR_INVALID, "the stack is empty");
            return true;
        }
        a = m->stack[from];
        collect(m, PICKLE_TUPLE, from + 1);
        b = m->stack[m->n_stack - 1];
        m->n_stack = from;
        call(m, a, b, true);
        return true;
    case 'b':
        build(m);
        return true;
    case 'Q':
        a = pop(m);
        b = make(m, PICKLE_PERSISTENT);
        b->args = a;
        push(m, b);
        return true;
    default:
        return false;
    }
}

static bool bookkeeping(struct machine *m, unsigned char op)
{
    switch (op) {
    case 0x80: /* PROTO */
        if (number(m, 1) > 5)
            failure(m, ERR_UNSUPPORTED, "its protocol is newer than 5");
        return true;
    case 0x95: /* FRAME */
        (void)number(m, 8);
        return true;
    case '0':
        if (m->n_marks && m->marks[m->n_marks - 1] == m->n_stack)
            m->n_marks--;
        else
            (void)pop(m);
        return true;
    case '1':
        m->n_stack = pop_mark(m);
        return true;
    case '2':
        push(m, top(m));
        return true;
    case 'q':
        memo_put(m, number(m, 1));
        return true;
    case 'r':
        memo_put(m, number(m, 4));
        return true;
    case 'p':
        memo_put(m, decimal(m));
        return true;
    case 0x94: /* MEMOIZE */
        memo_put(m, m->n_memo);
        return true;
    case 'h':
        memo_get(m, number(m, 1));
        return true;
    case 'j':
        memo_get(m, number(m, 4));
        return true;
    case 'g':
        memo_get(m, decimal(m));
        return true;
    default:
        return false;
    }
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
            failure(m, ERR_INVALID, "it does not end");
            break;
        }
        unsigned char op = (unsigned char)*m->p++;
        if (op == '.')
            break;
        if (!literal(m, op) && !container(m, op) && !naming(m, op) &&
            !bookkeeping(m, op))
            failure(m, ERR_UNSUPPORTED, "an opcode is not known");
    }
    if (!m->failed && (m->n_stack != 1 || m->n_marks))
        failure(m, ERR_INVALID, "it does not leave one object");
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
