/* check.h - what a check is made of. Only checks and run.c include this.
 *
 * To add one: a row EXAM and its texts in <group>.def, a function in
 * <group>.c, and its rows in tests/system/test_doctor.py. The function asks
 * x->m, says what it found and returns; nothing that it took need be freed.
 *
 *     void check_driver_uvm(struct exam *x)
 *     {
 *         if (machine_kind(x->m, "/sys/module/nvidia_uvm"))
 *             return;
 *         say(x, VERDICT_FAILED, DRIVER_NO_UVM);
 *         fix(x, "modprobe nvidia_uvm");
 *     }
 */
#ifndef DOCTOR_CHECK_H
#define DOCTOR_CHECK_H

#include "doctor/doctor.h"
#include "machine/facts.h"
#include "machine/machine.h"

enum doctor_text {
#define EXAM(id, group, name, nvml, en, zh, why_en, why_zh)
#define TEXT(id, en, zh) id,
#include "doctor/checks.def"
#undef EXAM
#undef TEXT
    DOCTOR_TEXTS
};

struct exam {
    struct machine *m;
    const struct doctor_options *options;
    struct buf *out; /* frames for the parent, see exam.c */
};

typedef void check_function(struct exam *x);

#define EXAM(id, group, name, nvml, en, zh, why_en, why_zh) \
    check_function check_##group##_##name;
#define TEXT(id, en, zh)
#include "doctor/checks.def"
#undef EXAM
#undef TEXT

/* A check that neither shows evidence nor says anything found nothing of its
 * kind to look at, and counts as skipped. What was seen, for people who look
 * closer and for comparing machines: raw, the same in every language. More than
 * one is joined with "; ". */
void evidence(struct exam *x, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A finding. The text's conversions take what follows. */
void say(struct exam *x, enum verdict v, enum doctor_text t, ...);

/* A command that mends what was said last. */
void fix(struct exam *x, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The same: the package is to be installed, with apt, or with dnf where that is
 * the system's, by the name that it has there. */
void fix_package(struct exam *x, const char *deb, const char *rpm);

/* A copy that ends in a NUL, for say(). */
const char *cstr(struct exam *x, struct str s);

/* True if it was found. If it may not be read, or is broken, that is said: the
 * check knows nothing then. */
bool got(struct exam *x, enum found found, const char *what);

#endif
