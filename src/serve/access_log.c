#include "serve/access_log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "http/client_address.h"
#include "http/server.h"

enum {
    BUFFER_MAX = 4 << 20, /* per loop, while the disk is slow */
    FLUSH_MS = 100,
    TEE_MS = 50, /* that the monitor may let us wait, each time */
    COMPLAIN_NS = 1000000000,
};

/* Lines on their way from a loop to the thread. */
struct pair {
    struct buf lines; /* being filled by the loop */
    struct buf spare; /* being written by the thread; then they swap */
};

enum { LOG, COPY };

struct lane {
    pthread_mutex_t lock;
    struct pair pairs[2]; /* the log; and a copy for the monitor, which is
                             needed when the log is for people */
    uint64_t dropped;
    int64_t stamp_ms; /* of the text below */
    char stamp[CLOCK_TEXT_MAX];
};

struct access_log {
    int fd;
    bool human, stopped;
    unsigned loops;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int64_t complained_ns;
    uint64_t lost;
    struct lane lanes[];
};

static void complain(struct access_log *a, int why)
{
    int64_t now = clock_mono_ns();

    if (now - a->complained_ns < COMPLAIN_NS)
        return;
    a->complained_ns = now;
    log_event(LOG_WARN, "access.lost",
              "access log lines were lost (%llu so far): %s; requests are "
              "served, logging goes on when it can",
              (unsigned long long)a->lost, strerror(why));
}

static struct buf swap(struct pair *p)
{
    struct buf full = p->lines;

    p->lines = p->spare;
    return full;
}

static void give_back(struct pair *p, struct buf *full)
{
    buf_clear(full);
    p->spare = *full;
}

static void flush_lane(struct access_log *a, struct lane *l)
{
    uint64_t dropped;

    pthread_mutex_lock(&l->lock);
    struct buf full = swap(&l->pairs[LOG]), copy = swap(&l->pairs[COPY]);
    dropped = l->dropped;
    l->dropped = 0;
    pthread_mutex_unlock(&l->lock);
    a->lost += dropped;
    if (dropped)
        complain(a, ENOBUFS);
    if (full.n && !fs_write_all(a->fd, full.p, full.n)) {
        int why = errno;
        for (size_t i = 0; i < full.n; i++)
            a->lost += full.p[i] == '\n';
        complain(a, why);
    }
    log_tee_lines(buf_str(a->human ? &copy : &full), TEE_MS);
    give_back(&l->pairs[COPY], &copy);
    give_back(&l->pairs[LOG], &full);
}

static void *run(void *arg)
{
    struct access_log *a = arg;
    bool on = true;

    while (on) {
        struct timespec until;
        clock_deadline(FLUSH_MS, &until);
        pthread_mutex_lock(&a->lock);
        if (!a->stopped)
            pthread_cond_timedwait(&a->wake, &a->lock, &until);
        on = !a->stopped;
        pthread_mutex_unlock(&a->lock);
        for (unsigned i = 0; i < a->loops; i++)
            flush_lane(a, &a->lanes[i]);
    }
    return NULL;
}

enum errc access_log_open(const char *dest, unsigned loops,
                          struct access_log **out, struct err *err)
{
    bool standard = strcmp(dest, "-") == 0;
    int fd = standard
                 ? 1
                 : open(dest, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set(err, errc_from_errno(errno),
                       "cannot open the access log '%s': %s", dest,
                       strerror(errno));
    struct access_log *a = calloc(1, sizeof(*a) + loops * sizeof(a->lanes[0]));
    if (!a)
        return err_set(err, ERR_NOMEM, "out of memory");
    a->fd = fd;
    a->human = isatty(fd) == 1;
    a->loops = loops;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, NULL);
    for (unsigned i = 0; i < loops; i++) {
        pthread_mutex_init(&a->lanes[i].lock, NULL);
        for (int k = LOG; k <= COPY; k++) {
            buf_init(&a->lanes[i].pairs[k].lines, BUFFER_MAX);
            buf_init(&a->lanes[i].pairs[k].spare, BUFFER_MAX);
        }
    }
    int rc = pthread_create(&a->thread, NULL, run, a);
    if (rc) {
        free(a);
        return err_set(err, ERR_IO, "cannot start a thread: %s", strerror(rc));
    }
    *out = a;
    return ERR_OK;
}

