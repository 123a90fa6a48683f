/* step.h - what a target is made of. Only targets and plan.c include this.
 *
 * To add one: a row in targets.def, a file <target>.c with target_<id>(), its
 * texts in texts.def, and its rows in tests/system/test_setup.py. The function
 * looks at p->machine and p->options, adds steps and changes nothing:
 *
 *     void target_cuda(struct plan *p)
 *     {
 *         install(p, SETUP_CUDA_TOOLKIT, "cuda-toolkit-12-8");
 *         put_file(p, SETUP_CUDA_PATHS, "/etc/profile.d/cuda.sh", 0644, ...);
 *         refresh(p, SETUP_CUDA_LDCONFIG, "ldconfig", "");
 *     }
 *
 * The order is the order of the calls. Directories that are missing on the way
 * to a path become steps of their own.
 */
#ifndef SETUP_STEP_H
#define SETUP_STEP_H

#include "machine/machine.h"
#include "machine/os.h"
#include "setup/setup.h"

enum setup_text {
#define TEXT(id, en, zh) SETUP_TEXT_##id,
#include "setup/texts.def"
#undef TEXT
    SETUP_TEXTS
};

const char *setup_text_in(enum language l, enum setup_text t);

/* printf into the plan's memory; "" once there is none left. */
const char *made(struct plan *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Every word of a list with commas, wrapped, with `between` between them:
 * wrapped(p, "a,b", "<", ">", "|") is "<a>|<b>". */
const char *wrapped(struct plan *p, const char *list, const char *before,
                    const char *behind, const char *between);

/* A text in the user's language; its conversions take what follows. */
const char *titled(struct plan *p, enum setup_text t, ...);

/* The file will have these bytes and this mode; root owns it if it is new. */
void put_file(struct plan *p, const char *title, const char *path,
              unsigned mode, struct str text);
void put_link(struct plan *p, const char *title, const char *path,
              const char *to);
void put_directory(struct plan *p, const char *title, const char *path,
                   unsigned mode);

/* These packages (names with blanks between) are installed. */
void install(struct plan *p, const char *title, const char *names);

/* The same, and what is in their way goes. */
void install_instead(struct plan *p, const char *title, const char *names);

/* The command is run unless the probe says that it need not be: a path that is
 * there, or a command that succeeds; "" is never. Undo "": it leaves nothing
 * behind, or cannot be taken back. Words have blanks between, there is no
 * shell. */
void run(struct plan *p, const char *title, const char *probe, const char *does,
         const char *undo);

/* Run when a step of this target changed something. After an undo `undo` is
 * run; "": the same again. */
void refresh(struct plan *p, const char *title, const char *does,
             const char *undo);

void note(struct plan *p, const char *title);

/* The target cannot be done here. */
void refuse(struct plan *p, const char *why);

/* The same of what this machine or the command line lacks: of all targets this
 * one is left out, and that is noted. */
void lack(struct plan *p, const char *why);

/* The bytes of a file as it will be after the steps before; p NULL: none. */
struct str planned(struct plan *p, const char *path);

/* ---- what a target asks ---------------------------------------------- */

struct os plan_os(struct plan *p);

/* systemd runs here, so services can be started; nothing does in a tree. */
bool has_systemd(struct plan *p);
bool has_gpus(struct plan *p);

/* The machine is the running one: modules, mounts, sysctls make sense. */
bool is_running(struct plan *p);

/* This run has begun the command before: what is there may be its work. */
bool was_begun(const struct plan *p, const char *does);

/* "10.0.0.1" or "fd00::1"; with the length of its prefix behind a slash. */
enum prefix { PREFIX_NONE, PREFIX_MAY, PREFIX_MUST };
bool is_address(struct str text, enum prefix prefix);

/* "x86_64", "aarch64". */
const char *architecture(struct plan *p);

/* "amd64", "arm64": as dpkg has it. */
const char *deb_architecture(struct plan *p);

/* "6.1.0-28-amd64"; NULL if that is not known (a tree). */
const char *kernel_release(struct plan *p);

/* Packages of others (repository.c): the key is fetched over TLS, the list
 * names it. Nothing with a bundle: that has them. */
void nvidia_repository(struct plan *p, const struct os *os);
void apt_repository(struct plan *p, const char *name, const char *key_url,
                    const char *line);
void dnf_repository(struct plan *p, const char *name, const char *base_url,
                    const char *key_url);

/* A file of sysctl.d(5), loaded; an undo sets what it changed as it was. */
void kernel_settings(struct plan *p, const char *title, const char *path,
                     const char *text);

/* A service is enabled and running from now on. */
void service(struct plan *p, const char *unit);

#define TARGET(id, name, groups, en, zh) void target_##id(struct plan *p);
#include "setup/targets.def"
#undef TARGET

#endif
