/* What each opcode does. */
#include <stdlib.h>
#include <string.h>

#include "import/pickle_internal.h"

static void push_text(struct machine *m, enum pickle_kind kind, struct str s)
{
    struct pickle *v = pickle_make(m, kind);

    v->text = s;
    pickle_push(m, v);
}

static void push_int(struct machine *m, int64_t n)
{
    struct pickle *v = pickle_make(m, PICKLE_INT);

    v->whole = n;
    pickle_push(m, v);
}

/* Little-endian two's complement of any length. */
static void push_long(struct machine *m, uint64_t n)
{
    struct str s = pickle_bytes(m, n);

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
    struct str s = pickle_line(m);
    char *end;

    if (s.n && s.p[s.n - 1] == 'L')
        s.n--;
    if (s.n == 0 || s.n >= sizeof(text)) {
        pickle_failure(m, ERR_INVALID, "a number is none");
        return;
    }
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    struct pickle *v = pickle_make(m, real ? PICKLE_FLOAT : PICKLE_INT);
    if (real)
        v->number = strtod(text, &end);
    else
        v->whole = strtoll(text, &end, 10);
    if (*end)
        pickle_failure(m, ERR_INVALID, "a number is none");
    if (!real && (str_eq(s, STR("00")) || str_eq(s, STR("01")))) {
        v->kind = PICKLE_BOOL;
        v->boolean = s.p[1] == '1';
    }
    pickle_push(m, v);
}

static void push_double(struct machine *m)
{
    uint64_t v = __builtin_bswap64(pickle_number(m, 8));
    struct pickle *f = pickle_make(m, PICKLE_FLOAT);

    memcpy(&f->number, &v, sizeof(v));
    pickle_push(m, f);
}

static void push_global(struct machine *m, struct str module, struct str name)
{
    struct pickle *v = pickle_make(m, PICKLE_GLOBAL);
    size_t n = module.n + name.n + 1;
    char *p = n > 4096 ? NULL : arena_bytes(m->arena, n + 1);

    if (!p) {
        pickle_failure(m, ERR_LIMIT, "a name is too long");
        return;
    }
    memcpy(p, module.p, module.n);
    p[module.n] = '.';
    memcpy(p + module.n + 1, name.p, name.n);
    v->text = (struct str){p, n};
    pickle_push(m, v);
}

static void collect(struct machine *m, enum pickle_kind kind, size_t from)
{
    struct pickle *v = pickle_make(m, kind);

    for (size_t i = from; i < m->n_stack; i++)
        pickle_add(m, v, m->stack[i]);
    m->n_stack = from;
    pickle_push(m, v);
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
        pickle_is(pickle_at(callable->args, 1), PICKLE_GLOBAL)) {
        struct pickle *source = pickle_at(callable->args, 3);
        callable = callable->args->items[1];
        callable->state = source;
    }
    struct str name = pickle_name(callable);
    struct pickle *v = pickle_make(m, instance ? PICKLE_OBJECT : PICKLE_CALL);
    bool known = callable->kind == PICKLE_GLOBAL;

    if (!known ||
        (instance ? !m->rules->instance(name) && !m->rules->callable(name)
                  : !m->rules->callable(name)))
        refuse(m, known ? name : STR("an object"),
               instance ? "makes an instance of" : "calls");
    v->callable = callable;
    v->args = args;
    pickle_push(m, v);
}

/* obj.__setstate__ or obj.__dict__.update: nothing of the kind, a note. */
static void build(struct machine *m)
{
    struct pickle *state = pickle_pop(m), *on = pickle_top(m);

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
    struct pickle *to = pickle_top(m);
    if (!takes_items(to) || (pairs && (n - from) % 2)) {
        pickle_failure(m, ERR_INVALID, "items for what has none");
        return;
    }
    for (size_t i = from; i < n && !m->failed; i++)
        pickle_add(m, to, m->stack[i]);
}

static void memo_put(struct machine *m, uint64_t i)
{
    struct pickle *v = pickle_top(m);

    if (i >= MAX_MEMO) {
        pickle_failure(m, ERR_LIMIT, "the memo is too large");
        return;
    }
    while (m->n_memo <= i && !m->failed)
        if (pickle_grow(m, &m->memo, m->n_memo, &m->cap_memo, MAX_MEMO))
            m->memo[m->n_memo++] = NULL;
    if (!m->failed)
        m->memo[i] = v;
}

