/* engine_db.c - alerts in SQLite. Labels and annotations are texts as PromQL
 * writes labels. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/engine.h"
#include "promql/notation.h"

enum { TEXT_MAX = 4 << 20, BUSY_MS = 5000 };

struct alert_db {
    sqlite3 *db;
    sqlite3_stmt *remove, *add, *find;
    pthread_mutex_t lock;
};

static const char schema[] =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=NORMAL;"
    "CREATE TABLE IF NOT EXISTS alert("
    " grp TEXT NOT NULL, rule TEXT NOT NULL, labels TEXT NOT NULL,"
    " annotations TEXT NOT NULL, state INTEGER NOT NULL, value INTEGER NOT "
    "NULL,"
    " active_at INTEGER NOT NULL, fired_at INTEGER NOT NULL,"
    " resolved_at INTEGER NOT NULL, sent_at INTEGER NOT NULL,"
    " keep_since INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS alert_grp ON alert(grp);";

static enum errc failed(struct alert_db *db, const char *what, struct err *err)
{
    return err_set(err, ERR_IO, "%s the state of the alerts: %s", what,
                   sqlite3_errmsg(db->db));
}

static bool prepare(struct alert_db *db)
{
    const struct {
        sqlite3_stmt **out;
        const char *sql;
    } all[] = {{&db->remove, "DELETE FROM alert WHERE grp = ?1"},
               {&db->add,
                "INSERT INTO alert VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)"},
               {&db->find,
                "SELECT labels, annotations, state, value, active_at,"
                " fired_at, resolved_at, sent_at, keep_since FROM alert"
                " WHERE grp = ?1 AND rule = ?2"}};

    for (size_t i = 0; i < COUNT(all); i++)
        if (sqlite3_prepare_v2(db->db, all[i].sql, -1, all[i].out, NULL))
            return false;
    return true;
}

enum errc alert_db_open(const char *path, struct alert_db **out,
                        struct err *err)
{
    struct alert_db *db = calloc(1, sizeof(*db));

    if (!db)
        return err_set(err, ERR_NOMEM, "out of memory");
    pthread_mutex_init(&db->lock, NULL);
    if (sqlite3_open(path, &db->db) || sqlite3_busy_timeout(db->db, BUSY_MS) ||
        sqlite3_exec(db->db, schema, NULL, NULL, NULL) || !prepare(db)) {
        enum errc rc = err_set(err, ERR_IO, "cannot open '%s': %s", path,
                               db->db ? sqlite3_errmsg(db->db) : "no memory");
        alert_db_close(db);
        return rc;
    }
    *out = db;
    return ERR_OK;
}

void alert_db_close(struct alert_db *db)
{
    if (!db)
        return;
    sqlite3_finalize(db->remove);
    sqlite3_finalize(db->add);
    sqlite3_finalize(db->find);
    sqlite3_close(db->db);
    pthread_mutex_destroy(&db->lock);
    free(db);
}

/* ---- texts -------------------------------------------------------------- */

bool rule_key(const struct rule *rule, struct buf *out)
{
    buf_put(out, rule->name);
    buf_putc(out, '\n');
    if (rule->expr)
        promql_print(rule->expr->root, out);
    for (size_t i = 0; i < rule->n_labels; i++) {
        buf_putc(out, '\n');
        buf_put(out, rule->labels[i].name);
        buf_putc(out, '=');
        buf_put(out, rule->labels[i].source);
    }
    return !out->failed;
}

static void group_key(const struct rule_group *g, struct buf *out)
{
    buf_put(out, g->file);
    buf_putc(out, ';');
    buf_put(out, g->name);
}

static void bind(sqlite3_stmt *s, int at, const struct buf *b)
{
    sqlite3_bind_text(s, at, b->p ? b->p : "", (int)b->n, SQLITE_TRANSIENT);
}

static bool run(sqlite3_stmt *s)
{
    bool ok = sqlite3_step(s) == SQLITE_DONE;

    return sqlite3_reset(s) == SQLITE_OK && ok;
}

/* ---- saving ------------------------------------------------------------- */

struct row {
    struct buf group, rule, labels, annotations;
};

static void row_init(struct row *r)
{
    buf_init(&r->group, TEXT_MAX);
    buf_init(&r->rule, TEXT_MAX);
    buf_init(&r->labels, TEXT_MAX);
    buf_init(&r->annotations, TEXT_MAX);
}

