#include "supervise/spec.h"

#include <stddef.h>
#include <string.h>

#include "base/compiler.h"
#include "base/str.h"

#define AT(field) offsetof(struct service_spec, field)

static const size_t texts[] = {
    AT(process.command),
    AT(process.directory),
    AT(process.user),
    AT(process.environment),
    AT(process.environment_file),
    AT(process.cpus),
    AT(after),
    AT(ready_http),
    AT(ready_tcp),
    AT(ready_file),
    AT(health_http),
    AT(health_tcp),
    AT(restart),
    AT(success_status),
    AT(stop_signal),
};

static const size_t numbers[] = {
    AT(process.memory), AT(process.tasks),  AT(ready_timeout),
    AT(health_every),   AT(health_timeout), AT(health_failures),
    AT(delay),          AT(delay_max),      AT(limit),
    AT(stop_timeout),
};

static const char *text_at(const struct service_spec *s, size_t at)
{
    const char *text;

    memcpy(&text, (const char *)s + at, sizeof(text));
    return text ? text : "";
}

bool spec_equal(const struct service_spec *a, const struct service_spec *b)
{
    for (size_t i = 0; i < COUNT(texts); i++)
        if (strcmp(text_at(a, texts[i]), text_at(b, texts[i])) != 0)
            return false;
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (memcmp((const char *)a + numbers[i], (const char *)b + numbers[i],
                   sizeof(int64_t)) != 0)
            return false;
    return a->ready_notify == b->ready_notify && a->outlives == b->outlives;
}

bool spec_keep(struct service_spec *s, struct arena *a)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *text;
        memcpy(&text, (const char *)s + texts[i], sizeof(text));
        if (!text)
            continue;
        text = arena_cstr(a, str_from_cstr(text));
        if (!text)
            return false;
        memcpy((char *)s + texts[i], &text, sizeof(text));
    }
    return true;
}