static void memo_get(struct machine *m, uint64_t i)
{
    if (i >= m->n_memo || !m->memo[i])
        pickle_failure(m, ERR_INVALID, "the memo has no such entry");
    else
        pickle_push(m, m->memo[i]);
}

static uint64_t decimal(struct machine *m)
{
    uint64_t v = 0;

    if (!str_to_u64(pickle_line(m), &v))
        pickle_failure(m, ERR_INVALID, "a number is none");
    return v;
}

/* Texts and bytes. */
static bool text(struct machine *m, unsigned char op)
{
    switch (op) {
    case 'X':
        push_text(m, PICKLE_STR, pickle_bytes(m, pickle_number(m, 4)));
        return true;
    case 0x8c: /* SHORT_BINUNICODE */
    case 'U':
        push_text(m, PICKLE_STR, pickle_bytes(m, pickle_number(m, 1)));
        return true;
    case 0x8d:
        push_text(m, PICKLE_STR, pickle_bytes(m, pickle_number(m, 8)));
        return true;
    case 'T':
        push_text(m, PICKLE_STR, pickle_bytes(m, pickle_number(m, 4)));
        return true;
    case 'V':
        push_text(m, PICKLE_STR, pickle_line(m));
        return true;
    case 'S': {
        struct str s = pickle_line(m);
        if (s.n >= 2)
            s = str_slice(s, 1, s.n - 1);
        push_text(m, PICKLE_STR, s);
        return true;
    }
    case 'C':
        push_text(m, PICKLE_BYTES, pickle_bytes(m, pickle_number(m, 1)));
        return true;
    case 'B':
        push_text(m, PICKLE_BYTES, pickle_bytes(m, pickle_number(m, 4)));
        return true;
    case 0x8e:
    case 0x96: /* BYTEARRAY8 */
        push_text(m, PICKLE_BYTES, pickle_bytes(m, pickle_number(m, 8)));
        return true;
    default:
        return false;
    }
}

