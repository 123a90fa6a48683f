#include "notify/silences.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SILENCE_BYTES_MAX = 1 << 20, KEPT_MS = 5 * 24 * 3600 * 1000 };

enum silence_state silence_state(const struct silence *s, int64_t now)
{
    return now < s->starts_at ? SILENCE_PENDING
           : now < s->ends_at ? SILENCE_ACTIVE
                              : SILENCE_EXPIRED;
}

const char *silence_state_text(enum silence_state s)
{
    static const char *const names[] = {"pending", "active", "expired"};

    return names[s];
}

/* ---- memory ------------------------------------------------------------- */

static void silence_free(struct silence *s)
{
    if (!s)
        return;
    matchers_fini(&s->matchers);
    arena_fini(&s->arena);
    free(s);
}

static struct str copied(struct arena *a, struct str s)
{
    const char *copy = arena_cstr(a, s);

    return (struct str){copy, copy ? s.n : 0};
}

static enum errc make(const struct matchers *from, struct str by,
                      struct str comment, struct silence **out, struct err *err)
{
    struct silence *s = calloc(1, sizeof(*s));
    enum errc rc = ERR_OK;

    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    arena_init(&s->arena, SILENCE_BYTES_MAX);
    s->by = copied(&s->arena, by);
    s->comment = copied(&s->arena, comment);
    if (!s->by.p || !s->comment.p)
        rc = err_set(err, ERR_LIMIT, "the texts of the silence are too long");
    for (size_t i = 0; i < from->n && !rc; i++)
        rc = matchers_add(&s->matchers, from->v[i].op, from->v[i].name,
                          from->v[i].value, &s->arena, err);
    if (rc)
        silence_free(s);
    else
        *out = s;
    return rc;
}

static enum errc room(struct silences *s, struct err *err)
{
    if (s->n == SILENCES_MAX)
        return err_set(err, ERR_LIMIT, "there are %d silences already",
                       SILENCES_MAX);
    if (s->n < s->cap)
        return ERR_OK;
    size_t cap = s->cap ? s->cap * 2 : 16;
    struct silence **v = realloc(s->v, cap * sizeof(struct silence *));
    if (!v)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->v = v;
    s->cap = cap;
    return ERR_OK;
}

static enum errc keep(struct silences *s, const struct silence *one,
                      struct err *err)
{
    struct buf b;

    buf_init(&b, SILENCE_BYTES_MAX);
    matchers_print(&b, &one->matchers);
    const struct kept_silence k = {.id = str_from_cstr(one->id),
                                   .matchers = buf_str(&b),
                                   .by = one->by,
                                   .comment = one->comment,
                                   .starts_at = one->starts_at,
                                   .ends_at = one->ends_at,
                                   .updated_at = one->updated_at};
    enum errc rc = notify_store_silence(s->store, &k, err);
    buf_fini(&b);
    return rc;
}

static enum errc load_one(void *ctx, const struct kept_silence *k,
                          struct err *err)
{
    struct silences *s = ctx;
    struct matchers m = {.n = 0};
    struct silence *one;
    struct arena arena;

    arena_init(&arena, SILENCE_BYTES_MAX);
    enum errc rc = room(s, err);
    if (!rc)
        rc = matchers_parse(&m, k->matchers, &arena, err);
    if (!rc)
        rc = make(&m, k->by, k->comment, &one, err);
    if (!rc) {
        (void)snprintf(one->id, sizeof(one->id), STR_FMT, STR_ARG(k->id));
        one->starts_at = k->starts_at;
        one->ends_at = k->ends_at;
        one->updated_at = k->updated_at;
        s->v[s->n++] = one;
    }
    matchers_fini(&m);
    arena_fini(&arena);
    return rc == ERR_INVALID ? ERR_OK : rc; /* what makes no sense is left */
}

enum errc silences_init(struct silences *s, struct notify_store *store,
                        struct err *err)
{
    *s = (struct silences){.store = store};
    enum errc rc = notify_store_silences(store, load_one, s, err);
    if (rc)
        silences_fini(s);
    return rc;
}

void silences_fini(struct silences *s)
{
    for (size_t i = 0; i < s->n; i++)
        silence_free(s->v[i]);
    free(s->v);
    *s = (struct silences){.n = 0};
}

/* ---- changing ----------------------------------------------------------- */

static struct silence *find(const struct silences *s, struct str id)
{
    for (size_t i = 0; i < s->n; i++)
        if (str_eq(str_from_cstr(s->v[i]->id), id))
            return s->v[i];
    return NULL;
}

const struct silence *silences_find(const struct silences *s, struct str id)
{
    return find(s, id);
}

