#include "backup/hashers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "io/cpu.h"

enum { PIECE = 1 << 20 };

/* FREE -> WAITS -> (a thread took it) WORKS -> DONE -> FREE */
enum { STEP_FREE, STEP_WAITS, STEP_WORKS, STEP_DONE };

struct hashers {
    hash_retire *retire;
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t more;  /* for the threads: something to do, or to read */
    pthread_cond_t ready; /* for the caller: something is done */
    struct hash_task tasks[HASH_TASKS];
    unsigned first, n; /* of the ring */
    bool ending;
    pthread_t threads[HASH_THREADS_MAX];
    struct digest *digests[HASH_THREADS_MAX];
    char *pieces[HASH_THREADS_MAX];
    unsigned started, made;
};

/* ---- the threads -------------------------------------------------------- */

/* Under the lock: the oldest that waits. */
static struct hash_task *next_task(struct hashers *h)
{
    for (unsigned i = 0; i < h->n; i++) {
        struct hash_task *t = &h->tasks[(h->first + i) % HASH_TASKS];
        if (t->step == STEP_WAITS)
            return t;
    }
    return NULL;
}

/* How far it may be read from `at`; *complete: the end is known. */
static int64_t await_bytes(struct hashers *h, struct hash_task *t, int64_t at,
                           bool *complete)
{
    (void)pthread_mutex_lock(&h->lock);
    while (!h->ending && !t->complete && t->written - at < PIECE)
        (void)pthread_cond_wait(&h->more, &h->lock);
    int64_t upto = h->ending ? at : t->written;
    *complete = t->complete || h->ending;
    (void)pthread_mutex_unlock(&h->lock);
    return upto;
}

static enum errc read_failed(struct hash_task *t, int error)
{
    return err_set(&t->err, errc_from_errno(error), "%s", strerror(error));
}

static enum errc hash_file(struct hashers *h, struct hash_task *t,
                           struct digest *d, char *piece)
{
    int64_t at = 0, upto;
    bool complete = false;
    enum errc rc = ERR_OK;

    while (!rc && !complete) {
        upto = await_bytes(h, t, at, &complete);
        while (!rc && at < upto) {
            ssize_t n =
                pread(t->fd, piece,
                      (size_t)(upto - at < PIECE ? upto - at : PIECE), at);
            if (n < 0 && errno != EINTR)
                rc = read_failed(t, errno);
            else if (n == 0)
                rc = err_set(&t->err, ERR_IO, "it is shorter than it was");
            if (n > 0)
                digest_add(d, (struct str){piece, (size_t)n});
            at += n > 0 ? n : 0;
        }
    }
    if (!digest_end(d, t->sha256) && !rc)
        rc = err_set(&t->err, ERR_INTERNAL, "SHA-256 failed");
    if (!rc && t->durable && fdatasync(t->fd))
        rc = read_failed(t, errno);
    if (!rc) /* nobody reads it soon: others' pages stay in memory */
        (void)posix_fadvise(t->fd, 0, 0, POSIX_FADV_DONTNEED);
    return rc;
}

struct worker {
    struct hashers *h;
    unsigned i;
};

static void *work(void *arg)
{
    struct worker *self = arg;
    struct hashers *h = self->h;
    unsigned i = self->i;

    free(self);
    (void)pthread_mutex_lock(&h->lock);
    while (!h->ending) {
        struct hash_task *t = next_task(h);
        if (!t) {
            (void)pthread_cond_wait(&h->more, &h->lock);
            continue;
        }
        t->step = STEP_WORKS;
        (void)pthread_mutex_unlock(&h->lock);
        enum errc rc = hash_file(h, t, h->digests[i], h->pieces[i]);
        (void)pthread_mutex_lock(&h->lock);
        t->rc = rc;
        t->step = STEP_DONE;
        (void)pthread_cond_signal(&h->ready);
    }
    (void)pthread_mutex_unlock(&h->lock);
    return NULL;
}

/* ---- the caller --------------------------------------------------------- */

static enum errc start_thread(struct hashers *h, struct err *err)
{
    unsigned i = h->made;
    enum errc rc = digest_new(&h->digests[i], err);

    if (rc)
        return rc;
    h->made++;
    h->pieces[i] = malloc(PIECE);
    struct worker *w = malloc(sizeof(*w));
    if (w && h->pieces[i]) {
        *w = (struct worker){h, i};
        if (pthread_create(&h->threads[i], NULL, work, w) == 0) {
            h->started++;
            return ERR_OK;
        }
    }
    free(w);
    return err_set(err, ERR_NOMEM, "cannot start a thread");
}

enum errc hashers_new(hash_retire *retire, void *ctx, struct hashers **out,
                      struct err *err)
{
    struct hashers *h = calloc(1, sizeof(*h));
    enum errc rc = ERR_OK;
    unsigned threads = cpu_count();

