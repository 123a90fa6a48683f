#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum {
    LINE_MAX_BYTES = 4096,
    MESSAGE_MAX = 2048,
    PACKET_MAX = 60000, /* bytes, of what is sent to the monitor */
};

static struct {
    int fd;
    enum log_level level;
    bool human;
    const char *process;
    _Atomic uint64_t lines[4]; /* written, by level */
    int tee;                   /* -1: none */
    _Atomic uint64_t lost;     /* lines that did not fit into it */
} sink = {
    .fd = 2, .level = LOG_INFO, .human = true, .process = "stoker", .tee = -1};

static const char *const names[] = {"debug", "info", "warn", "error"};

void log_setup(int fd, enum log_level level, const char *process)
{
    sink.fd = fd;
    sink.level = level;
    sink.human = isatty(fd) == 1;
    sink.process = process;
}

bool log_level_parse(struct str text, enum log_level *out)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        if (str_eq_nocase(text, str_from_cstr(names[i]))) {
            *out = (enum log_level)i;
            return true;
        }
    }
    if (str_eq_nocase(text, STR("warning"))) {
        *out = LOG_WARN;
        return true;
    }
    return false;
}

const char *log_level_name(enum log_level level)
{
    return names[level];
}

uint64_t log_lines(enum log_level level)
{
    return sink.lines[level];
}

void log_tee(int fd)
{
    sink.tee = fd;
}

bool log_tee_is_on(void)
{
    return sink.tee >= 0;
}

uint64_t log_tee_lost(void)
{
    return sink.lost;
}

static bool try_packet(struct str lines)
{
    return send(sink.tee, lines.p, lines.n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* Takes the time that it waits from *wait_ms. */
static void send_packet(struct str lines, int *wait_ms)
{
    struct pollfd room = {.fd = sink.tee, .events = POLLOUT};
    bool sent = try_packet(lines);

    while (!sent && errno == EAGAIN && *wait_ms > 0) {
        int64_t began = clock_mono_ns();
        (void)poll(&room, 1, *wait_ms);
        *wait_ms -= 1 + (int)((clock_mono_ns() - began) / 1000000);
        sent = try_packet(lines);
    }
    for (size_t i = 0; !sent && i < lines.n; i++)
        sink.lost += lines.p[i] == '\n';
}

void log_tee_lines(struct str lines, int wait_ms)
{
    while (sink.tee >= 0 && lines.n) {
        size_t n = lines.n < PACKET_MAX ? lines.n : (size_t)PACKET_MAX;
        const char *end = memrchr(lines.p, '\n', n);
        n = end ? (size_t)(end - lines.p) + 1 : n;
        send_packet(str_slice(lines, 0, n), &wait_ms);
        lines = str_slice(lines, n, lines.n);
    }
}

bool log_enabled(enum log_level level)
{
    return level >= sink.level;
}

static void format_human(struct buf *b, enum log_level level, const char *event,
                         const char *message)
{
    static const char *const colour[] = {"\033[2m", "\033[32m", "\033[33m",
                                         "\033[31m"};
    char when[CLOCK_TEXT_MAX];

    clock_format(clock_wall_ns(), when);
    buf_printf(b, "%.8s %s%-5s\033[0m %-18s ", when + 11, colour[level],
               names[level], event);
    buf_puts(b, message);
    buf_putc(b, '\n');
}

static void format_ecs(struct buf *b, enum log_level level, const char *event,
                       const char *message)
{
    char when[CLOCK_TEXT_MAX];

    clock_format(clock_wall_ns(), when);
    buf_printf(b,
               "{\"@timestamp\":\"%s\",\"log.level\":\"%s\","
               "\"ecs.version\":\"8.11.0\",\"service.name\":\"stoker\","
               "\"process.name\":\"stoker: %s\",\"process.pid\":%d,"
               "\"event.action\":\"%s\",\"message\":",
               when, names[level], sink.process, (int)getpid(), event);
    buf_put_quoted(b, str_from_cstr(message));
    buf_puts(b, "}\n");
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    char message[MESSAGE_MAX];
    struct buf b;
    va_list ap;

    if (!log_enabled(level))
        return;
    sink.lines[level]++;
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);

    buf_init(&b, 4 * LINE_MAX_BYTES);
    if (!sink.human || log_tee_is_on())
        format_ecs(&b, level, event, message);
    if (!b.failed)
        log_tee_lines(buf_str(&b), 0);
    if (sink.human) {
        buf_clear(&b);
        format_human(&b, level, event, message);
    }
    /* A log that cannot be written must not stop the service. */
    if (!b.failed && write(sink.fd, b.p, b.n) < 0)
        buf_clear(&b);
    buf_fini(&b);
}
