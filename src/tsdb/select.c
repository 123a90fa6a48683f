/* select.c - which series do the matchers fit?
 *
 * One matcher that asks for given texts (a = "b", a =~ "b|c") says which series
 * come into question; the shortest such list is taken. Each of these is
 * tested against all matchers; a test's answer depends on the text only, so it
 * is kept for the next series that has the same text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "tsdb/db_internal.h"

/* A matcher while it is used. */
struct test {
    const struct matcher *m;
    uint32_t name;           /* SYMBOL_NONE: no series has the label */
    unsigned char *answers;  /* by symbol: 1 no, 2 yes, 0 not asked yet */
    enum regex_result empty; /* the answer for series without the label */
};

/* The words that the label must be one of; n == 0 when it may be others. */
static const struct str *words_of(const struct matcher *m, size_t *n)
{
    const struct str *words = NULL;

    *n = 0;
    if (m->op == MATCH_EQUAL) {
        *n = 1;
        words = &m->value;
    } else if (m->op == MATCH_REGEX) {
        words = regex_words(m->re, n);
    }
    for (size_t i = 0; i < *n; i++) {
        if (words[i].n == 0) { /* series without the label fit, too */
            *n = 0;
            return NULL;
        }
    }
    return words;
}

static const uint32_t *list_of(const struct tsdb *db, const struct test *t,
                               struct str word, uint32_t *n)
{
    uint32_t value = symbols_find(&db->symbols, word);

    *n = 0;
    if (t->name == SYMBOL_NONE || value == SYMBOL_NONE)
        return NULL;
    return postings_get(&db->postings, t->name, value, n);
}

/* The shortest list: its test, or NULL when no matcher asks for given texts. */
static const struct test *best_of(const struct tsdb *db, const struct test *t,
                                  size_t n, size_t *length)
{
    const struct test *best = NULL;

    *length = db->n;
    for (size_t i = 0; i < n; i++) {
        size_t n_words, sum = 0;
        const struct str *words = words_of(t[i].m, &n_words);
        for (size_t k = 0; k < n_words; k++) {
            uint32_t one;
            (void)list_of(db, &t[i], words[k], &one);
            sum += one;
        }
        if (n_words && (!best || sum < *length)) {
            best = &t[i];
            *length = sum;
        }
    }
    return best;
}

/* The candidates into v, which has room; each once, rising. */
static size_t candidates(const struct tsdb *db, const struct test *best,
                         uint32_t *v)
{
    size_t n_words, n = 0, kept = 0;

    if (!best) {
        for (uint32_t i = 0; i < db->n; i++)
            v[i] = i;
        return db->n;
    }
    const struct str *words = words_of(best->m, &n_words);
    for (size_t k = 0; k < n_words; k++) {
        uint32_t one;
        const uint32_t *list = list_of(db, best, words[k], &one);
        if (one)
            memcpy(v + n, list, one * sizeof(*v));
        n += one;
    }
    if (n_words < 2)
        return n;
    sort_items(v, n, sizeof(*v), sort_u32);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || v[i] != v[i - 1])
            v[kept++] = v[i];
    return kept;
}

static enum regex_result ask(const struct tsdb *db, struct test *t,
                             const struct series *s)
{
    for (size_t i = 0; i < s->n_labels; i++) {
        if (s->pairs[2 * i] != t->name)
            continue;
        uint32_t value = s->pairs[2 * i + 1];
        if (!t->answers[value]) {
            enum regex_result r = matcher_test(t->m, db->symbols.v[value]);
            if (r == REGEX_TOO_COSTLY)
                return r;
            t->answers[value] = r == REGEX_YES ? 2 : 1;
        }
        return t->answers[value] == 2 ? REGEX_YES : REGEX_NO;
    }
    return t->empty;
}

static enum errc filter(const struct tsdb *db, struct test *t, size_t n,
                        struct tsdb_found *found, struct err *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < found->n; i++) {
        enum regex_result r = REGEX_YES;
        if (found->v[i] >= db->n || db->series[found->v[i]].forgotten)
            continue; /* see add_series() */
        for (size_t k = 0; k < n && r == REGEX_YES; k++) {
            r = ask(db, &t[k], &db->series[found->v[i]]);
            if (r == REGEX_TOO_COSTLY)
                return err_set(err, ERR_LIMIT,
                               "the regular expression \"" STR_FMT
                               "\" takes too many steps",
                               STR_ARG(t[k].m->value));
        }
        if (r == REGEX_YES)
            found->v[kept++] = found->v[i];
    }
    found->n = kept;
    return ERR_OK;
}

static enum errc prepare(const struct tsdb *db, const struct matcher *m,
                         size_t n, struct arena *a, struct test *t)
{
    for (size_t i = 0; i < n; i++) {
        t[i].m = &m[i];
        t[i].name = symbols_find(&db->symbols, m[i].name);
        t[i].empty = matcher_test(&m[i], STR(""));
        t[i].answers = arena_alloc(a, db->symbols.n + 1u, 1, 1);
        if (!t[i].answers)
            return ERR_NOMEM;
    }
    return ERR_OK;
}

static enum errc select_locked(struct tsdb *db, const struct matcher *m,
                               size_t n, struct arena *a,
                               struct tsdb_found *out, struct err *err)
{
    struct test *t = arena_new(a, struct test, n + 1);
    size_t length;

    if (!t || prepare(db, m, n, a, t))
        return err_set(err, ERR_NOMEM, "out of memory");
    const struct test *best = best_of(db, t, n, &length);
    struct tsdb_found found = {arena_new(a, uint32_t, length + 1), 0};
    if (!found.v)
        return err_set(err, ERR_NOMEM, "out of memory");
    found.n = candidates(db, best, found.v);
    enum errc rc = filter(db, t, n, &found, err);
    if (!rc)
        *out = found;
    return rc;
}

enum errc tsdb_select(struct tsdb *db, const struct matcher *m, size_t n,
                      struct arena *a, struct tsdb_found *out, struct err *err)
{
    pthread_rwlock_rdlock(&db->lock);
    enum errc rc = select_locked(db, m, n, a, out, err);
    pthread_rwlock_unlock(&db->lock);
    return rc;
}
