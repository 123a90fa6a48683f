#include "supervise/signals.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"

static const struct {
    const char *name;
    int number;
} names[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT},
    {"ILL", SIGILL},   {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},
    {"BUS", SIGBUS},   {"FPE", SIGFPE},   {"KILL", SIGKILL},
    {"USR1", SIGUSR1}, {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"CHLD", SIGCHLD}, {"CONT", SIGCONT}, {"STOP", SIGSTOP},
    {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"WINCH", SIGWINCH},
    {"SYS", SIGSYS},
};

int signal_number(const char *name)
{
    char *end;
    long v = strtol(name, &end, 10);

    if (end != name && !*end)
        return v > 0 && v < NSIG ? (int)v : -1;
    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcasecmp(name, names[i].name) == 0)
            return names[i].number;
    return -1;
}

const char *signal_name(int number, char out[32])
{
    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].number == number) {
            (void)snprintf(out, 32, "SIG%s", names[i].name);
            return out;
        }
    (void)snprintf(out, 32, "signal %d", number);
    return out;
}
