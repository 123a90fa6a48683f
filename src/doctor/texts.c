#include "doctor/texts.h"

static const char *const texts[DOCTOR_TEXTS][LANGUAGES] = {
#define EXAM(id, group, name, nvml, en, zh, why_en, why_zh)
#define TEXT(id, en, zh) [id] = {en, zh},
#include "doctor/checks.def"
#undef EXAM
#undef TEXT
};

#define TEXT(id, en, zh)

const struct check_facts doctor_checks[] = {
#define EXAM(id, group, name, nvml, en, zh, why_en, why_zh) \
    {#id, #group "." #name, DOCTOR_##group, {en, zh}, {why_en, why_zh}},
#include "doctor/checks.def"
#undef EXAM
};

const size_t doctor_n_checks = COUNT(doctor_checks);

check_function *const doctor_functions[] = {
#define EXAM(id, group, name, nvml, en, zh, why_en, why_zh) \
    check_##group##_##name,
#include "doctor/checks.def"
#undef EXAM
};

const bool doctor_asks_nvml[] = {
#define EXAM(id, group, name, nvml, en, zh, why_en, why_zh) nvml,
#include "doctor/checks.def"
#undef EXAM
};

static const char *const groups[DOCTOR_GROUPS][1 + LANGUAGES] = {
#define GROUP(id, en, zh) {#id, en, zh},
#include "doctor/groups.def"
#undef GROUP
};

const char *doctor_text_in(enum language l, enum doctor_text t)
{
    return texts[t][l];
}

const char *doctor_group_name(enum doctor_group g)
{
    return groups[g][0];
}

const char *doctor_group_title(enum doctor_group g, enum language l)
{
    return groups[g][1 + l];
}

const char *verdict_name(enum verdict v)
{
    static const char *const names[] = {
#define X(id, name) name,
        VERDICTS(X)
#undef X
    };

    return names[v];
}
