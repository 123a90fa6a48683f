#include "notify/store.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 5000 };

enum statement {
    TOLD,
    TELL,
    FORGET,
    SILENCE,
    DROP_SILENCE,
    SILENCES,
    STATEMENTS
};

struct notify_store {
    sqlite3 *db;
    sqlite3_stmt *v[STATEMENTS];
};

static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=NORMAL;"
    "CREATE TABLE IF NOT EXISTS told(key TEXT PRIMARY KEY, at INTEGER NOT NULL,"
    " firing BLOB NOT NULL, resolved BLOB NOT NULL, expires INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS silence(id TEXT PRIMARY KEY,"
    " matchers TEXT NOT NULL, by TEXT NOT NULL, comment TEXT NOT NULL,"
    " starts INTEGER NOT NULL, ends INTEGER NOT NULL,"
    " updated INTEGER NOT NULL);";

static const char *const texts[STATEMENTS] = {
    [TOLD] = "SELECT at, firing, resolved FROM told WHERE key = ?1",
    [TELL] = "INSERT OR REPLACE INTO told VALUES(?1,?2,?3,?4,?5)",
    [FORGET] = "DELETE FROM told WHERE expires < ?1",
    [SILENCE] = "INSERT OR REPLACE INTO silence VALUES(?1,?2,?3,?4,?5,?6,?7)",
    [DROP_SILENCE] = "DELETE FROM silence WHERE id = ?1",
    [SILENCES] = "SELECT id, matchers, by, comment, starts, ends, updated"
                 " FROM silence",
};

static enum errc failed(const struct notify_store *s, struct err *err)
{
    return err_set(err, ERR_IO, "the state of notifications: %s",
                   s->db ? sqlite3_errmsg(s->db) : "no memory");
}

enum errc notify_store_open(const char *path, struct notify_store **out,
                            struct err *err)
{
    struct notify_store *s = calloc(1, sizeof(*s));

    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    bool ok = sqlite3_open(path ? path : ":memory:", &s->db) == SQLITE_OK &&
              sqlite3_busy_timeout(s->db, BUSY_MS) == SQLITE_OK &&
              sqlite3_exec(s->db, schema, NULL, NULL, NULL) == SQLITE_OK;
    for (int i = 0; ok && i < STATEMENTS; i++)
        ok = sqlite3_prepare_v2(s->db, texts[i], -1, &s->v[i], NULL) ==
             SQLITE_OK;
    if (!ok) {
        enum errc rc = failed(s, err);
        notify_store_close(s);
        return rc;
    }
    *out = s;
    return ERR_OK;
}

void notify_store_close(struct notify_store *s)
{
    if (!s)
        return;
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(s->v[i]);
    sqlite3_close(s->db);
    free(s);
}

static void bind_text(sqlite3_stmt *s, int at, struct str text)
{
    sqlite3_bind_text(s, at, text.n ? text.p : "", (int)text.n,
                      SQLITE_TRANSIENT);
}

static bool run(sqlite3_stmt *s)
{
    bool ok = sqlite3_step(s) == SQLITE_DONE;

    return sqlite3_reset(s) == SQLITE_OK && ok;
}

/* ---- told --------------------------------------------------------------- */

static bool take_hashes(sqlite3_stmt *s, int at, uint64_t **out, size_t *n)
{
    const void *bytes = sqlite3_column_blob(s, at);

    *n = (size_t)sqlite3_column_bytes(s, at) / sizeof(**out);
    *out = malloc(*n * sizeof(**out) + 1);
    if (*out && *n)
        memcpy(*out, bytes, *n * sizeof(**out));
    return *out != NULL;
}

enum errc notify_store_told(struct notify_store *s, struct str key,
                            struct told_record *out, struct err *err)
{
    sqlite3_stmt *q = s->v[TOLD];
    enum errc rc = ERR_OK;

    *out = (struct told_record){.at = 0};
    bind_text(q, 1, key);
    int step = sqlite3_step(q);
    if (step == SQLITE_ROW) {
        out->at = sqlite3_column_int64(q, 0);
        if (!take_hashes(q, 1, &out->firing, &out->n_firing) ||
            !take_hashes(q, 2, &out->resolved, &out->n_resolved))
            rc = err_set(err, ERR_NOMEM, "out of memory");
    } else {
        rc = step == SQLITE_DONE ? ERR_NOT_FOUND : failed(s, err);
    }
    sqlite3_reset(q);
    return rc;
}

void told_record_fini(struct told_record *t)
{
    free(t->firing);
    free(t->resolved);
}

enum errc notify_store_tell(struct notify_store *s, struct str key,
                            const struct told_record *t, int64_t expires,
                            struct err *err)
{
    sqlite3_stmt *q = s->v[TELL];

    bind_text(q, 1, key);
    sqlite3_bind_int64(q, 2, t->at);
    sqlite3_bind_blob64(q, 3, t->n_firing ? (void *)t->firing : "",
                        t->n_firing * sizeof(uint64_t), SQLITE_TRANSIENT);
    sqlite3_bind_blob64(q, 4, t->n_resolved ? (void *)t->resolved : "",
                        t->n_resolved * sizeof(uint64_t), SQLITE_TRANSIENT);
    sqlite3_bind_int64(q, 5, expires);
    return run(q) ? ERR_OK : failed(s, err);
}

void notify_store_forget(struct notify_store *s, int64_t now)
{
    sqlite3_bind_int64(s->v[FORGET], 1, now);
    (void)run(s->v[FORGET]);
}

/* ---- silences ----------------------------------------------------------- */

enum errc notify_store_silence(struct notify_store *s,
                               const struct kept_silence *k, struct err *err)
{
    sqlite3_stmt *q = s->v[SILENCE];

    bind_text(q, 1, k->id);
    bind_text(q, 2, k->matchers);
    bind_text(q, 3, k->by);
    bind_text(q, 4, k->comment);
    sqlite3_bind_int64(q, 5, k->starts_at);
    sqlite3_bind_int64(q, 6, k->ends_at);
    sqlite3_bind_int64(q, 7, k->updated_at);
    return run(q) ? ERR_OK : failed(s, err);
}

void notify_store_drop_silence(struct notify_store *s, struct str id)
{
    bind_text(s->v[DROP_SILENCE], 1, id);
    (void)run(s->v[DROP_SILENCE]);
}

static struct str column(sqlite3_stmt *s, int at)
{
    const char *text = (const char *)sqlite3_column_text(s, at);

    return (struct str){text ? text : "", (size_t)sqlite3_column_bytes(s, at)};
}

enum errc notify_store_silences(struct notify_store *s,
                                enum errc (*each)(void *ctx,
                                                  const struct kept_silence *k,
                                                  struct err *err),
                                void *ctx, struct err *err)
{
    sqlite3_stmt *q = s->v[SILENCES];
    enum errc rc = ERR_OK;
    int step = SQLITE_DONE;

    while (!rc && (step = sqlite3_step(q)) == SQLITE_ROW) {
        const struct kept_silence k = {.id = column(q, 0),
                                       .matchers = column(q, 1),
                                       .by = column(q, 2),
                                       .comment = column(q, 3),
                                       .starts_at = sqlite3_column_int64(q, 4),
                                       .ends_at = sqlite3_column_int64(q, 5),
                                       .updated_at =
                                           sqlite3_column_int64(q, 6)};
        rc = each(ctx, &k, err);
    }
    sqlite3_reset(q);
    return rc || step == SQLITE_DONE ? rc : failed(s, err);
}