/* Numbers and other constants. False: it is another opcode. */
static bool literal(struct machine *m, unsigned char op)
{
    switch (op) {
    case 'N':
        pickle_push(m, pickle_make(m, PICKLE_NONE));
        return true;
    case 0x88: /* NEWTRUE */
    case 0x89: {
        struct pickle *v = pickle_make(m, PICKLE_BOOL);
        v->boolean = op == 0x88;
        pickle_push(m, v);
        return true;
    }
    case 'J':
        push_int(m, (int32_t)pickle_number(m, 4));
        return true;
    case 'K':
        push_int(m, (int64_t)pickle_number(m, 1));
        return true;
    case 'M':
        push_int(m, (int64_t)pickle_number(m, 2));
        return true;
    case 'I':
    case 'L':
        push_decimal(m, false);
        return true;
    case 'F':
        push_decimal(m, true);
        return true;
    case 0x8a: /* LONG1 */
        push_long(m, pickle_number(m, 1));
        return true;
    case 0x8b:
        push_long(m, pickle_number(m, 4));
        return true;
    case 'G':
        push_double(m);
        return true;
    default:
        return text(m, op);
    }
}
/* Tuples of one to three, and items for what is there. */
static bool short_container(struct machine *m, unsigned char op)
{
    switch (op) {
    case 0x85: /* TUPLE1 to TUPLE3 */
    case 0x86:
    case 0x87: {
        size_t n = op - 0x84U;
        if (m->n_stack < pickle_floor_of(m) + n)
            pickle_failure(m, ERR_INVALID, "the stack is empty");
        else
            collect(m, PICKLE_TUPLE, m->n_stack - n);
        return true;
    }
    case 'a':
    case 's': {
        size_t n = op == 'a' ? 1 : 2;
        if (m->n_stack < pickle_floor_of(m) + n + 1)
            pickle_failure(m, ERR_INVALID, "the stack is empty");
        else
            put_items(m, m->n_stack - n, op == 's');
        return true;
    }
    case 'e':
    case 'u':
    case 0x90: /* ADDITEMS */
        put_items(m, pickle_pop_mark(m), op == 'u');
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
            pickle_failure(m, ERR_LIMIT, "it is nested too deeply");
        else
            m->marks[m->n_marks++] = m->n_stack;
        return true;
    case ')':
        pickle_push(m, pickle_make(m, PICKLE_TUPLE));
        return true;
    case ']':
        pickle_push(m, pickle_make(m, PICKLE_LIST));
        return true;
    case '}':
        pickle_push(m, pickle_make(m, PICKLE_DICT));
        return true;
    case 0x8f: /* EMPTY_SET */
        pickle_push(m, pickle_make(m, PICKLE_SET));
        return true;
    case 't':
        collect(m, PICKLE_TUPLE, pickle_pop_mark(m));
        return true;
    case 'l':
        collect(m, PICKLE_LIST, pickle_pop_mark(m));
        return true;
    case 'd':
        collect(m, PICKLE_DICT, pickle_pop_mark(m));
        return true;
    case 0x91: /* FROZENSET */
        collect(m, PICKLE_SET, pickle_pop_mark(m));
        return true;
    default:
        return short_container(m, op);
    }
}
/* The ways of protocol 0, state and persistent ids. */
static bool old_naming(struct machine *m, unsigned char op)
{
    struct pickle *a, *b;
    size_t from;

    switch (op) {
    case 'i': { /* INST */
        struct str module = pickle_line(m);
        struct str name = pickle_line(m);
        collect(m, PICKLE_TUPLE, pickle_pop_mark(m));
        b = pickle_pop(m);
        push_global(m, module, name);
        a = pickle_pop(m);
        call(m, a, b, true);
        return true;
    }
    case 'o': /* OBJ: mark, class, args */
        from = pickle_pop_mark(m);
        if (from >= m->n_stack) {
            pickle_failure(m, ERR_INVALID, "the stack is empty");
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
        a = pickle_pop(m);
        b = pickle_make(m, PICKLE_PERSISTENT);
        b->args = a;
        pickle_push(m, b);
        return true;
    default:
        return false;
    }
}

static bool naming(struct machine *m, unsigned char op)
{
    struct pickle *a, *b;

    switch (op) {
    case 'c': {
        struct str module = pickle_line(m);
        push_global(m, module, pickle_line(m));
        return true;
    }
    case 0x93: /* STACK_GLOBAL */
        b = pickle_pop(m);
        a = pickle_pop(m);
        if (a->kind != PICKLE_STR || b->kind != PICKLE_STR)
            pickle_failure(m, ERR_INVALID, "a name is no text");
        else
            push_global(m, a->text, b->text);
        return true;
    case 'R':
    case 0x81: /* NEWOBJ */
        b = pickle_pop(m);
        a = pickle_pop(m);
        call(m, a, b, op == 0x81);
        return true;
    case 0x92: /* NEWOBJ_EX: class, args, keywords */
        (void)pickle_pop(m);
        b = pickle_pop(m);
        a = pickle_pop(m);
        call(m, a, b, true);
        return true;
    default:
        return old_naming(m, op);
    }
}
static bool bookkeeping(struct machine *m, unsigned char op)
{
    switch (op) {
    case 0x80: /* PROTO */
        if (pickle_number(m, 1) > 5)
            pickle_failure(m, ERR_UNSUPPORTED, "its protocol is newer than 5");
        return true;
    case 0x95: /* FRAME */
        (void)pickle_number(m, 8);
        return true;
    case '0':
        if (m->n_marks && m->marks[m->n_marks - 1] == m->n_stack)
            m->n_marks--;
        else
            (void)pickle_pop(m);
        return true;
    case '1':
        m->n_stack = pickle_pop_mark(m);
        return true;
    case '2':
        pickle_push(m, pickle_top(m));
        return true;
    case 'q':
        memo_put(m, pickle_number(m, 1));
        return true;
    case 'r':
        memo_put(m, pickle_number(m, 4));
        return true;
    case 'p':
        memo_put(m, decimal(m));
        return true;
    case 0x94: /* MEMOIZE */
        memo_put(m, m->n_memo);
        return true;
    case 'h':
        memo_get(m, pickle_number(m, 1));
        return true;
    case 'j':
        memo_get(m, pickle_number(m, 4));
        return true;
    case 'g':
        memo_get(m, decimal(m));
        return true;
    default:
        return false;
    }
}

bool pickle_opcode(struct machine *m, unsigned char op)
{
    return literal(m, op) || container(m, op) || naming(m, op) ||
           bookkeeping(m, op);
}