static bool all_match_empty(const struct matchers *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (matcher_test(&m->v[i], STR("")) != REGEX_YES)
            return false;
    return true;
}

static enum errc check(const struct new_silence *new, int64_t now,
                       struct err *err)
{
    if (new->matchers.n == 0)
        return err_set(err, ERR_INVALID,
                       "silence invalid: at least one matcher required");
    if (all_match_empty(&new->matchers))
        return err_set(err, ERR_INVALID,
                       "silence invalid: at least one matcher must not match "
                       "the empty string");
    if (new->starts_at >= new->ends_at)
        return err_set(err, ERR_INVALID,
                       "Failed to create silence: start time must be before "
                       "end time");
    if (new->ends_at < now)
        return err_set(err, ERR_INVALID,
                       "Failed to create silence: end time can't be in the "
                       "past");
    return ERR_OK;
}

static bool same_matchers(const struct matchers *a, const struct matchers *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->v[i].op != b->v[i].op || !str_eq(a->v[i].name, b->v[i].name) ||
            !str_eq(a->v[i].value, b->v[i].value))
            return false;
    return true;
}

/* What has begun keeps its matchers and its beginning. */
static bool may_change(const struct silence *old, const struct new_silence *new,
                       int64_t now)
{
    switch (silence_state(old, now)) {
    case SILENCE_PENDING:
        return same_matchers(&old->matchers, &new->matchers) &&
               new->starts_at >= now;
    case SILENCE_ACTIVE:
        return same_matchers(&old->matchers, &new->matchers) &&
               new->starts_at == old->starts_at;
    case SILENCE_EXPIRED:
        break;
    }
    return false;
}

static void make_id(char id[SILENCE_ID])
{
    unsigned char b[16];

    while (getrandom(b, sizeof(b), 0) != sizeof(b))
        continue;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char *p = id;
    for (size_t i = 0; i < sizeof(b); i++)
        p += snprintf(p, 4, "%s%02x",
                      i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
}

enum errc silences_put(struct silences *s, const struct new_silence *new,
                       int64_t now, char id[SILENCE_ID], struct err *err)
{
    struct silence *old = new->id.n ? find(s, new->id) : NULL, *one;
    enum errc rc = check(new, now, err);

    if (!rc && new->id.n && !old)
        rc = err_set(err, ERR_NOT_FOUND, "silence not found");
    if (!rc)
        rc = room(s, err);
    if (!rc)
        rc = make(&new->matchers, new->by, new->comment, &one, err);
    if (rc)
        return rc;
    bool changes = old && may_change(old, new, now);
    one->starts_at = new->starts_at < now && !changes ? now : new->starts_at;
    one->ends_at = new->ends_at;
    one->updated_at = now;
    if (changes)
        memcpy(one->id, old->id, sizeof(one->id));
    else
        make_id(one->id);
    rc = keep(s, one, err);
    if (!rc && old && !changes && silence_state(old, now) != SILENCE_EXPIRED)
        rc = silences_expire(s, new->id, now, err);
    if (rc) {
        silence_free(one);
        return rc;
    }
    memcpy(id, one->id, SILENCE_ID);
    for (size_t i = 0; changes && i < s->n; i++)
        if (s->v[i] == old)
            s->v[i] = one;
    if (changes)
        silence_free(old);
    else
        s->v[s->n++] = one;
    return ERR_OK;
}

enum errc silences_expire(struct silences *s, struct str id, int64_t now,
                          struct err *err)
{
    struct silence *one = find(s, id);

    if (!one)
        return err_set(err, ERR_NOT_FOUND, "silence not found");
    if (silence_state(one, now) == SILENCE_EXPIRED)
        return err_set(err, ERR_CONFLICT, "silence already expired");
    const int64_t starts = one->starts_at, ends = one->ends_at;
    if (one->starts_at > now)
        one->starts_at = now;
    one->ends_at = now;
    one->updated_at = now;
    enum errc rc = keep(s, one, err);
    if (rc) {
        one->starts_at = starts;
        one->ends_at = ends;
    }
    return rc;
}

/* ---- asking ------------------------------------------------------------- */

const struct silence *silences_match(const struct silences *s, struct labels l,
                                     int64_t now, size_t *at)
{
    while (*at < s->n) {
        const struct silence *one = s->v[(*at)++];
        if (silence_state(one, now) == SILENCE_ACTIVE &&
            matchers_match(&one->matchers, l))
            return one;
    }
    return NULL;
}

void silences_forget(struct silences *s, int64_t now)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i]->ends_at + KEPT_MS >= now) {
            s->v[n++] = s->v[i];
            continue;
        }
        notify_store_drop_silence(s->store, str_from_cstr(s->v[i]->id));
        silence_free(s->v[i]);
    }
    s->n = n;
}