    if (!h)
        return err_set(err, ERR_NOMEM, "out of memory for hashing");
    if (threads > HASH_THREADS_MAX)
        threads = HASH_THREADS_MAX;
    h->retire = retire;
    h->ctx = ctx;
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_cond_init(&h->more, NULL);
    (void)pthread_cond_init(&h->ready, NULL);
    for (unsigned i = 0; i < HASH_TASKS; i++) {
        h->tasks[i].fd = -1;
        buf_init(&h->tasks[i].texts, 2 * ENTRY_XATTRS_MAX);
    }
    for (unsigned i = 0; i < threads && !rc; i++)
        rc = start_thread(h, err);
    if (rc)
        hashers_free(h);
    else
        *out = h;
    return rc;
}

static void close_file(struct hash_task *t)
{
    if (t->fd >= 0)
        (void)close(t->fd);
    t->fd = -1;
}

void hashers_free(struct hashers *h)
{
    if (!h)
        return;
    (void)pthread_mutex_lock(&h->lock);
    h->ending = true;
    (void)pthread_cond_broadcast(&h->more);
    (void)pthread_mutex_unlock(&h->lock);
    for (unsigned i = 0; i < h->started; i++)
        (void)pthread_join(h->threads[i], NULL);
    for (unsigned i = 0; i < h->made; i++) {
        digest_free(h->digests[i]);
        free(h->pieces[i]);
    }
    for (unsigned i = 0; i < HASH_TASKS; i++) {
        close_file(&h->tasks[i]);
        buf_fini(&h->tasks[i].texts);
    }
    (void)pthread_cond_destroy(&h->more);
    (void)pthread_cond_destroy(&h->ready);
    (void)pthread_mutex_destroy(&h->lock);
    free(h);
}

/* The oldest task, when it is done, or with `wait`, is retired, and free. */
static enum errc retire_oldest(struct hashers *h, bool wait, bool *any,
                               struct err *err)
{
    struct hash_task *t = &h->tasks[h->first];

    *any = false;
    if (h->n == 0)
        return ERR_OK;
    if (wait)
        hashers_wait(h, t);
    (void)pthread_mutex_lock(&h->lock);
    *any = t->step == STEP_DONE;
    (void)pthread_mutex_unlock(&h->lock);
    if (!*any)
        return ERR_OK;
    enum errc rc = h->retire(h->ctx, t, err);
    close_file(t);
    (void)pthread_mutex_lock(&h->lock); /* threads look at the ring */
    t->step = STEP_FREE;
    h->first = (h->first + 1) % HASH_TASKS;
    h->n--;
    (void)pthread_mutex_unlock(&h->lock);
    return rc;
}

enum errc hashers_finish(struct hashers *h, struct err *err)
{
    bool any = true;
    enum errc rc = ERR_OK;

    while (!rc && any)
        rc = retire_oldest(h, true, &any, err);
    return rc;
}

enum errc hashers_task(struct hashers *h, struct str path,
                       struct hash_task **out, struct err *err)
{
    bool any = true;
    enum errc rc = ERR_OK;

    while (!rc && any)
        rc = retire_oldest(h, h->n == HASH_TASKS, &any, err);
    if (rc)
        return rc;
    struct hash_task *t = &h->tasks[(h->first + h->n) % HASH_TASKS];
    close_file(t); /* of one that was not started */
    buf_clear(&t->texts);
    *t = (struct hash_task){.fd = -1, .texts = t->texts};
    buf_put(&t->texts, path);
    buf_putc(&t->texts, '\0');
    t->entry.path = (struct str){t->texts.p, path.n};
    *out = t;
    return t->texts.failed ? err_set(err, ERR_NOMEM, "out of memory") : ERR_OK;
}

void hashers_start(struct hashers *h, struct hash_task *t)
{
    (void)pthread_mutex_lock(&h->lock);
    t->step = t->fd < 0 ? STEP_DONE : STEP_WAITS;
    h->n++;
    /* Who waits for bytes hears it, too. */
    (void)pthread_cond_broadcast(&h->more);
    (void)pthread_mutex_unlock(&h->lock);
}

static void tell(struct hashers *h, struct hash_task *t, int64_t upto,
                 bool complete)
{
    (void)pthread_mutex_lock(&h->lock);
    t->written = upto > t->written ? upto : t->written;
    t->complete = complete;
    (void)pthread_cond_broadcast(&h->more);
    (void)pthread_mutex_unlock(&h->lock);
}

void hashers_wrote(struct hashers *h, struct hash_task *t, int64_t upto)
{
    tell(h, t, upto, false);
}

void hashers_wrote_all(struct hashers *h, struct hash_task *t)
{
    tell(h, t, 0, true);
}

void hashers_wait(struct hashers *h, struct hash_task *t)
{
    (void)pthread_mutex_lock(&h->lock);
    while (t->step != STEP_DONE)
        (void)pthread_cond_wait(&h->ready, &h->lock);
    (void)pthread_mutex_unlock(&h->lock);
}

void hashers_again(struct hashers *h, struct hash_task *t)
{
    (void)pthread_mutex_lock(&h->lock);
    t->written = 0;
    t->complete = false;
    t->rc = ERR_OK;
    t->step = STEP_WAITS;
    (void)pthread_cond_broadcast(&h->more);
    (void)pthread_mutex_unlock(&h->lock);
}
