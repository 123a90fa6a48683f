/* reach.c - servers elsewhere, with --network. */
#include <stdio.h>
#include <string.h>

#include "codec/json_tree.h"
#include "doctor/check.h"

enum { SLOW_MS = 2000 };

/* What a failure of TLS is about: the clock, or who signs here (a proxy that
 * looks inside). libcurl says so in words of OpenSSL. */
static enum doctor_text kind_of(struct str error)
{
    static const struct {
        const char *words;
        enum doctor_text text;
    } rows[] = {
        {"not yet valid", REACH_CLOCK},
        {"has expired", REACH_CLOCK},
        {"self-signed", REACH_SIGNER},
        {"self signed", REACH_SIGNER},
        {"unable to get local issuer", REACH_SIGNER},
        {"certificate", REACH_SIGNER},
        {"resolve host", REACH_NAME},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (memmem(error.p, error.n, rows[i].words, strlen(rows[i].words)))
            return rows[i].text;
    return REACH_DEAD;
}

/* Asks, shows what came of it; false: there was no answer, and that is said. */
static bool reached(struct exam *x, const char *url, struct str *answer)
{
    char name[1024];

    (void)snprintf(name, sizeof(name), "reach %s", url);
    if (!got(x, machine_fact(x->m, name, answer), url))
        return false;
    struct str error = fact_value(*answer, "error");
    if (error.p) {
        evidence(x, "%s " STR_FMT, url, STR_ARG(error));
        say(x, VERDICT_WARNING, kind_of(error), url, cstr(x, error));
        return false;
    }
    int64_t ms = fact_number(*answer, "milliseconds", 0);
    evidence(x, "%s %lld in %lld ms", url,
             (long long)fact_number(*answer, "status", 0), (long long)ms);
    if (ms > SLOW_MS)
        say(x, VERDICT_INFO, REACH_SLOW, url, (long long)ms);
    return true;
}

void check_network_registries(struct exam *x)
{
    static const char *const urls[] = {"https://registry-1.docker.io/v2/",
                                       "https://nvcr.io/v2/",
                                       "https://huggingface.co/"};
    struct str answer = {NULL, 0};

    if (!x->options->network)
        return;
    for (size_t i = 0; i < COUNT(urls); i++)
        (void)reached(x, urls[i], &answer);
}

void check_containers_mirrors_answer(struct exam *x)
{
    struct str text = {NULL, 0}, answer = {NULL, 0};

    if (!x->options->network ||
        machine_read(x->m, "/etc/docker/daemon.json", &text) != FOUND)
        return;
    const struct json_node *list =
        json_get(json_tree_copy(text, &x->m->arena, NULL), "registry-mirrors");
    for (size_t i = 0; i < (list ? list->n : 0); i++) {
        struct str url = json_str_or(json_at(list, i), "");
        const char *whole = machine_path(x->m, STR_FMT "%sv2/", STR_ARG(url),
                                         str_ends(url, STR("/")) ? "" : "/");
        if (!reached(x, whole, &answer)) {
            fix(x, "stoker setup docker --mirrors URL,URL   # keeps those that "
                   "answer, the fastest first");
            continue;
        }
        int64_t status = fact_number(answer, "status", 0);
        if (status != 200 && status != 401)
            say(x, VERDICT_WARNING, REACH_NO_REGISTRY, whole, (int)status);
    }
}

/* index-url of pip.conf; PyPI otherwise. */
static const char *pip_index(struct exam *x)
{
    struct str text = {NULL, 0};

    if (machine_read(x->m, "/etc/pip.conf", &text) == FOUND)
        while (text.n) {
            struct str value = str_cut(&text, '\n');
            struct str key = str_trim(str_cut(&value, '='));
            if (value.p && str_eq(key, STR("index-url")))
                return cstr(x, str_trim(value));
        }
    return "https://pypi.org/simple";
}

void check_python_index(struct exam *x)
{
    struct str answer = {NULL, 0};

    if (!x->options->network)
        return;
    const char *index = pip_index(x);
    const char *url = machine_path(x->m, "%s%snumpy/", index,
                                   index[strlen(index) - 1] == '/' ? "" : "/");
    if (!reached(x, url, &answer)) {
        fix(x, "pip config set global.index-url https://MIRROR/simple");
        return;
    }
    int64_t status = fact_number(answer, "status", 0);
    if (status != 200) {
        say(x, VERDICT_WARNING, REACH_NO_INDEX, url, (int)status);
        fix(x, "pip config set global.index-url https://MIRROR/simple");
    }
}
