/* texts.h - the texts of checks.def. */
#ifndef DOCTOR_TEXTS_H
#define DOCTOR_TEXTS_H

#include "doctor/check.h"

const char *doctor_text_in(enum language l, enum doctor_text t);

/* In the order of doctor_checks. */
extern check_function *const doctor_functions[];
extern const bool doctor_asks_nvml[];

#endif
