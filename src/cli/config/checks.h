/* checks.h - what is wrong with a text that stands in stoker.yaml. */
#ifndef CLI_CONFIG_CHECKS_H
#define CLI_CONFIG_CHECKS_H

#include "cli/config/settings.h"

/* Of one value: see struct flag. */
enum errc check_log_level(const char *value, struct err *err);
enum errc check_when(const char *value, struct err *err);
enum errc check_timezone(const char *value, struct err *err);
enum errc check_user(const char *value, struct err *err);
enum errc check_cpus(const char *value, struct err *err);
enum errc check_url(const char *value, struct err *err);
enum errc check_address(const char *value, struct err *err);
enum errc check_restart(const char *value, struct err *err);
enum errc check_statuses(const char *value, struct err *err);
enum errc check_signal(const char *value, struct err *err);

/* Of a block: see struct section. */
void check_model(struct yaml_form *f, const struct settings *s,
                 const struct block *b, enum language l);
void check_notify(struct yaml_form *f, const struct settings *s,
                  const struct block *b, enum language l);
void check_service(struct yaml_form *f, const struct settings *s,
                   const struct block *b, enum language l);
void check_backup(struct yaml_form *f, const struct settings *s,
                  const struct block *b, enum language l);
void check_schedule(struct yaml_form *f, const struct settings *s,
                    const struct block *b, enum language l);

#endif
