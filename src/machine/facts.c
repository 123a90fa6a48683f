#include "machine/facts.h"

#include <string.h>

static const struct {
    const char *name;
    fact_source *source;
    bool argument;
} facts[] = {
    {"uname", fact_uname, false},
    {"statfs", fact_statfs, true},
    {"clock", fact_clock, false},
    {"user", fact_user, false},
    {"environment", fact_environment, false},
    {"kernel-log", fact_kernel_log, false},
    {"nvml", fact_nvml, false},
    {"docker", fact_docker, false},
    {"failed-units", fact_failed_units, false},
    {"resolve", fact_resolve, true},
    {"reach", fact_reach, true},
};

enum found facts_ask(const char *name, struct buf *out)
{
    size_t n = strcspn(name, " ");
    const char *argument = name[n] ? name + n + 1 : "";

    for (size_t i = 0; i < COUNT(facts); i++)
        if (strlen(facts[i].name) == n && memcmp(facts[i].name, name, n) == 0)
            return !facts[i].argument == !*argument
                       ? facts[i].source(argument, out)
                       : ABSENT;
    return ABSENT;
}

struct str fact_value(struct str text, const char *key)
{
    struct str k = str_from_cstr(key);

    while (text.p && text.n) {
        struct str line = str_cut(&text, '\n');
        if (str_starts(line, k) && line.n > k.n && line.p[k.n] == ' ')
            return str_slice(line, k.n + 1, line.n);
    }
    return (struct str){NULL, 0};
}

int64_t fact_number(struct str text, const char *key, int64_t otherwise)
{
    uint64_t v;

    return str_to_u64(fact_value(text, key), &v) && v <= INT64_MAX ? (int64_t)v
                                                                   : otherwise;
}