void access_log_close(struct access_log *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->stopped = true;
    pthread_cond_signal(&a->wake);
    pthread_mutex_unlock(&a->lock);
    (void)pthread_join(a->thread, NULL);
    for (unsigned i = 0; i < a->loops; i++) {
        for (int k = LOG; k <= COPY; k++) {
            buf_fini(&a->lanes[i].pairs[k].lines);
            buf_fini(&a->lanes[i].pairs[k].spare);
        }
        pthread_mutex_destroy(&a->lanes[i].lock);
    }
    if (a->fd > 2)
        (void)close(a->fd);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static const char *stamp(struct lane *l)
{
    int64_t now = clock_wall_ns();

    if (now / 1000000 != l->stamp_ms) {
        l->stamp_ms = now / 1000000;
        clock_format(now, l->stamp);
    }
    return l->stamp;
}

#define PUT(b, literal) buf_put((b), STR(literal))

/* 00-<32 hex: trace>-<16 hex: span>-<2 hex> of W3C Trace Context. */
static void put_trace(struct buf *b, struct str parent)
{
    if (parent.n != 55 || parent.p[2] != '-' || parent.p[35] != '-' ||
        parent.p[52] != '-')
        return;
    PUT(b, ",\"trace.id\":");
    buf_put_quoted(b, str_slice(parent, 3, 35));
    PUT(b, ",\"span.id\":");
    buf_put_quoted(b, str_slice(parent, 36, 52));
}

static void put_ecs(struct buf *b, struct lane *l, struct http_request *r,
                    int64_t took_ns)
{
    char address[HTTP_ADDRESS_MAX];

    PUT(b, "{\"@timestamp\":\"");
    buf_puts(b, stamp(l));
    PUT(b, "\",\"log.level\":\"");
    buf_puts(b, r->status >= 500 ? "error" : "info");
    PUT(b, "\",\"ecs.version\":\"8.11.0\",\"event.dataset\":\"stoker.access\""
           ",\"http.request.method\":\"");
    buf_put_json(b, r->head.method);
    PUT(b, "\",\"url.path\":\"");
    buf_put_json(b, r->path);
    PUT(b, "\",\"http.response.status_code\":");
    buf_put_u64(b, (uint64_t)r->status);
    PUT(b, ",\"http.request.body.bytes\":");
    buf_put_u64(b, r->bytes_in);
    PUT(b, ",\"http.response.body.bytes\":");
    buf_put_u64(b, r->bytes_out);
    PUT(b, ",\"event.duration\":");
    buf_put_i64(b, took_ns);
    if (http_client_address(r, address)) {
        PUT(b, ",\"client.ip\":\"");
        buf_puts(b, address);
        PUT(b, "\"");
    }
    PUT(b, ",\"http.request.id\":\"");
    buf_put_json(b, str_from_cstr(http_request_id(r)));
    PUT(b, "\"");
    put_trace(b, r->head.known[HTTP_TRACEPARENT]);
    if (r->model[0]) {
        PUT(b, ",\"stoker.model\":\"");
        buf_puts(b, r->model);
        PUT(b, "\"");
    }
    PUT(b, "}\n");
}

/* 22:21:31 200 POST /predict 0.12 ms 44 B mlp */
static void put_human(struct buf *b, struct lane *l, struct http_request *r,
                      int64_t took_ns)
{
    const char *colour = r->status >= 500   ? "\033[31m"
                         : r->status >= 400 ? "\033[33m"
                                            : "\033[32m";

    buf_put(b, (struct str){stamp(l) + 11, 8});
    buf_printf(b, " %s%d\033[0m ", colour, r->status);
    buf_put_json(b, r->head.method);
    buf_putc(b, ' ');
    buf_put_json(b, r->path);
    buf_printf(b, " %.2f ms %llu B %s\n", (double)took_ns * 1e-6,
               (unsigned long long)r->bytes_out, r->model);
}

static void add(struct buf *to, struct lane *l, struct http_request *r,
                int64_t took_ns,
                void (*put)(struct buf *b, struct lane *l,
                            struct http_request *r, int64_t took_ns))
{
    size_t before = to->n;

    put(to, l, r, took_ns);
    if (to->failed) {
        to->failed = false;
        to->n = before;
        l->dropped++;
    }
}

void access_log_write(struct access_log *a, struct http_request *r,
                      int64_t took_ns)
{
    struct lane *l = &a->lanes[r->loop->index];

    pthread_mutex_lock(&l->lock);
    add(&l->pairs[LOG].lines, l, r, took_ns, a->human ? put_human : put_ecs);
    if (a->human && log_tee_is_on())
        add(&l->pairs[COPY].lines, l, r, took_ns, put_ecs);
    pthread_mutex_unlock(&l->lock);
}