static void row_fini(struct row *r)
{
    buf_fini(&r->group);
    buf_fini(&r->rule);
    buf_fini(&r->labels);
    buf_fini(&r->annotations);
}

static bool add(struct alert_db *db, struct row *r, const struct alert *a)
{
    const int64_t numbers[] = {a->state,       (int64_t)sample_bits(a->value),
                               a->active_at,   a->fired_at,
                               a->resolved_at, a->sent_at,
                               a->keep_since};

    buf_clear(&r->labels);
    buf_clear(&r->annotations);
    labels_print(&r->labels, a->labels);
    labels_print(&r->annotations, a->annotations);
    bind(db->add, 1, &r->group);
    bind(db->add, 2, &r->rule);
    bind(db->add, 3, &r->labels);
    bind(db->add, 4, &r->annotations);
    for (size_t i = 0; i < COUNT(numbers); i++)
        sqlite3_bind_int64(db->add, (int)i + 5, numbers[i]);
    return !r->labels.failed && !r->annotations.failed && run(db->add);
}

static bool add_all(struct alert_db *db, struct row *r, const struct group *g)
{
    for (size_t i = 0; i < g->how->n; i++) {
        const struct rule_run *rr = &g->runs[i];
        buf_clear(&r->rule);
        if (rr->n && !rule_key(rr->rule, &r->rule))
            return false;
        for (size_t k = 0; k < rr->n; k++)
            if (!add(db, r, rr->alerts[k]))
                return false;
    }
    return true;
}

enum errc alert_db_save(struct alert_db *db, const struct group *g,
                        struct err *err)
{
    struct row r;
    enum errc rc = ERR_OK;

    row_init(&r);
    group_key(g->how, &r.group);
    pthread_mutex_lock(&db->lock);
    bool ok = sqlite3_exec(db->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
    if (ok) {
        bind(db->remove, 1, &r.group);
        ok = run(db->remove) && add_all(db, &r, g) &&
             sqlite3_exec(db->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    }
    if (!ok) {
        rc = failed(db, "cannot keep", err);
        (void)sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
    }
    pthread_mutex_unlock(&db->lock);
    row_fini(&r);
    return rc;
}

/* ---- loading ------------------------------------------------------------ */

static struct str column(sqlite3_stmt *s, int at)
{
    const char *text = (const char *)sqlite3_column_text(s, at);

    return (struct str){text ? text : "", (size_t)sqlite3_column_bytes(s, at)};
}

/* A row that makes no sense is left out. */
static bool take(struct alert_db *db, struct rule_run *run)
{
    struct labels labels, annotations;
    struct arena arena;
    sqlite3_stmt *s = db->find;
    int64_t n[7];
    bool ok = true;

    arena_init(&arena, TEXT_MAX);
    for (int i = 0; i < 7; i++)
        n[i] = sqlite3_column_int64(s, i + 2);
    if (n[0] >= ALERT_PENDING && n[0] <= ALERT_RESOLVED &&
        notation_labels(column(s, 0), &arena, &labels, NULL) == ERR_OK &&
        notation_labels(column(s, 1), &arena, &annotations, NULL) == ERR_OK) {
        struct alert *a = alerts_restore(run, labels, annotations);
        ok = a != NULL;
        if (a) {
            a->state = (enum alert_state)n[0];
            a->value = sample_from_bits((uint64_t)n[1]);
            a->active_at = n[2];
            a->fired_at = n[3];
            a->resolved_at = n[4];
            a->sent_at = n[5];
            a->keep_since = n[6];
        }
    }
    arena_fini(&arena);
    return ok;
}

enum errc alert_db_load(struct alert_db *db, struct group *g, struct err *err)
{
    struct row r;
    enum errc rc = ERR_OK;

    row_init(&r);
    group_key(g->how, &r.group);
    pthread_mutex_lock(&db->lock);
    for (size_t i = 0; i < g->how->n && !rc; i++) {
        int step;
        buf_clear(&r.rule);
        if (!g->runs[i].rule->alerting)
            continue;
        if (!rule_key(g->runs[i].rule, &r.rule))
            rc = err_set(err, ERR_NOMEM, "out of memory");
        bind(db->find, 1, &r.group);
        bind(db->find, 2, &r.rule);
        while (!rc && (step = sqlite3_step(db->find)) == SQLITE_ROW)
            if (!take(db, &g->runs[i]))
                rc = err_set(err, ERR_NOMEM, "out of memory");
        sqlite3_reset(db->find);
    }
    pthread_mutex_unlock(&db->lock);
    row_fini(&r);
    return rc;
}
